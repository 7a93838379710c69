using System.Net;

namespace PgFlow.UnitTests.Activities;

/// <summary>What Docker's daemons say when an image can't be pulled.</summary>
public sealed class PullProgressTests
{
    [Theory]
    [InlineData(
        404,
        "pull access denied for nosuch, repository does not exist or may require 'docker login': denied: requested "
            + "access to the resource is denied"
    )]
    [InlineData(404, "manifest for postgres:99 not found: manifest unknown: manifest unknown")]
    [InlineData(400, "invalid reference format")]
    [InlineData(401, "unauthorized: authentication required")]
    [InlineData(500, "name unknown")]
    [InlineData(500, "denied")]
    [InlineData(500, "unauthorized")]
    [InlineData(500, "Head \"https://ghcr.io/v2/a/b/manifests/latest\": denied")]
    [InlineData(500, "Head \"https://registry.example/v2/a/manifests/1\": no basic auth credentials")]
    [InlineData(
        500,
        "failed to resolve reference \"docker.io/library/postgres:99\": docker.io/library/postgres:99: not found"
    )]
    [InlineData(
        500,
        "failed to resolve reference \"docker.io/a/b:1\": pull access denied, repository does not exist or may require "
            + "authorization: server message: insufficient_scope: authorization failed"
    )]
    [InlineData(200, "no matching manifest for linux/arm64/v8 in the manifest list entries")]
    public void What_the_registry_does_not_give_is_refused_at_once(int status, string said)
    {
        var failure = PullProgress.FailureOf("postgres:99", (HttpStatusCode)status, said);

        Assert.Equal((FailureTypes.Refused, true), (failure.Type, failure.IsFinal));
        Assert.Equal(
            $"image: there is no postgres:99 here, and its registry does not give it: {said}; check the name, "
                + "or pull or build it on the Docker host (docker login, if it is private)",
            failure.Message
        );
    }

    [Theory]
    [InlineData(500, "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host")]
    [InlineData(
        500,
        "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on 127.0.0.11:53: server "
            + "misbehaving"
    )]
    [InlineData(
        500,
        "Get \"https://registry-1.docker.io/v2/\": net/http: request canceled while waiting for connection "
            + "(Client.Timeout exceeded while awaiting headers)"
    )]
    [InlineData(500, "Get \"https://registry.example/v2/\": dial tcp 10.0.0.1:443: connect: connection refused")]
    [InlineData(500, "toomanyrequests: You have reached your unauthenticated pull rate limit.")]
    [InlineData(429, "toomanyrequests: Too Many Requests")]
    [InlineData(503, "received unexpected HTTP status: 503 Service Unavailable")]
    [InlineData(200, "unexpected EOF")]
    public void A_registry_that_is_away_or_busy_is_asked_again(int status, string said)
    {
        var failure = PullProgress.FailureOf("postgres:17", (HttpStatusCode)status, said);

        Assert.Equal((FailureTypes.Failed, false), (failure.Type, failure.IsFinal));
        Assert.StartsWith(
            $"image: there is no postgres:17 here, and it can't be pulled: {said}; ",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_error_in_the_stream_is_the_end()
    {
        var pull = new PullProgress();

        pull.Report(new() { Status = "Pulling from library/postgres" });
        Assert.Null(pull.Error);
        pull.Report(new() { Error = new() { Message = "unexpected EOF" } });

        Assert.Equal("unexpected EOF", pull.Error);
    }
}

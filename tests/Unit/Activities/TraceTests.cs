using System.Diagnostics;

namespace PgFlow.UnitTests.Activities;

public sealed class TraceTests
{
    [Theory]
    [InlineData("SELECT 1", "SELECT 1")]
    [InlineData("ALTER ROLE app PASSWORD 'SCRAM-SHA-256$4096:x''y$z'", "ALTER ROLE app PASSWORD '?'")]
    [InlineData(@"SELECT E'it\'s', 'a'", "SELECT E'?', '?'")]
    [InlineData("DO $x$ BEGIN PERFORM 'a'; END $x$ LANGUAGE plpgsql", "DO '?' LANGUAGE plpgsql")]
    [InlineData("SELECT $1, $2", "SELECT $1, $2")]
    public void Sql_has_no_literals(string sql, string expected) => Assert.Equal(expected, SqlTrace.Sanitized(sql));

    [Theory]
    [InlineData(
        "(client, token) => client.Containers.KillContainerAsync(id, new(), token)",
        "Containers.KillContainer"
    )]
    [InlineData(
        "(client, token) =>\n    client\n        .Networks.ListNetworksAsync(null, token)",
        "Networks.ListNetworks"
    )]
    [InlineData("(_, token) => stream.ReadOutputAsync(buffer, token)", "stream.ReadOutput")]
    [InlineData("call", "call")]
    public void A_call_of_docker_is_named_as_its_client_names_it(string code, string expected) =>
        Assert.Equal(expected, DockerTrace.NameOf(code));

    [Fact]
    public void Whoever_waits_writes_no_thousand_spans()
    {
        using var limit = new Tracing.SpanLimit();
        using var parent = new Activity("WaitForReplay").Start();
        var spans = Enumerable.Range(0, Tracing.SpanLimit.Most + 5).Select(_ => new Activity("docker")).ToList();
        foreach (var span in spans)
        {
            span.Start().ActivityTraceFlags = ActivityTraceFlags.Recorded;
            span.Stop();
            limit.OnEnd(span);
        }

        Assert.Equal(Tracing.SpanLimit.Most, spans.Count(span => span.Recorded));
        Assert.Equal(5, parent.GetTagItem("pgflow.spans_dropped"));
    }
}

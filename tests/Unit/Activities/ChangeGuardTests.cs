using System.Net;

namespace PgFlow.UnitTests.Activities;

public sealed class ChangeGuardTests
{
    [Theory]
    [InlineData("GET", "/containers/json")]
    [InlineData("HEAD", "/containers/c/archive")]
    [InlineData("POST", "/v1.41/containers/c/exec")]
    [InlineData("POST", "/v1.41/exec/0123/start")]
    public async Task A_question_goes_through(string method, string path) =>
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(method, path)).StatusCode);

    [Theory]
    [InlineData("POST", "/containers/create")]
    [InlineData("POST", "/containers/exec/kill")]
    [InlineData("PUT", "/containers/c/archive")]
    [InlineData("DELETE", "/volumes/v")]
    public async Task A_change_goes_through_only_where_it_was_asked_for(string method, string path)
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync(method, path));
        using (ChangeGuard.Open())
        {
            Assert.Equal(HttpStatusCode.OK, (await SendAsync(method, path)).StatusCode);
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync(method, path));
    }

    private static async Task<HttpResponseMessage> SendAsync(string method, string path)
    {
        using var invoker = new HttpMessageInvoker(new ChangeGuard().ConfigureHandler(new Daemon()));
        using var request = new HttpRequestMessage(new(method), $"http://docker{path}");
        return await invoker.SendAsync(request, CancellationToken.None);
    }

    private sealed class Daemon : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken token) =>
            Task.FromResult(new HttpResponseMessage());
    }
}

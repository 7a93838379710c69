using System.Text.RegularExpressions;
using Docker.DotNet.Handler.Abstractions;

namespace PgFlow.Activities.Docker;

/// <summary>Lets no request to the daemon through that changes something and was not asked for by
/// <see cref="DockerEngine.ChangeAsync{T}"/>: nobody can forget it.</summary>
/// <remarks>The client has no other place for a handler. Programs in running containers are left to
/// <see cref="ExecCalls"/>: most of them only read.</remarks>
internal sealed partial class ChangeGuard : IAuthProvider
{
    private static readonly AsyncLocal<bool> Opened = new();

    /// <summary>Lets the requests of this flow through, until it is disposed.</summary>
    public static IDisposable Open()
    {
        Opened.Value = true;
        return new Closing();
    }

    /// <inheritdoc/>
    public bool TlsEnabled => false;

    /// <inheritdoc/>
    public HttpMessageHandler ConfigureHandler(HttpMessageHandler handler) => new Handler(handler);

    [GeneratedRegex("/containers/[^/]+/exec$|/exec/[0-9a-f]+/start$")]
    private static partial Regex Exec();

    private sealed class Closing : IDisposable
    {
        public void Dispose() => Opened.Value = false;
    }

    private sealed class Handler(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken token) =>
            request.Method == HttpMethod.Get
            || request.Method == HttpMethod.Head
            || Opened.Value
            || Exec().IsMatch(request.RequestUri!.AbsolutePath)
                ? base.SendAsync(request, token)
                : throw new InvalidOperationException(
                    $"{request.Method} {request.RequestUri.AbsolutePath} changes something and was not asked for by "
                        + nameof(DockerEngine.ChangeAsync)
                );
    }
}

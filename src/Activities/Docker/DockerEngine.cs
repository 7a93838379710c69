using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Docker.DotNet;
using Microsoft.Extensions.Options;
using Temporalio.Activities;

namespace PgFlow.Activities.Docker;

/// <summary>The Docker daemon. Every call has a deadline, and ends when its activity is cancelled; what changes
/// something asks first whether it may.</summary>
internal class DockerEngine(IOptions<ActivityHostOptions> options, TimeLimits limits) : IDisposable
{
    /// <summary>The newest API that PgFlow was tried with; an older daemon is spoken to in its own.</summary>
    private static readonly Version Tested = new(1, 47);

    private readonly Lock _lock = new();
    private Task<DockerClient>? _client;

    /// <summary>A call that changes something, by an activity that still may.</summary>
    /// <inheritdoc cref="CallAsync{T}"/>
    public async Task<T> ChangeAsync<T>(
        Func<IDockerClient, CancellationToken, Task<T>> call,
        TimeSpan? deadline = null,
        [CallerArgumentExpression(nameof(call))] string code = ""
    )
    {
        await RequirePermitAsync();
        using var _ = ChangeGuard.Open();
        return await CallAsync(call, deadline, code);
    }

    /// <inheritdoc cref="ChangeAsync{T}"/>
    public Task ChangeAsync(
        Func<IDockerClient, CancellationToken, Task> call,
        TimeSpan? deadline = null,
        [CallerArgumentExpression(nameof(call))] string code = ""
    ) =>
        ChangeAsync(
            async (client, token) =>
            {
                await call(client, token);
                return true;
            },
            deadline,
            code
        );

    /// <summary>A call that only asks: the daemon gets no other one (<see cref="ChangeGuard"/>).</summary>
    /// <remarks>Waits for at most <paramref name="deadline"/>, as long as the configuration says where none is
    /// given.</remarks>
    /// <param name="call">What is asked of the daemon.</param>
    /// <param name="code">Its name in traces.</param>
    public async Task<T> CallAsync<T>(
        Func<IDockerClient, CancellationToken, Task<T>> call,
        TimeSpan? deadline = null,
        [CallerArgumentExpression(nameof(call))] string code = ""
    )
    {
        using var span = DockerTrace.Start(code);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ActivityToken);
        limit.CancelAfter(deadline ?? limits.Docker);
        try
        {
            var client = await ClientAsync().WaitAsync(limit.Token);
            return await call(client, limit.Token).WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!ActivityToken.IsCancellationRequested)
        {
            span?.SetStatus(ActivityStatusCode.Error, "no answer in time");
            throw new DockerTimeoutException(
                $"Docker did not answer within {(deadline ?? limits.Docker).TotalSeconds:0} s"
            );
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw new HttpRequestException(
                $"Docker does not answer at {options.Value.DockerHost}: {e.GetBaseException().Message}",
                e
            );
        }
    }

    /// <summary>A node's container, at the daemon of its host: of workers beside another host's there are none
    /// yet.</summary>
    public ContainerRef Of(NodeId node) =>
        node.Host == HostName.Local
            ? new(this, node.Container)
            : throw Failure.Break($"{node} lives on host {node.Host}, and this worker has only its own host's Docker");

    /// <summary>Another container at the daemon of this worker's host.</summary>
    public ContainerRef Container(string nameOrId) => new(this, nameOrId);

    /// <summary>The answer, or null where Docker has no such thing.</summary>
    public async Task<T?> FindAsync<T>(
        Func<IDockerClient, CancellationToken, Task<T>> call,
        [CallerArgumentExpression(nameof(call))] string code = ""
    )
        where T : class
    {
        try
        {
            return await CallAsync(call, deadline: null, code);
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_client is { IsCompletedSuccessfully: true })
        {
            _client.Result.Dispose();
        }
    }

    /// <summary>What is asked before every change.</summary>
    private protected virtual Task RequirePermitAsync() => Permit.RequireDecidingAsync();

    internal static CancellationToken ActivityToken =>
        ActivityExecutionContext.HasCurrent
            ? ActivityExecutionContext.Current.CancellationToken
            : CancellationToken.None;

    private async Task<DockerClient> ClientAsync()
    {
        Task<DockerClient> client;
        lock (_lock)
        {
            // A daemon that could not be asked for its version is asked again; it may have been upgraded too.
            client = _client = _client is null or { IsFaulted: true } or { IsCanceled: true }
                ? ConnectAsync()
                : _client;
        }

        return await client;
    }

    private async Task<DockerClient> ConnectAsync()
    {
        var builder = new DockerClientBuilder()
            .WithEndpoint(new Uri(options.Value.DockerHost))
            .WithAuthProvider(new ChangeGuard());
        using var unversioned = builder.Build();
        using var limit = new CancellationTokenSource(limits.Docker);
        var daemon = Version.Parse((await unversioned.System.GetVersionAsync(limit.Token)).APIVersion);
        return builder.WithApiVersion(daemon < Tested ? daemon : Tested).Build();
    }
}

/// <summary>A container.</summary>
/// <param name="Docker">The daemon that has it.</param>
/// <param name="Name">Its name or its ID.</param>
internal readonly record struct ContainerRef(DockerEngine Docker, string Name);

/// <summary>The daemon for what is no part of a cluster: job containers, images, the worker's own container. Procedures
/// that hold no lease need them too; <see cref="JobRunner"/> asks for a program that may change something.</summary>
internal sealed class JobDocker(IOptions<ActivityHostOptions> options, TimeLimits limits)
    : DockerEngine(options, limits)
{
    private protected override Task RequirePermitAsync() =>
        Permit.HoldsLease ? Permit.RequireAsync() : Task.CompletedTask;
}

/// <summary>The daemon does not answer: it may be away for a moment.</summary>
internal sealed class DockerTimeoutException(string message) : TimeoutException(message);

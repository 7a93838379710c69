using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Temporalio.Api.OperatorService.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Worker;

/// <summary>Waits for the server and makes the namespace ready. It is registered before the worker, which therefore
/// polls only afterwards.</summary>
internal sealed partial class NamespaceSetup(
    ITemporalClient client,
    WorkerOptions options,
    ILogger<NamespaceSetup> logger
) : IHostedService
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private string? lastReason;

    private string Namespace => client.Options.Namespace;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var pause = TimeSpan.FromMilliseconds(200); !await TryPrepareAsync(cancellationToken); pause *= 2)
        {
            pause = pause < LongestPause ? pause : LongestPause;
            await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
            {
                return; // the host stops by itself, and would call an exception a failed start
            }
        }

        LogReady(
            Namespace,
            options.Connection.TargetHost!,
            WorkerOptions.TaskQueue,
            client.Connection.Options.Identity!
        );
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> TryPrepareAsync(CancellationToken cancellation)
    {
        try
        {
            await client.Connection.ConnectAsync();
            await AskForAsync(
                "search attributes",
                "temporal operator search-attribute create",
                AddSearchAttributesAsync
            );
            await AskForAsync("retention", "temporal operator namespace update --retention", RaiseRetentionAsync);
            return true;
        }
        catch (Exception e)
            when (e is RpcException or InvalidOperationException && !cancellation.IsCancellationRequested)
        {
            if (lastReason != e.Message)
            {
                LogWaiting(options.Connection.TargetHost!, Namespace, lastReason = e.Message);
            }

            return false;
        }
    }

    // Who may only use a namespace (Temporal Cloud) has these made by who owns it.
    private async Task AskForAsync(string what, string command, Func<Task> ask)
    {
        try
        {
            await ask();
        }
        catch (RpcException e)
            when (e.Code is RpcException.StatusCode.PermissionDenied or RpcException.StatusCode.Unimplemented)
        {
            LogRefused(what, Namespace, command, e.Message);
        }
    }

    private async Task AddSearchAttributesAsync()
    {
        await client.Connection.OperatorService.AddSearchAttributesAsync(
            new AddSearchAttributesRequest
            {
                Namespace = Namespace,
                SearchAttributes = { Attributes.All.ToDictionary() },
            }
        );

        // A server takes a moment to know new ones; a procedure's first step would stumble over that.
        await client.CountWorkflowsAsync(string.Join(" AND ", Attributes.All.Keys.Select(key => $"{key} IS NULL")));
    }

    private async Task RaiseRetentionAsync()
    {
        var service = client.Connection.WorkflowService;
        var found = await service.DescribeNamespaceAsync(new DescribeNamespaceRequest { Namespace = Namespace });
        if (found.Config.WorkflowExecutionRetentionTtl?.ToTimeSpan() < options.Retention)
        {
            await service.UpdateNamespaceAsync(
                new UpdateNamespaceRequest
                {
                    Namespace = Namespace,
                    Config = new() { WorkflowExecutionRetentionTtl = Duration.FromTimeSpan(options.Retention) },
                }
            );
            LogRetention(Namespace, options.Retention.Days);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Waiting for Temporal at {Address}, namespace {Namespace}: {Why}")]
    private partial void LogWaiting(string address, string @namespace, string why);

    [LoggerMessage(
        2,
        LogLevel.Information,
        "Ready in namespace {Namespace} of {Address}; polling {TaskQueue} as {Identity}"
    )]
    private partial void LogReady(string @namespace, string address, string taskQueue, string identity);

    [LoggerMessage(3, LogLevel.Information, "Namespace {Namespace} keeps finished procedures for {Days} days now")]
    private partial void LogRetention(string @namespace, int days);

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "The server doesn't let the worker set the {What} of namespace {Namespace}; its owner can, with "
            + "'{Command}': {Why}"
    )]
    private partial void LogRefused(string what, string @namespace, string command, string why);
}

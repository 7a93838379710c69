using System.Text.Json.Serialization;
using Spectre.Console;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Commands;

/// <summary>A cluster's witness as it runs.</summary>
/// <param name="WorkflowId">Its workflow.</param>
/// <param name="Status">What it says; null where no worker answers for it.</param>
internal sealed record Witnessed(string WorkflowId, WitnessStatus? Status)
{
    /// <summary>A worker answers within milliseconds, or there is none that can.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <summary>In one line.</summary>
    [JsonIgnore]
    public string Line =>
        Status switch
        {
            null => "‼ witness: no worker answers for it",
            { Paused: { } paused } => $"‼ witness {paused.Summary}, {ShownTime.Of(paused.At)}",
            { Decisions: var all } when all.LastOrDefault(one => !one.IsAside) is { IsAlert: true } alert =>
                $"‼ witness, {ShownTime.Of(alert.At)}: {alert.Summary}",
            { Verdict: { } verdict } => $"◉ witness: {verdict.Sentence}",
            _ => "◉ witness: begins to watch",
        };

    /// <summary>The one that runs for a cluster; null where there is none.</summary>
    public static async Task<Witnessed?> OfAsync(ITemporalClient client, string cluster, CancellationToken cancel)
    {
        var handle = client.GetWorkflowHandle(WatchCluster.IdOf(ClusterName.Parse(cluster)));
        try
        {
            var found = await handle.DescribeAsync(new() { Rpc = new() { CancellationToken = cancel } });
            return found.Status is WorkflowExecutionStatus.Running
                ? new(handle.Id, await StatusAsync(handle, cancel))
                : null;
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    public void Write(IAnsiConsole data)
    {
        data.WriteLine(Line);
        if (Status is not { } status)
        {
            return;
        }

        var since = status.Since == default ? "begins" : $"since {ShownTime.Of(status.Since)}";
        data.WriteLine(
            $"{since}, started by {status.By}; a failover may lose {status.MaxLoss} MB of WAL; the old "
                + $"primary {(status.Failback ? "is brought back" : "stays fenced")}"
        );
        foreach (var finding in status.Findings)
        {
            data.WriteLine($"‼ {HintText.Line(finding)}");
        }

        foreach (var decision in status.Decisions)
        {
            var follow = decision.WorkflowId is { } id ? $"; pgflow show {id}" : "";
            data.WriteLine($"  {ShownTime.Of(decision.At)} {decision.Summary}{follow}");
        }
    }

    private static async Task<WitnessStatus?> StatusAsync(WorkflowHandle handle, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Limit);
        try
        {
            return await handle.QueryAsync<WitnessStatus>(
                "witness",
                [],
                new() { Rpc = new() { CancellationToken = limit.Token } }
            );
        }
        catch (Exception e)
            when (!cancel.IsCancellationRequested
                && e
                    is RpcException
                        or RpcTimeoutOrCanceledException
                        or WorkflowQueryFailedException
                        or OperationCanceledException
            )
        {
            return null;
        }
    }
}

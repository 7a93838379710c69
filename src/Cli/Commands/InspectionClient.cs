using System.Text.Json;
using Temporalio.Client;

namespace PgFlow.Cli.Commands;

/// <summary>Starts a procedure that only looks, and waits for what it sees.</summary>
internal sealed class InspectionClient(InvocationContext call)
{
    /// <summary>Where the look is that was started last.</summary>
    private Snapshot? _looks;

    /// <summary>What <paramref name="workflow"/> returns for the cluster that was named.</summary>
    public async Task<T> ForAsync<T>(string workflow, CancellationToken cancel)
    {
        var cluster = call.Parsed.GetRequiredValue(Flags.Cluster)!;
        ProcedureResult? end = null;
        await WithinLimitAsync(async (client, limit) => end = await AtAsync(client, workflow, cluster, limit), cancel);
        return end!.Result is { } result
            ? result.Deserialize<T>(PgFlowJson.Options)!
            : throw new CliError(end.ExitCode, $"{cluster} can't be inspected", [end.Detail], end.HintLines);
    }

    /// <summary>Does it within <c>--timeout</c>.</summary>
    public async Task WithinLimitAsync(Func<ITemporalClient, CancellationToken, Task> act, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(call.Timeout ?? Timeout.InfiniteTimeSpan);
        try
        {
            await act(await call.ConnectAsync(limit.Token), limit.Token);
        }
        catch (Exception) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw _looks is { Trouble: null } looks
                ? new CliError(
                    ExitCodes.StillRunning,
                    "the time limit was reached",
                    ["it still looks", .. looks.Activities.Select(one => $"{one.Type}: {one.Words}")]
                )
                : new CliError(
                    ExitCodes.Unreachable,
                    "the time limit was reached",
                    _looks?.Trouble ?? "Temporal did not answer",
                    "pgflow doctor"
                );
        }
    }

    /// <summary>How the look at one cluster ended; says meanwhile when nobody works on it.</summary>
    public async Task<ProcedureResult> AtAsync(
        ITemporalClient client,
        string workflow,
        string cluster,
        CancellationToken cancel
    )
    {
        var handle = await client.StartWorkflowAsync(
            workflow,
            [new { cluster, by = Temporal.User }],
            new(WorkflowId.New(workflow, cluster), Temporal.TaskQueue)
            {
                StaticSummary = $"Inspect {cluster}",
                Rpc = new() { CancellationToken = cancel },
            }
        );
        string? said = null;
        await foreach (var now in new ProcedureWatcher(handle).SnapshotsAsync(cancel))
        {
            _looks = now;
            if (now.Trouble is not null && now.Trouble != said)
            {
                call.Terminal.WriteInfo(said = now.Trouble);
            }
        }

        return await ProcedureResult.OfAsync(handle, cancel);
    }
}

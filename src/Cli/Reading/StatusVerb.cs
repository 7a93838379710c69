using System.CommandLine;
using PgFlow.Workflows;
using Temporalio.Client;

namespace PgFlow.Cli;

/// <summary>What the clusters are right now.</summary>
internal static class StatusVerb
{
    public static Command Command(Terminal terminal) => Call.Verb(
        terminal,
        "status",
        "Roles, timeline, lag, endpoint, archive, what runs (of all clusters where none is named); exit 1 when something is wrong",
        [Flags.AnyCluster, Flags.Timeout, .. Flags.Connection],
        RunAsync);

    private static async Task<int> RunAsync(Call call, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(call.Timeout ?? System.Threading.Timeout.InfiniteTimeSpan);
        var client = await call.ConnectAsync(limit.Token);
        var asked = call.Parsed.GetValue(Flags.AnyCluster);
        var clusters = asked == default ? await Runs.ClustersAsync(client, limit.Token) : [asked.ToString()];
        var found = new List<ClusterStatus>();
        try
        {
            foreach (var looking in clusters.Select(cluster => LookAsync(call, client, cluster, limit.Token)).ToList())
            {
                found.Add(await looking);
            }
        }
        catch (Exception) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new CliError(ExitCodes.StillRunning, "the time limit was reached", WorkflowTasks.Silence);
        }

        Print(call, found, asked != default);
        return found.Select(status => status.ExitCode).DefaultIfEmpty(ExitCodes.Done).Max();
    }

    private static async Task<ClusterStatus> LookAsync(Call call, ITemporalClient client, string cluster, CancellationToken cancel)
    {
        var handle = await client.StartWorkflowAsync(
            nameof(InspectCluster),
            [new { cluster, by = Temporal.User }],
            new(WorkflowId.New(nameof(InspectCluster), cluster), Temporal.TaskQueue) { StaticSummary = $"Look at {cluster}", Rpc = new() { CancellationToken = cancel } });
        string? said = null;
        await foreach (var now in new Following(handle).SnapshotsAsync(cancel))
        {
            if (now.Trouble is not null && now.Trouble != said)
            {
                call.Terminal.Say(said = now.Trouble);
            }
        }

        var end = await Ending.OfAsync(handle, cancel);
        return new(cluster, ClusterStatus.InspectionOf(end), end, await Runs.OpenAsync(client, cluster, cancel));
    }

    private static void Print(Call call, List<ClusterStatus> found, bool one)
    {
        if (call.Json)
        {
            call.Terminal.Json(one ? found[0].Json : found.Select(status => status.Json));
            return;
        }

        if (found.Count == 0)
        {
            call.Terminal.Say("no cluster is known to Temporal; make one with: pgflow init CLUSTER");
        }

        foreach (var status in found)
        {
            StatusText.Write(call.Terminal, status);
        }
    }
}

using Temporalio.Client;

namespace PgFlow.Cli.Commands;

/// <summary>Finds procedures by their search attributes.</summary>
internal static class Runs
{
    private const int Most = 1000;

    private const string Procedures =
        "PgFlowProcedure IS NOT NULL AND PgFlowProcedure != 'InspectCluster' AND PgFlowProcedure != 'InspectTimeline'"
        + " AND PgFlowProcedure != 'WatchCluster'";

    /// <summary>Newest first.</summary>
    public static async Task<IReadOnlyList<Run>> ListAsync(
        ITemporalClient client,
        string query,
        CancellationToken cancel
    )
    {
        var runs = new List<Run>();
        await foreach (
            var execution in client.ListWorkflowsAsync(
                query,
                new()
                {
                    Limit = Most,
                    Rpc = new() { CancellationToken = cancel },
                }
            )
        )
        {
            runs.Add(Run.Of(execution));
        }

        return [.. runs.OrderByDescending(run => run.StartedAt)];
    }

    /// <summary>Those of which each of these conditions is true.</summary>
    public static Task<IReadOnlyList<Run>> HistoryAsync(
        ITemporalClient client,
        IEnumerable<string> conditions,
        CancellationToken cancel
    ) => ListAsync(client, string.Join(" AND ", conditions.Prepend(Procedures)), cancel);

    public static Task<IReadOnlyList<Run>> OpenAsync(
        ITemporalClient client,
        string cluster,
        CancellationToken cancel
    ) => ListAsync(client, $"{Procedures} AND PgFlowCluster = '{cluster}' AND ExecutionStatus = 'Running'", cancel);

    /// <summary>The clusters that some procedure knows and none has removed since.</summary>
    public static async Task<IReadOnlyList<string>> ClustersAsync(ITemporalClient client, CancellationToken cancel) =>
        [
            .. (await HistoryAsync(client, [], cancel))
                .Where(run =>
                    run
                        is {
                            Cluster: not null,
                            Outcome: not ("refused" or "planned" or "clusterBusy" or "unchanged" or "cancelled")
                        }
                )
                .GroupBy(run => run.Cluster!)
                .Where(runs => runs.First() is not { Procedure: nameof(DestroyCluster), Outcome: "succeeded" })
                .Select(runs => runs.Key)
                .Order(StringComparer.Ordinal),
        ];
}

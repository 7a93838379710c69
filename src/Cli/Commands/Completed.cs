using System.CommandLine;
using System.CommandLine.Completions;
using Temporalio.Client;

namespace PgFlow.Cli.Commands;

/// <summary>What Temporal and the workers know, for a shell's completion.</summary>
internal static class Completed
{
    private const int MostProcedures = 20;

    /// <summary>Somebody has pressed a key and waits; a worker needs a second to look.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(4);

    public static IEnumerable<CompletionItem> Clusters(CompletionContext context) =>
        Complete(context, async (client, _, cancel) => await Runs.ClustersAsync(client, cancel));

    public static IEnumerable<CompletionItem> Procedures(CompletionContext context) =>
        Complete(
            context,
            async (client, _, cancel) =>
                (await Runs.HistoryAsync(client, [], cancel)).Take(MostProcedures).Select(run => run.WorkflowId)
        );

    public static IEnumerable<CompletionItem> Nodes(CompletionContext context) =>
        Complete(
            context,
            async (client, cluster, cancel) =>
                (await LookAsync<Inspection>(client, nameof(InspectCluster), cluster, cancel)).State.Nodes.Select(
                    node => node.Id.ToString()
                )
        );

    public static IEnumerable<CompletionItem> Backups(CompletionContext context) =>
        Complete(
            context,
            async (client, cluster, cancel) =>
                (await BranchesAsync(client, cluster, cancel))
                    .SelectMany(branch => branch.Backups)
                    .Select(backup => backup.Id)
        );

    public static IEnumerable<CompletionItem> RestorePoints(CompletionContext context) =>
        Complete(
            context,
            async (client, cluster, cancel) =>
                (await BranchesAsync(client, cluster, cancel))
                    .SelectMany(branch => branch.RestorePoints)
                    .Select(point => point.Name)
        );

    private static IEnumerable<CompletionItem> Complete(
        CompletionContext context,
        Func<ITemporalClient, string, CancellationToken, Task<IEnumerable<string>>> findAsync
    )
    {
        try
        {
            return AskAsync(context.ParseResult, findAsync).GetAwaiter().GetResult();
        }
        catch (Exception)
        {
            return []; // a completion never complains
        }
    }

    private static async Task<IEnumerable<CompletionItem>> AskAsync(
        ParseResult parsed,
        Func<ITemporalClient, string, CancellationToken, Task<IEnumerable<string>>> findAsync
    )
    {
        using var limit = new CancellationTokenSource(Limit);
        var client = await Temporal.ConnectAsync(
            parsed.GetValue(Flags.Address),
            parsed.GetValue(Flags.Namespace),
            limit.Token
        );
        var found = await findAsync(client, parsed.GetValue(Flags.Cluster) ?? "", limit.Token);
        return [.. found.Select(word => new CompletionItem(word))];
    }

    private static async Task<IReadOnlyList<TreeBranch>> BranchesAsync(
        ITemporalClient client,
        string cluster,
        CancellationToken cancel
    ) => (await LookAsync<TimelineTree>(client, nameof(InspectTimeline), cluster, cancel)).Branches;

    private static Task<T> LookAsync<T>(
        ITemporalClient client,
        string workflow,
        string cluster,
        CancellationToken cancel
    ) =>
        client.ExecuteWorkflowAsync<T>(
            workflow,
            [new { cluster, by = Temporal.User }],
            new(WorkflowId.New(workflow, cluster), Temporal.TaskQueue) { Rpc = new() { CancellationToken = cancel } }
        );
}

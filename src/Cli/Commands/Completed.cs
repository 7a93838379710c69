using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using Temporalio.Client;

namespace PgFlow.Cli.Commands;

/// <summary>What Temporal and the workers know, for a shell's completion.</summary>
internal static class Completed
{
    private const int MostProcedures = 20;

    /// <summary>Somebody has pressed a key and waits.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>A worker needs a second to look.</summary>
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(4);

    public static IEnumerable<CompletionItem> Clusters(CompletionContext context) =>
        Complete(context, Limit, async (client, cancel) => await Runs.ClustersAsync(client, cancel));

    public static IEnumerable<CompletionItem> Procedures(CompletionContext context) =>
        Complete(
            context,
            Limit,
            async (client, cancel) =>
                (await Runs.HistoryAsync(client, [], cancel)).Take(MostProcedures).Select(run => run.WorkflowId)
        );

    public static IEnumerable<CompletionItem> Nodes(CompletionContext context) =>
        CompleteOf<Inspection>(
            context,
            nameof(InspectCluster),
            found => found.State.Nodes.Select(node => node.Id.Name.ToString())
        );

    public static IEnumerable<CompletionItem> Backups(CompletionContext context) =>
        CompleteOf<TimelineTree>(
            context,
            nameof(InspectTimeline),
            tree => tree.Branches.SelectMany(branch => branch.Backups).Select(backup => backup.Id)
        );

    public static IEnumerable<CompletionItem> RestorePoints(CompletionContext context) =>
        CompleteOf<TimelineTree>(
            context,
            nameof(InspectTimeline),
            tree => tree.Branches.SelectMany(branch => branch.RestorePoints).Select(point => point.Name)
        );

    /// <summary>Of the cluster that was typed first: of clone's two it is the one that is there. What looks ends with
    /// the patience of who has pressed the key.</summary>
    private static IEnumerable<CompletionItem> CompleteOf<T>(
        CompletionContext context,
        string workflow,
        Func<T, IEnumerable<string>> words
    )
    {
        var typed = context.ParseResult.CommandResult.Children.OfType<ArgumentResult>().FirstOrDefault();
        return typed is not { Tokens: [{ Value: var cluster }, ..] }
            ? []
            : Complete(
                context,
                LookLimit,
                async (client, cancel) =>
                    words(
                        await client.ExecuteWorkflowAsync<T>(
                            workflow,
                            [new { cluster, by = Temporal.User }],
                            new(WorkflowId.New(workflow, cluster), Temporal.TaskQueue)
                            {
                                ExecutionTimeout = LookLimit,
                                Rpc = new() { CancellationToken = cancel },
                            }
                        )
                    )
            );
    }

    private static IEnumerable<CompletionItem> Complete(
        CompletionContext context,
        TimeSpan within,
        Func<ITemporalClient, CancellationToken, Task<IEnumerable<string>>> findAsync
    )
    {
        try
        {
            return AskAsync(context.ParseResult, within, findAsync).GetAwaiter().GetResult();
        }
        catch (Exception)
        {
            return []; // a completion never complains
        }
    }

    private static async Task<IEnumerable<CompletionItem>> AskAsync(
        ParseResult parsed,
        TimeSpan within,
        Func<ITemporalClient, CancellationToken, Task<IEnumerable<string>>> findAsync
    )
    {
        using var limit = new CancellationTokenSource(within);
        var client = await Temporal.ConnectAsync(
            parsed.GetValue(Flags.Address),
            parsed.GetValue(Flags.Namespace),
            limit.Token
        );
        var found = await findAsync(client, limit.Token);
        return [.. found.Select(word => new CompletionItem(word))];
    }
}

using System.Text.RegularExpressions;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Client;

/// <summary>The procedure that a person means: by its whole ID, by a beginning that no other has, or as the last one.
/// Whoever decides something means one that runs, and no other may.</summary>
internal static partial class MeantProcedure
{
    private const string Last = "last";

    /// <summary>Finds it, and says which one it is where that was not typed.</summary>
    public static async Task<WorkflowHandle> MeantAsync(
        this InvocationContext call,
        ITemporalClient client,
        bool toDecide,
        CancellationToken cancel
    )
    {
        if (await TypeOfAsync(client, call.Id, cancel) is { } type)
        {
            return ProcedureList.All.Any(one => one.Name == type)
                ? client.GetWorkflowHandle(call.Id)
                : throw NoProcedure(call.Id, type);
        }

        var found = await FindAsync(client, call.Id, toDecide, cancel);
        if (found is not [var meant])
        {
            throw Ambiguous(call.Id, toDecide ? "runs" : "has run", found);
        }

        call.Terminal.WriteInfo(meant.WorkflowId);
        return client.GetWorkflowHandle(meant.WorkflowId);
    }

    private static CliError Ambiguous(string id, string runs, IReadOnlyList<Run> found) =>
        found is []
            ? new(
                ExitCodes.Usage,
                id is Last ? $"no procedure {runs}" : $"no procedure {runs} whose ID is {id} or begins so",
                hint: "look for it: pgflow history --all"
            )
            : new(
                ExitCodes.Usage,
                $"{id} may be one of {found.Count} procedures",
                [.. found.Take(5).Select(run => run.WorkflowId)],
                "give more of its ID"
            );

    /// <returns>Null where there is no such workflow.</returns>
    private static async Task<string?> TypeOfAsync(ITemporalClient client, string id, CancellationToken cancel)
    {
        try
        {
            var rpc = new RpcOptions { CancellationToken = cancel };
            return (await client.GetWorkflowHandle(id).DescribeAsync(new() { Rpc = rpc })).WorkflowType;
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    private static CliError NoProcedure(string id, string type) =>
        new(
            ExitCodes.Usage,
            $"{id} is a {type}, and no procedure",
            hint: type is nameof(WatchCluster)
                ? "ask it: pgflow witness CLUSTER status"
                : "look for one: pgflow history"
        );

    private static async Task<IReadOnlyList<Run>> FindAsync(
        ITemporalClient client,
        string id,
        bool toDecide,
        CancellationToken cancel
    )
    {
        string[] runs = toDecide ? ["ExecutionStatus = 'Running'"] : [];
        if (id is Last)
        {
            var all = await Runs.HistoryAsync(client, runs, cancel);
            return toDecide ? all : [.. all.Take(1)];
        }

        return Fit().IsMatch(id)
            ? await Runs.HistoryAsync(client, [.. runs, $"WorkflowId STARTS_WITH '{id}'"], cancel)
            : [];
    }

    /// <summary>What is no ID of pgflow's making is no beginning of one, and has no place in a query.</summary>
    [GeneratedRegex("^[A-Za-z0-9._:-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Fit();
}

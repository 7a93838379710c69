using System.Text.RegularExpressions;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Client;

/// <summary>The procedure that a person means: by its whole ID, by a beginning that no other has, or as the last one.
/// Whoever decides something is asked whether it is that one.</summary>
internal static partial class MeantProcedure
{
    private const string Last = "last";

    /// <summary>Finds it, and says which one it is where that was not typed.</summary>
    public static async Task<WorkflowExecutionDescription> MeantAsync(
        this InvocationContext call,
        ITemporalClient client,
        bool toDecide,
        CancellationToken cancel
    )
    {
        if (await DescriptionAsync(client, call.Id, cancel) is { WorkflowType: var type } whole)
        {
            return ProcedureList.All.Any(one => one.Name == type) ? whole : throw NoProcedure(call.Id, type);
        }

        var found = await FindAsync(client, call.Id, cancel);
        if (found is not [var meant])
        {
            throw Ambiguous(call.Id, found);
        }

        if (toDecide)
        {
            await RequireMeantAsync(call, meant, cancel);
        }
        else
        {
            call.Terminal.WriteInfo(meant.WorkflowId);
        }

        return await DescriptionAsync(client, meant.WorkflowId, cancel) ?? throw Ambiguous(call.Id, []);
    }

    /// <summary>Another one may have begun, or ended, since a person has looked.</summary>
    private static async Task RequireMeantAsync(InvocationContext call, Run meant, CancellationToken cancel)
    {
        var what = $"{meant.WorkflowId}, {meant.Outcome}";
        if (!call.Terminal.Interactive)
        {
            throw new CliError(
                ExitCodes.Usage,
                $"{call.Id} may be {what}, and nobody is there to say so",
                hint: "give its whole ID"
            );
        }

        if (!await Terminal.ConfirmAsync(call.Terminal.Error, $"{what}: is it this one?", cancel))
        {
            throw new CliError(ExitCodes.Refused, "nothing was done", hint: "look for it: pgflow history");
        }
    }

    private static CliError Ambiguous(string id, IReadOnlyList<Run> found) =>
        found is []
            ? new(
                ExitCodes.Usage,
                id is Last ? "no procedure has run" : $"there is no procedure whose ID is {id} or begins so",
                hint: "look for it: pgflow history --all"
            )
            : new(
                ExitCodes.Usage,
                $"{id} may be one of {found.Count} procedures",
                [.. found.Take(5).Select(run => run.WorkflowId)],
                "give more of its ID"
            );

    /// <returns>Null where there is no such workflow.</returns>
    private static async Task<WorkflowExecutionDescription?> DescriptionAsync(
        ITemporalClient client,
        string id,
        CancellationToken cancel
    )
    {
        try
        {
            var rpc = new RpcOptions { CancellationToken = cancel };
            return await client.GetWorkflowHandle(id).DescribeAsync(new() { Rpc = rpc });
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
        CancellationToken cancel
    ) =>
        id is Last ? [.. (await Runs.HistoryAsync(client, [], cancel)).OrderBy(run => run.IsIdle).Take(1)]
        : Fit().IsMatch(id)
            ?
            [
                .. (await Runs.HistoryAsync(client, [$"WorkflowId STARTS_WITH '{id}'"], cancel)).DistinctBy(run =>
                    run.WorkflowId
                ), // one that was reset has several runs
            ]
        : [];

    /// <summary>What is no ID of pgflow's making is no beginning of one, and has no place in a query.</summary>
    [GeneratedRegex("^[A-Za-z0-9._:-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Fit();
}

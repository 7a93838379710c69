using System.Text.Json.Serialization;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Commands;

/// <summary>A schedule of a cluster, and how its last run ended.</summary>
/// <param name="Id">The schedule's ID.</param>
/// <param name="Procedure">The procedure.</param>
/// <param name="Paused">Whether somebody paused it.</param>
/// <param name="Next">When it starts next; null where it does not.</param>
/// <param name="Last">The last run that is still known; null where there is none.</param>
internal sealed record ScheduledRun(string Id, string Procedure, bool Paused, DateTimeOffset? Next, Run? Last)
{
    /// <summary>In one line.</summary>
    [JsonIgnore]
    public string Line =>
        $"⏲ {Procedure} "
        + $"{(Paused ? "paused" : Next is { } next ? $"next at {next:yyyy-MM-dd HH:mm}Z" : "never again")}; "
        + (
            Last is null
                ? "has not run yet"
                : $"last {Last.Outcome}, {Last.StartedAt:yyyy-MM-dd HH:mm}Z: {Last.WorkflowId}"
        );

    /// <summary>Those of a cluster.</summary>
    public static async Task<IReadOnlyList<ScheduledRun>> OfAsync(
        ITemporalClient client,
        string cluster,
        CancellationToken cancel
    )
    {
        var found = await Task.WhenAll(
            ProcedureList.All.Where(entry => entry.CanRepeat).Select(entry => FindAsync(client, entry, cluster, cancel))
        );
        return [.. found.OfType<ScheduledRun>()];
    }

    private static async Task<ScheduledRun?> FindAsync(
        ITemporalClient client,
        ProcedureEntry entry,
        string cluster,
        CancellationToken cancel
    )
    {
        var id = entry.ScheduleOf(cluster)!;
        try
        {
            var there = await client.GetScheduleHandle(id).DescribeAsync(new() { CancellationToken = cancel });
            return new(
                id,
                entry.Name,
                there.Schedule.State.Paused,
                there.Info.NextActionTimes.Select(time => (DateTimeOffset?)time).FirstOrDefault(),
                await LastAsync(client, there.Info, cancel)
            );
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    private static async Task<Run?> LastAsync(ITemporalClient client, ScheduleInfo info, CancellationToken cancel)
    {
        if (info.RecentActions.LastOrDefault()?.Action is not ScheduleActionExecutionStartWorkflow started)
        {
            return null;
        }

        try
        {
            var handle = client.GetWorkflowHandle(started.WorkflowId);
            return Run.Of(await handle.DescribeAsync(new() { Rpc = new() { CancellationToken = cancel } }));
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return null; // longer ago than Temporal keeps it
        }
    }
}

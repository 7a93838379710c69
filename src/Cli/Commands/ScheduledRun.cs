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
/// <param name="Last">The last run that has ended and is still known; null where there is none.</param>
internal sealed record ScheduledRun(string Id, string Procedure, bool Paused, DateTimeOffset? Next, Run? Last)
{
    /// <summary>Whether that one did not succeed: somebody has to look.</summary>
    public bool Failed => Last is { Outcome: not "succeeded" };

    /// <summary>In one line.</summary>
    [JsonIgnore]
    public string Line =>
        $"{(Failed ? "‼" : "⏲")} {Procedure} "
        + $"{(Paused ? "paused" : Next is { } next ? $"next at {ShownTime.Minute(next)}" : "never again")}; "
        + (
            Last is null
                ? "no run has ended yet"
                : $"last {Last.Outcome}, {ShownTime.Minute(Last.StartedAt)}: pgflow show {Last.WorkflowId}"
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
        var started = info.RecentActions.Select(action => action.Action).OfType<ScheduleActionExecutionStartWorkflow>();
        foreach (var action in started.Reverse())
        {
            try
            {
                var handle = client.GetWorkflowHandle(action.WorkflowId);
                var run = Run.Of(await handle.DescribeAsync(new() { Rpc = new() { CancellationToken = cancel } }));
                if (run.EndedAt is not null)
                {
                    return run;
                }
            }
            catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
            {
                return null; // longer ago than Temporal keeps it
            }
        }

        return null;
    }
}

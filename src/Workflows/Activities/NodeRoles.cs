using Temporalio.Activities;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Activities;

/// <summary>What decides which node is the primary: stops, fences, compares and promotes.</summary>
public interface IRoleActivities
{
    /// <summary>Post-condition: the server has written the checkpoint of its shutdown, and Docker won't start the
    /// container by itself; its end may come later.</summary>
    /// <param name="node">The node.</param>
    /// <param name="withinSeconds">How long its fast stop may take, over all attempts.</param>
    /// <param name="witness">A standby that is asked for that checkpoint, which is faster; for a second, then the node
    /// itself is.</param>
    [Activity]
    Task<CleanShutdown> StopPostgresAsync(NodeId node, int withinSeconds = StopLimit.Default, NodeId? witness = null);

    /// <summary>Post-condition: once it has ended, Docker does not start the node, and whoever does starts a
    /// standby.</summary>
    [Activity]
    Task MarkStandbyAsync(NodeId node);

    /// <summary>Post-condition: the container has ended, is on no network, won't be started by Docker, and would start
    /// as a standby.</summary>
    /// <param name="node">The node.</param>
    /// <param name="atOnce">Without the fast stop that a node which answers is given otherwise; it may have much to
    /// write first.</param>
    [Activity]
    Task FenceNodeAsync(NodeId node, bool atOnce = false);

    /// <summary>Post-condition: a node that was fenced, or marked and stopped, is as it was before: on its network,
    /// restarted by Docker, running if it ran, a standby if it was one.</summary>
    /// <param name="node">The node.</param>
    /// <param name="running">Whether it ran.</param>
    /// <param name="standby">Whether it was marked as a standby: a node that was not is ended when somebody has started
    /// it as one meanwhile. Null where nobody could tell: then its pg_control does.</param>
    /// <remarks>Refuses when another node accepts writes.</remarks>
    [Activity]
    Task UnfenceNodeAsync(NodeId node, bool running, bool? standby);

    /// <summary>Post-condition: the candidate has replayed beyond the old primary's shutdown checkpoint, on its
    /// timeline.</summary>
    [Activity]
    Task ProveShutdownReplayedAsync(NodeId candidate, CleanShutdown shutdown);

    /// <summary>How far a standby has got, when nobody sends any more; of one that does not answer, what its volume
    /// tells.</summary>
    /// <param name="node">The standby.</param>
    /// <param name="live">The live branch: WAL of other branches does not count; the node's own where it is not
    /// known.</param>
    [Activity]
    Task<Candidate> ObserveCandidateAsync(NodeId node, TimelineHistory? live);

    /// <summary>Post-condition: a standby that Docker has stopped runs again, where it can, which takes as long as it
    /// has to replay.</summary>
    [Activity]
    Task RestartCandidateAsync(NodeId node);

    /// <summary>Post-condition: it accepts writes on a timeline above <paramref name="from"/>, and Docker restarts
    /// it.</summary>
    [Activity]
    Task<Promotion> PromoteStandbyAsync(NodeId node, Timeline from);
}

/// <summary>How long a fast stop may take before it is undone.</summary>
internal static class StopLimit
{
    /// <summary>In seconds. By then its clients have waited long, and a checkpoint before it has left little to
    /// write.</summary>
    public const int Default = 90;

    /// <summary>Longer than anybody lets clients wait on purpose.</summary>
    private const int Longest = 60 * 60;

    /// <summary>What is wrong with a value that was given.</summary>
    public static IEnumerable<InputProblem> Problems(int seconds) =>
        seconds is < 1 or > Longest ? [new("stopWithinSeconds", $"{seconds} is not from 1 to {Longest}")] : [];
}

/// <summary>Where a node's WAL ended when it was stopped.</summary>
/// <param name="Timeline">Its timeline.</param>
/// <param name="Checkpoint">Where its shutdown checkpoint begins.</param>
public sealed record CleanShutdown(Timeline Timeline, Lsn Checkpoint)
{
    /// <summary>The standby that has been seen to have replayed it, and nothing behind it; null where none
    /// was.</summary>
    public NodeName? ReplayedBy { get; init; }
}

/// <summary>How far a standby has got.</summary>
/// <param name="Node">The standby.</param>
/// <param name="Timeline">Its timeline.</param>
/// <param name="End">The end of its valid WAL, replayed or not; null where that can't be told.</param>
public sealed record Candidate(NodeId Node, Timeline Timeline, Lsn? End)
{
    /// <summary>Whether its container runs.</summary>
    public bool Runs { get; init; } = true;

    /// <summary>Whether it runs and answers; what does not can't be promoted, and may still have most.</summary>
    public bool Answers { get; init; } = true;

    /// <summary>Whether somebody paused its replay: a promotion would hang.</summary>
    public bool ReplayPaused { get; init; }

    /// <summary>Whether it replays later on purpose (recovery_min_apply_delay).</summary>
    public bool Delayed { get; init; }

    /// <summary>Why the end of its WAL can't be told.</summary>
    public string? Unknown { get; init; }
}

/// <summary>A new timeline.</summary>
/// <param name="Node">Who writes it.</param>
/// <param name="Timeline">Its number.</param>
/// <param name="Parent">The timeline before it.</param>
/// <param name="SwitchedAt">The first position that is on the new one.</param>
public sealed record Promotion(NodeId Node, Timeline Timeline, Timeline Parent, Lsn SwitchedAt);

internal static class NodeRoles
{
    public static Task<CleanShutdown> StopAsync(NodeId node, int withinSeconds, NodeId? witness = null) =>
        ActivityCall.ChangeWithinAsync(
            (IRoleActivities activities) => activities.StopPostgresAsync(node, withinSeconds, witness),
            $"{node}: fast stop",
            TimeSpan.FromSeconds(withinSeconds)
        );

    public static Task MarkStandbyAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IRoleActivities activities) => activities.MarkStandbyAsync(node),
            $"{node}: can only start as a standby"
        );

    public static Task FenceAsync(NodeId node, bool atOnce = false) =>
        ActivityCall.ChangeAsync(
            (IRoleActivities activities) => activities.FenceNodeAsync(node, atOnce),
            $"{node}: fence (kill, off the networks, standby.signal)"
        );

    public static Task UnfenceAsync(NodeId node, bool running, bool? standby) =>
        ActivityCall.ChangeAsync(
            (IRoleActivities activities) => activities.UnfenceNodeAsync(node, running, standby),
            $"{node}: undo the fence"
        );

    /// <remarks>Asked for only where it was not seen yet: clients are waiting.</remarks>
    public static Task ProveReplayedAsync(NodeId candidate, CleanShutdown shutdown) =>
        shutdown.ReplayedBy == candidate.Name
            ? Task.CompletedTask
            : ActivityCall.QueryAsync(
                (IRoleActivities activities) => activities.ProveShutdownReplayedAsync(candidate, shutdown),
                $"{candidate}: has replayed the shutdown checkpoint",
                Duration.Medium
            );

    /// <summary>How far each has got. Where none runs any more, Docker has stopped them with its daemon: one did when
    /// this was planned.</summary>
    public static async Task<IReadOnlyList<Candidate>> CompareAsync(IReadOnlyList<NodeId> nodes, TimelineHistory? live)
    {
        var candidates = await ObserveAsync();
        if (candidates.Any(candidate => candidate.Runs))
        {
            return candidates;
        }

        await Workflow.WhenAllAsync(nodes.Select(RestartCandidateAsync).ToList());
        return await ObserveAsync();

        Task<Candidate[]> ObserveAsync() =>
            Workflow.WhenAllAsync(nodes.Select(node => ObserveCandidateAsync(node, live)).ToList());
    }

    public static Task<Promotion> PromoteAsync(NodeId node, Timeline from) =>
        ActivityCall.ChangeAsync(
            (IRoleActivities activities) => activities.PromoteStandbyAsync(node, from),
            $"{node}: promote from timeline {from}"
        );

    private static Task<Candidate> ObserveCandidateAsync(NodeId node, TimelineHistory? live) =>
        ActivityCall.QueryAsync(
            (IRoleActivities activities) => activities.ObserveCandidateAsync(node, live),
            $"Timeline and WAL of {node}",
            Duration.Long
        );

    private static Task RestartCandidateAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IRoleActivities activities) => activities.RestartCandidateAsync(node),
            $"{node}: start, if Docker has stopped it",
            Duration.Long
        );
}

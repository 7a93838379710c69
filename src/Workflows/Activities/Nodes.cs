using System.Text.Json.Serialization;
using Temporalio.Activities;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Activities;

/// <summary>Starts and configures single nodes.</summary>
public interface INodeActivities
{
    /// <summary>Post-condition: it runs, answers, follows the branch that its settings name, and Docker restarts it.
    /// Refuses to start a second writable node.</summary>
    [Activity]
    Task StartPostgresAsync(NodeId node);

    /// <summary>Post-condition: a node that runs is on the internal network, and Docker restarts it.</summary>
    [Activity]
    Task ConnectNodeAsync(NodeId node);

    /// <summary>Post-condition: what could be dirty has been written.</summary>
    [Activity]
    Task CheckpointAsync(NodeId node);

    /// <summary>Post-condition: a WAL summarizer that ran into errors, or was left off, has begun anew with the WAL
    /// that is there by then; where it fails again, it is off.</summary>
    /// <returns>Whether it gets on.</returns>
    [Activity]
    Task<bool> RestartSummarizerAsync(NodeId node);

    /// <summary>Post-condition: a stop is short: what could be dirty has been written, little is left of the WAL
    /// segment, the next one is there, and the WAL summarizer does not sleep after an error.</summary>
    [Activity]
    Task PrepareStopAsync(NodeId node);

    /// <summary>Post-condition: the standby has replayed a marker that was written to the primary after the call.
    /// Refuses when it makes no progress.</summary>
    [Activity]
    Task WaitForReplayAsync(NodeId standby, NodeId primary);

    /// <summary>
    /// Post-condition: the node's own file has these settings and a running node uses them, from that file; it has the
    /// history of the branch to follow, which it reads at its next start.
    /// </summary>
    [Activity]
    Task WriteSettingsAsync(NodeSettings settings);

    /// <summary>
    /// Post-condition: the node has a reserved physical slot for each of <paramref name="others"/> and for no further
    /// node. What others made stays, but for a slot that would keep a
    /// standby from copying the primary's of the same name.
    /// </summary>
    [Activity]
    Task SetReplicationSlotsAsync(NodeId node, IReadOnlyList<NodeName> others);

    /// <summary>Post-condition: a record of this name is in the primary's WAL.</summary>
    /// <returns>The end of that record.</returns>
    [Activity]
    Task<RestorePoint> CreateRestorePointRecordAsync(NodeId primary, string name);

    /// <summary>Post-condition: the standby streams from the primary and has replayed a marker written after it
    /// joined.</summary>
    [Activity]
    Task ProveStreamingAsync(NodeId standby, NodeId primary);
}

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

/// <summary>What PgFlow's own settings file of a node says beyond what is the same everywhere.</summary>
/// <param name="Node">The node.</param>
/// <param name="Upstream">Whom it follows; null for the primary.</param>
/// <param name="Synchronous">Whether the cluster is meant to be synchronous.</param>
/// <param name="SynchronousStandbys">Of whom one must confirm each commit; none where that can't be met now.</param>
/// <param name="ReadOnly">Whether the cluster is meant to be read-only.</param>
/// <param name="Recovery">How far it replays what a recovery has put beside its data; null for a node that serves or
/// follows.</param>
/// <param name="Timeline">The branch that it follows, whatever other histories there are; null for a primary, which
/// stays on its own were it started as a standby.</param>
public sealed record NodeSettings(
    NodeId Node,
    NodeName? Upstream = null,
    bool Synchronous = false,
    IReadOnlyList<NodeName>? SynchronousStandbys = null,
    bool ReadOnly = false,
    RecoverySettings? Recovery = null,
    Timeline? Timeline = null
)
{
    /// <summary>How many of the standbys confirm a commit.</summary>
    internal const int Quorum = 1;

    /// <summary>The value of synchronous_standby_names.</summary>
    [JsonIgnore]
    public string SynchronousStandbyNames =>
        SynchronousStandbys is { Count: > 0 } standbys ? $"ANY {Quorum} ({string.Join(", ", standbys)})" : "";
}

/// <summary>What a recovering node replays.</summary>
/// <param name="Timeline">Along which branch.</param>
/// <param name="Before">The first position that is not replayed; null for all that there is.</param>
public sealed record RecoverySettings(Timeline Timeline, Lsn? Before);

internal static class Nodes
{
    public static Task StartAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.StartPostgresAsync(node),
            $"{node}: start",
            Duration.Long
        );

    public static Task ConnectAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.ConnectNodeAsync(node),
            $"{node}: on the internal network, restarted by Docker"
        );

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

    public static Task CheckpointAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.CheckpointAsync(node),
            $"{node}: CHECKPOINT",
            Duration.Long
        );

    public static Task<bool> RestartSummarizerAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.RestartSummarizerAsync(node),
            $"{node}: a WAL summarizer that fails begins anew",
            Duration.Long
        );

    public static Task PrepareStopAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.PrepareStopAsync(node),
            $"{node}: little to write at its stop",
            Duration.Long
        );

    public static Task WaitForReplayAsync(NodeId standby, NodeId primary) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.WaitForReplayAsync(standby, primary),
            $"{standby}: replay what {primary} wrote",
            Duration.Long
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

    public static Task ConfigureAsync(NodeSettings settings) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.WriteSettingsAsync(settings),
            $"{settings.Node}: settings"
        );

    public static Task SetSlotsAsync(NodeId node, IReadOnlyList<NodeName> others) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.SetReplicationSlotsAsync(node, others),
            $"{node}: slots {(others.Count == 0 ? "dropped" : $"for {string.Join(", ", others)}")}"
        );

    public static Task ProveStreamingAsync(NodeId standby, NodeId primary) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.ProveStreamingAsync(standby, primary),
            $"{standby}: streams from {primary} and has replayed a marker",
            Duration.Long
        );

    public static Task<RestorePoint> CreatePointAsync(NodeId primary, string name) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.CreateRestorePointRecordAsync(primary, name),
            $"{primary}: restore point {name}"
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

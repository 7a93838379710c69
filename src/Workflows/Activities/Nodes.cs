using Temporalio.Activities;

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

    /// <summary>Post-condition: each commit on the running primary waits for as many standbys as are meant to confirm
    /// it, or as stream by now; and what was acknowledged before is on as many of those that are asked now.</summary>
    /// <param name="settings">The primary's; of whom confirmation is demanded is found here.</param>
    /// <param name="without">Who is not asked any more.</param>
    /// <param name="least">So many confirm at least, or nothing is changed.</param>
    [Activity]
    Task DemandConfirmationsAsync(NodeSettings settings, IReadOnlyList<NodeName> without, int least);

    /// <summary>Post-condition: the node's own file says how many standbys are to confirm each commit, for when it
    /// becomes the primary; all else in it is as it was, and nothing that it does now depends on it.</summary>
    [Activity]
    Task WriteQuorumAsync(NodeId node, int quorum);

    /// <summary>Post-condition: the node's own file says which nodes the cluster is meant to have; all else in it is as
    /// it was, and nothing that it does now depends on it.</summary>
    [Activity]
    Task WriteMembersAsync(NodeId node, IReadOnlyList<NodeName> members);

    /// <summary>Post-condition: the node's own file says whether transactions may write, and a running node uses that;
    /// nothing else in the file has changed.</summary>
    [Activity]
    Task SetReadOnlyAsync(NodeId node, bool isOn);

    /// <summary>
    /// Post-condition: the node has a reserved physical slot for each of <paramref name="others"/>, none for
    /// <paramref name="gone"/>, and for a further node only where somebody uses it. What others made stays, but for a
    /// slot that would keep a standby from copying the primary's of the same name.
    /// </summary>
    [Activity]
    Task SetReplicationSlotsAsync(NodeId node, IReadOnlyList<NodeName> others, NodeName? gone);

    /// <summary>Post-condition: a record of this name is in the primary's WAL.</summary>
    /// <returns>The end of that record.</returns>
    [Activity]
    Task<RestorePoint> CreateRestorePointRecordAsync(NodeId primary, string name);

    /// <summary>Post-condition: the standby streams from the primary and has replayed a marker written after it
    /// joined.</summary>
    [Activity]
    Task ProveStreamingAsync(NodeId standby, NodeId primary);
}

/// <summary>What PgFlow's own settings file of a node says beyond what is the same everywhere.</summary>
/// <param name="Node">The node.</param>
/// <param name="Upstream">Whom it follows; null for the primary.</param>
/// <param name="Quorum">How many standbys are to confirm each commit, whoever is the primary; 0 where the cluster is
/// meant to be asynchronous.</param>
/// <param name="SynchronousStandbyNames">Of whom commits demand confirmation.</param>
/// <param name="ReadOnly">Whether the cluster is meant to be read-only.</param>
/// <param name="Recovery">How far it replays what a recovery has put beside its data; null for a node that serves or
/// follows.</param>
/// <param name="Timeline">The branch that it follows, whatever other histories there are; null for a primary, which
/// stays on its own were it started as a standby.</param>
public sealed record NodeSettings(
    NodeId Node,
    NodeName? Upstream = null,
    int Quorum = 0,
    string SynchronousStandbyNames = "",
    bool ReadOnly = false,
    RecoverySettings? Recovery = null,
    Timeline? Timeline = null
)
{
    /// <summary>The nodes that the cluster is meant to have.</summary>
    public IReadOnlyList<NodeName> Members { get; init; } = [];
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

    public static Task ConfigureAsync(NodeSettings settings) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.WriteSettingsAsync(settings),
            $"{settings.Node}: settings"
        );

    public static Task DemandConfirmationsAsync(
        NodeSettings settings,
        IReadOnlyList<NodeName>? without = null,
        int least = 0
    ) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) =>
                activities.DemandConfirmationsAsync(settings, without ?? Array.Empty<NodeName>(), least),
            $"{settings.Node}: who confirms its commits",
            Duration.Long
        );

    public static Task RememberQuorumAsync(NodeId node, int quorum) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.WriteQuorumAsync(node, quorum),
            $"{node}: {PgFlowText.Count(quorum, "standby")} to confirm each commit, in its settings"
        );

    public static Task RememberMembersAsync(NodeId node, IReadOnlyList<NodeName> members) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.WriteMembersAsync(node, members),
            $"{node}: the cluster's nodes are {string.Join(", ", members)}, in its settings"
        );

    public static Task SetReadOnlyAsync(NodeId node, bool isOn) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.SetReadOnlyAsync(node, isOn),
            $"{node}: default_transaction_read_only {(isOn ? "on" : "off")}"
        );

    public static Task SetSlotsAsync(NodeId node, IReadOnlyList<NodeName> others, NodeName? gone = null) =>
        ActivityCall.ChangeAsync(
            (INodeActivities activities) => activities.SetReplicationSlotsAsync(node, others, gone),
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
}

using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>Replaces the data directory of a stopped node. The old one is set aside until the procedure has
/// succeeded.</summary>
public interface IDataDirectoryActivities
{
    /// <summary>What decides how a stopped node can rejoin as a standby of <paramref name="primary"/>.</summary>
    [Activity]
    Task<Divergence> ExamineDivergenceAsync(NodeId node, NodeId primary);

    /// <summary>Post-condition: the node's data continues where the primary's line does; it can only start as a
    /// standby.</summary>
    /// <returns>Whether pg_rewind could do it; if not, why, and the directory stays set aside.</returns>
    [Activity]
    Task<RewindResult> RewindDataAsync(NodeId node, NodeId primary);

    /// <summary>Post-condition: a fresh copy of the primary lies beside the node's data directory, complete and
    /// synced.</summary>
    [Activity]
    Task CopyPrimaryAsync(NodeId node, NodeId primary);

    /// <summary>Post-condition: the copy is the stopped node's data directory, the one before it is set
    /// aside.</summary>
    [Activity]
    Task SwapInCopyAsync(NodeId node);

    /// <summary>Post-condition: the data directory from before <see cref="SwapInCopyAsync"/> is the node's
    /// again.</summary>
    [Activity]
    Task SwapBackAsync(NodeId node);
}

/// <summary>A stopped node's data beside the primary's line.</summary>
/// <param name="SameSystem">Whether both have the same system identifier.</param>
/// <param name="Control">What the node's pg_control says.</param>
/// <param name="StandbySignal">Whether it would start as a standby.</param>
/// <param name="Timeline">The timeline of its last checkpoint or of its minimum recovery point.</param>
/// <param name="End">What it must have replayed at least: its shutdown checkpoint's start, or its minimum recovery
/// point.</param>
/// <param name="CanRewind">Whether it has checksums or wal_log_hints.</param>
/// <param name="PrimaryTimeline">The primary's timeline.</param>
/// <param name="PrimaryWal">The end of the primary's WAL.</param>
/// <param name="LeftAt">Where the primary's line left the node's timeline; null when it never was on it, or still
/// is.</param>
/// <param name="Namesake">Whether the node's timeline only shares its number with one of the primary's line: two
/// promotions took the same.</param>
public sealed record Divergence(
    bool SameSystem,
    ControlState Control,
    bool StandbySignal,
    Timeline Timeline,
    Lsn End,
    bool CanRewind,
    Timeline PrimaryTimeline,
    Lsn PrimaryWal,
    Lsn? LeftAt,
    bool Namesake = false
);

/// <summary>What pg_rewind did.</summary>
/// <param name="Done">Whether the node can follow now.</param>
/// <param name="Why">What it said last.</param>
public sealed record RewindResult(bool Done, string Why);

internal static class DataDirectories
{
    public static Task<Divergence> ExamineAsync(NodeId node, NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IDataDirectoryActivities activities) => activities.ExamineDivergenceAsync(node, primary),
            $"{node}: where did it leave {primary}'s line?"
        );

    public static Task<RewindResult> RewindAsync(NodeId node, NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IDataDirectoryActivities activities) => activities.RewindDataAsync(node, primary),
            $"{node}: pg_rewind to {primary}'s line",
            Duration.Long
        );

    public static Task CopyAsync(NodeId node, NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IDataDirectoryActivities activities) => activities.CopyPrimaryAsync(node, primary),
            $"{node}: copy of {primary} (pg_basebackup)",
            Duration.Long
        );

    public static Task SwapAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IDataDirectoryActivities activities) => activities.SwapInCopyAsync(node),
            $"{node}: use the copy"
        );

    public static Task SwapBackAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IDataDirectoryActivities activities) => activities.SwapBackAsync(node),
            $"{node}: use the old data directory again"
        );
}

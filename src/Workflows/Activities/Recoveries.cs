using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>Brings a stopped node to a position in a cluster's past. Its data of today is not touched.</summary>
public interface IRecoveryActivities
{
    /// <summary>Post-condition: what <see cref="RestoreBackupAsync"/> copies and can't change any more is being copied,
    /// beside the data of a node that may still run.</summary>
    [Activity]
    Task BeginRestoreAsync(NodeId node, ClusterName source, ResolvedTarget target);

    /// <summary>Post-condition: the target's backup, and all the WAL from it to the target, lie beside the node's data
    /// directory; it can only start as a standby.</summary>
    /// <remarks>The node keeps its own postgresql.conf of today: settings are no data, and may have been raised since
    /// the backup.</remarks>
    /// <param name="node">The node.</param>
    /// <param name="source">The cluster whose repository has the backup; another than the node's for a clone.</param>
    /// <param name="target">From where to where.</param>
    [Activity]
    Task RestoreBackupAsync(NodeId node, ClusterName source, ResolvedTarget target);

    /// <summary>Post-condition: all the WAL up to a target that was moved on lies in the stopped node's data
    /// directory.</summary>
    [Activity]
    Task FetchWalAsync(NodeId node, ClusterName source, ResolvedTarget target);

    /// <summary>Post-condition: the node runs in recovery, has replayed everything up to the target, and nothing behind
    /// it.</summary>
    [Activity]
    Task<Replayed> ReplayWalAsync(NodeId node, ResolvedTarget target);
}

/// <summary>How far a recovering node has got.</summary>
/// <param name="Lsn">The end of the last record replayed.</param>
/// <param name="LastCommit">The time of the last commit or abort replayed; null where there was none.</param>
/// <param name="Raised">Settings that had to be raised, since the WAL was written with more.</param>
public sealed record Replayed(Lsn Lsn, DateTimeOffset? LastCommit, IReadOnlyList<string> Raised);

internal static class Recoveries
{
    public static Task BeginRestoreAsync(NodeId node, ClusterName source, ResolvedTarget target) =>
        ActivityCall.ChangeAsync(
            (IRecoveryActivities activities) => activities.BeginRestoreAsync(node, source, target),
            $"{node}: begin to copy {target.Backups[^1]} beside its data"
        );

    public static Task RestoreAsync(NodeId node, ClusterName source, ResolvedTarget target) =>
        ActivityCall.ChangeAsync(
            (IRecoveryActivities activities) => activities.RestoreBackupAsync(node, source, target),
            $"{node}: restore {target.Backups[^1]} beside its data",
            Duration.Long
        );

    public static Task FetchWalAsync(NodeId node, ClusterName source, ResolvedTarget target) =>
        ActivityCall.ChangeAsync(
            (IRecoveryActivities activities) => activities.FetchWalAsync(node, source, target),
            $"{node}: WAL up to {target.End}",
            Duration.Long
        );

    public static Task<Replayed> ReplayAsync(NodeId node, ResolvedTarget target) =>
        ActivityCall.ChangeAsync(
            (IRecoveryActivities activities) => activities.ReplayWalAsync(node, target),
            $"{node}: replay up to {target.End} on timeline {target.Timeline}",
            Duration.Long
        );
}

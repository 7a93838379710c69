using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>Base backups in the repository: <c>backups/ID</c>, staged as <c>backups/.ID.new</c>. Only a published one
/// counts.</summary>
public interface IBackupActivities
{
    /// <summary>What an incremental backup of <paramref name="source"/> can build on.</summary>
    [Activity]
    Task<BackupParent> ChooseBackupParentAsync(NodeId source);

    /// <summary>Post-condition: a complete copy of the source is staged. Refuses one whose timeline changed
    /// meanwhile.</summary>
    /// <returns>What its manifest says.</returns>
    [Activity]
    Task<Backup> CopyToRepositoryAsync(BackupOrder order);

    /// <summary>Proves that the staged files are as the manifest says, that every segment of its WAL is archived, and
    /// that the primary is still on its timeline.</summary>
    [Activity]
    Task ProveBackupAsync(NodeId primary, Backup backup);

    /// <summary>Post-condition: the staged backup is published.</summary>
    [Activity]
    Task PublishBackupAsync(ClusterName cluster, Backup backup);

    /// <summary>Post-condition: nothing that this procedure staged, and none of its jobs, is left.</summary>
    [Activity]
    Task DiscardBackupAsync(ClusterName cluster);

    /// <summary>Proves that a target can be recovered, in a container of its own without network; nothing of the
    /// cluster is changed.</summary>
    /// <remarks>
    /// Post-condition: it was recovered, promoted and checked, and its backup is marked as verified. It breaks with
    /// evidence of damage; what keeps it from finding
    /// out, with whatever is not the backup's fault, is a refusal.
    /// </remarks>
    [Activity]
    Task<Verification> VerifyRecoveryAsync(ClusterName cluster, ResolvedTarget target);

    /// <summary>Post-condition: these backups and this WAL are gone; histories stay.</summary>
    [Activity]
    Task RemoveBackupsAsync(ClusterName cluster, ExpirationSet unneeded);
}

/// <summary>A backup to take.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Source">The node that is copied.</param>
/// <param name="Primary">The primary.</param>
/// <param name="Parent">The backup that it builds on; null for a full one.</param>
/// <param name="Annotation">A note of whoever takes it.</param>
/// <param name="OrPrimary">The primary is copied where this node can't be, so it is not tried again.</param>
public sealed record BackupOrder(
    string Id,
    NodeId Source,
    NodeId Primary,
    string? Parent = null,
    string? Annotation = null,
    bool OrPrimary = false
);

/// <summary>What an incremental backup can build on.</summary>
/// <param name="Id">The backup; null where there is none.</param>
/// <param name="WhyFull">Why there is none.</param>
public sealed record BackupParent(string? Id, string? WhyFull = null);

/// <summary>What a trial recovery took.</summary>
/// <param name="RestoreSeconds">For the copy, and for the WAL beside it.</param>
/// <param name="ReplaySeconds">From the start to the promotion.</param>
/// <param name="CheckSeconds">For reading every table and B-tree.</param>
/// <param name="Bytes">What was recovered.</param>
/// <param name="At">When it was proven.</param>
public sealed record Verification(
    int RestoreSeconds,
    int ReplaySeconds,
    int CheckSeconds,
    long Bytes,
    DateTimeOffset At
);

/// <summary>What is to be removed; WAL as runs, since its names can be many.</summary>
/// <param name="Backups">The backups' IDs.</param>
/// <param name="Wal">The segments.</param>
/// <param name="SegmentSize">Bytes in a segment.</param>
public sealed record ExpirationSet(IReadOnlyList<string> Backups, IReadOnlyList<SegmentRun> Wal, long SegmentSize)
{
    internal long SegmentCount => Wal.Sum(run => (long)(run.Last - run.First) + 1);

    /// <summary>The names of the segments' files.</summary>
    public IEnumerable<string> Segments() =>
        Wal.SelectMany(run =>
            Enumerable
                .Range(0, (int)(run.Last - run.First) + 1)
                .Select(number => WalSegments.Name(run.Timeline, run.First + (ulong)number, SegmentSize))
        );
}

internal static class Backups
{
    public static Task<BackupParent> ChooseParentAsync(NodeId source) =>
        ActivityCall.QueryAsync(
            (IBackupActivities activities) => activities.ChooseBackupParentAsync(source),
            $"{source}: what can an incremental backup build on?"
        );

    public static Task<Backup> CopyAsync(BackupOrder order) =>
        ActivityCall.ChangeAsync(
            (IBackupActivities activities) => activities.CopyToRepositoryAsync(order),
            $"{order.Source}: copy into the repository as {order.Id} (pg_basebackup)",
            Duration.Long
        );

    public static Task ProveAsync(NodeId primary, Backup backup) =>
        ActivityCall.QueryAsync(
            (IBackupActivities activities) => activities.ProveBackupAsync(primary, backup),
            $"{backup.Id}: its WAL is archived, pg_verifybackup passes",
            Duration.Long
        );

    public static Task PublishAsync(ClusterName cluster, Backup backup) =>
        ActivityCall.ChangeAsync(
            (IBackupActivities activities) => activities.PublishBackupAsync(cluster, backup),
            $"{backup.Id}: publish"
        );

    public static Task DiscardAsync(ClusterName cluster) =>
        ActivityCall.ChangeAsync(
            (IBackupActivities activities) => activities.DiscardBackupAsync(cluster),
            $"{cluster}: throw away what was staged",
            Duration.Long
        );

    public static Task<Verification> VerifyAsync(ClusterName cluster, ResolvedTarget target) =>
        ActivityCall.ChangeAsync(
            (IBackupActivities activities) => activities.VerifyRecoveryAsync(cluster, target),
            $"{target.Backups[^1]}: recover it on trial up to {target.End}, check it (pg_amcheck)",
            Duration.Long
        );

    public static Task RemoveAsync(ClusterName cluster, ExpirationSet unneeded) =>
        ActivityCall.ChangeAsync(
            (IBackupActivities activities) => activities.RemoveBackupsAsync(cluster, unneeded),
            $"{cluster}: remove what no kept backup needs",
            Duration.Long
        );
}

using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PgFlow.Workflows.Activities;

/// <summary>Reads what the repository tells of a cluster's past. Changes nothing but its own index of the WAL's
/// times.</summary>
public interface IRepositoryActivities
{
    /// <summary>The branches with their newest backups and restore points, by the archive and by what lies unarchived
    /// in the nodes' volumes.</summary>
    [Activity]
    Task<TimelineTree> ReadTimelinesAsync(ClusterName cluster);

    /// <summary>What a policy lets go, with a backup that is still to come where there is one.</summary>
    [Activity]
    Task<Retention> FindExpiredAsync(ClusterName cluster, RetentionPolicy policy, ExpectedBackup? expected);

    /// <summary>What there is for a recovery of today, and what is missing.</summary>
    [Activity]
    Task<ArchiveState> InspectArchiveAsync(ClusterName cluster);

    /// <summary>What a target comes to. Refuses one that is not recoverable, and says what is.</summary>
    [Activity]
    Task<ResolvedTarget> ResolveTargetAsync(ClusterName cluster, RecoveryTarget target);

    /// <summary>What the ledger lacks and the WAL tells. Reads all WAL that there is.</summary>
    [Activity]
    Task<Unrecorded> FindUnrecordedAsync(ClusterName cluster);
}

internal static class Repositories
{
    public static Task<TimelineTree> ReadAsync(ClusterName cluster) =>
        ActivityCall.QueryAsync(
            (IRepositoryActivities activities) => activities.ReadTimelinesAsync(cluster),
            $"{cluster}: timelines, backups, restore points, WAL"
        );

    public static Task<Retention> FindExpiredAsync(
        ClusterName cluster,
        RetentionPolicy policy,
        ExpectedBackup? expected = null
    ) =>
        ActivityCall.QueryAsync(
            (IRepositoryActivities activities) => activities.FindExpiredAsync(cluster, policy, expected),
            $"{cluster}: what {policy} does not need"
        );

    public static Task<ArchiveState> InspectAsync(ClusterName cluster) =>
        ActivityCall.QueryAsync(
            (IRepositoryActivities activities) => activities.InspectArchiveAsync(cluster),
            $"{cluster}: last backup, gaps in the archive"
        );

    /// <summary>The same, but for callers that can go on without: what keeps it from being read is part of the
    /// answer.</summary>
    public static async Task<ArchiveState> GlanceAsync(ClusterName cluster)
    {
        try
        {
            return await ActivityCall.QueryAsync(
                (IRepositoryActivities activities) => activities.InspectArchiveAsync(cluster),
                $"{cluster}: which branch is live?",
                Duration.Glance
            );
        }
        catch (ActivityFailureException e) when (!TemporalException.IsCanceledException(e))
        {
            return new() { Unreadable = TemporalFailures.Why(e) };
        }
    }

    public static Task<ResolvedTarget> ResolveAsync(ClusterName cluster, RecoveryTarget target) =>
        ActivityCall.QueryAsync(
            (IRepositoryActivities activities) => activities.ResolveTargetAsync(cluster, target),
            $"{cluster}: branch, position and backup of the target",
            Duration.Long
        );

    public static Task<Unrecorded> FindUnrecordedAsync(ClusterName cluster) =>
        ActivityCall.QueryAsync(
            (IRepositoryActivities activities) => activities.FindUnrecordedAsync(cluster),
            $"{cluster}: what the WAL tells and the ledger does not",
            Duration.Long
        );
}

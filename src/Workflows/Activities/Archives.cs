using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>The WAL archive and the histories of all timelines.</summary>
public interface IArchiveActivities
{
    /// <summary>Post-condition: every complete segment of a stopped node is in the archive; its unfinished last one
    /// lies there as <c>SEGMENT.tail.NODE</c>, which no node's restore_command serves.</summary>
    /// <returns>How many files were new to the archive.</returns>
    [Activity]
    Task<int> SalvageWalAsync(NodeId node);

    /// <summary>Post-condition: what the archive in a stopped node's own volume has and no other archive of the cluster
    /// is in the repository's; nothing to do where all nodes archive there.</summary>
    [Activity]
    Task KeepArchiveAsync(NodeId node);

    /// <summary>Post-condition: the histories of all timelines that a running primary knows are in the
    /// archive.</summary>
    [Activity]
    Task PublishTimelineHistoryAsync(NodeId primary);

    /// <summary>Post-condition: every complete segment of earlier timelines that the primary has is in the
    /// archive.</summary>
    /// <returns>How many the archive lacked.</returns>
    [Activity]
    Task<int> CompleteArchiveAsync(NodeId primary);

    /// <summary>Post-condition: a segment that holds a marker written after the call is in the archive.</summary>
    [Activity]
    Task ProveArchivingAsync(NodeId primary);

    /// <summary>What a fenced old primary wrote beyond the point where the new timeline began, read from its records;
    /// unknown with its reason where it can't be read.</summary>
    [Activity]
    Task<Loss> MeasureLossAsync(NodeId old, Promotion promotion);
}

/// <summary>What a failover left behind: measured, or unknown.</summary>
/// <param name="Bytes">Bytes of WAL that nobody else has; 0 only where the end of the old primary's WAL was found and
/// proves it; null where that is unknown.</param>
/// <param name="Transactions">Commits in it.</param>
/// <param name="Unknown">Why it is unknown; null where it was measured.</param>
public sealed record Loss(long? Bytes, int? Transactions, string? Unknown = null);

internal static class Archives
{
    public static Task<int> SalvageAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IArchiveActivities activities) => activities.SalvageWalAsync(node),
            $"{node}: unarchived WAL into the archive",
            Duration.Long
        );

    public static Task KeepAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IArchiveActivities activities) => activities.KeepArchiveAsync(node),
            $"{node}: what only its own archive has, into the repository",
            Duration.Long
        );

    public static Task PublishHistoryAsync(NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IArchiveActivities activities) => activities.PublishTimelineHistoryAsync(primary),
            $"{primary}: timeline history into the archive"
        );

    public static Task<int> CompleteAsync(NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IArchiveActivities activities) => activities.CompleteArchiveAsync(primary),
            $"{primary}: segments of earlier timelines into the archive",
            Duration.Long
        );

    public static Task ProveAsync(NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IArchiveActivities activities) => activities.ProveArchivingAsync(primary),
            $"{primary}: a segment arrives in the archive"
        );

    public static Task<Loss> MeasureLossAsync(NodeId old, Promotion promotion) =>
        ActivityCall.QueryAsync(
            (IArchiveActivities activities) => activities.MeasureLossAsync(old, promotion),
            $"{old}: what it wrote after {promotion.SwitchedAt}",
            Duration.Long
        );
}

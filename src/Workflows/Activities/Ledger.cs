using System.Text.Json.Serialization;
using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>The cluster's memory: immutable files in its repository.</summary>
public interface ILedgerActivities
{
    /// <summary>Post-condition: the report is in the ledger, once. Nothing where the cluster has no
    /// repository.</summary>
    [Activity]
    Task RecordProcedureAsync(Report report);

    /// <summary>Post-condition: the report of what a run has decided, which goes on, is in the ledger, once.</summary>
    [Activity]
    Task RecordDecisionAsync(Report report);

    /// <summary>Post-condition: the opening of a timeline is in the ledger, once.</summary>
    [Activity]
    Task RecordTimelineAsync(TimelineOpened opened);

    /// <summary>Post-condition: the ledger has an opening of each of these timelines and a restore point of each of
    /// these names; what it had before counts, and stays as it was.</summary>
    [Activity]
    Task CompleteLedgerAsync(
        ClusterName cluster,
        IReadOnlyList<TimelineOpened> openings,
        IReadOnlyList<RestorePoint> points
    );

    /// <summary>Which of these timelines' openings, and of these restore points, the ledger lacks; in words.</summary>
    [Activity]
    Task<IReadOnlyList<string>> ProveLedgerAsync(
        ClusterName cluster,
        IReadOnlyList<Timeline> openings,
        IReadOnlyList<string> points
    );

    /// <summary>The restore point of this name; null when there is none.</summary>
    [Activity]
    Task<RestorePoint?> FindRestorePointAsync(ClusterName cluster, string name);

    /// <summary>Post-condition: the restore point is in the ledger, once.</summary>
    [Activity]
    Task RecordRestorePointAsync(ClusterName cluster, RestorePoint point);
}

/// <summary>A timeline begins.</summary>
/// <param name="Node">Who writes it; null where it was read from the WAL, which does not tell.</param>
/// <param name="Timeline">Its number.</param>
/// <param name="Parent">The one before; null for the first.</param>
/// <param name="SwitchedAt">The first position that is on it.</param>
/// <param name="OpenedAt">When.</param>
/// <param name="Procedure">By which procedure's workflow; where it was read from the WAL, which one did that.</param>
/// <param name="Kind">By which procedure: a failover or switchover continues its parent, a recovery leaves the branch
/// that was live. The WAL tells only of <see cref="Promotion"/> and <see cref="Initdb"/>.</param>
/// <param name="PreviousEndedAt">When the timeline that was live before could be written to last; where that was read
/// from the WAL, the last time in it.</param>
/// <param name="Continued">Whether it goes on where the branch that was live ended, where the kind does not
/// tell.</param>
public sealed record TimelineOpened(
    NodeId? Node,
    Timeline Timeline,
    Timeline? Parent,
    Lsn SwitchedAt,
    DateTimeOffset OpenedAt,
    string Procedure,
    string Kind = "",
    DateTimeOffset? PreviousEndedAt = null,
    bool? Continued = null
)
{
    /// <summary>How the WAL tells of every later timeline: not whether it was a failover, a switchover or a
    /// recovery.</summary>
    public const string Promotion = "promotion";

    /// <summary>How the WAL tells of the first one.</summary>
    public const string Initdb = "initdb";

    /// <summary>Whether it goes on where its parent ended, as after a failover; a recovery turns away from the branch
    /// that was live.</summary>
    [JsonIgnore]
    public bool Continues => Continued ?? Kind is nameof(Failover) or nameof(Switchover);
}

internal static class Ledger
{
    public static Task RecordAsync(Report report) =>
        ActivityCall.ChangeAsync(
            (ILedgerActivities activities) => activities.RecordProcedureAsync(report),
            "Record in the ledger",
            Duration.Short
        );

    public static Task RecordDecisionAsync(Report report) =>
        ActivityCall.ChangeAsync(
            (ILedgerActivities activities) => activities.RecordDecisionAsync(report),
            "Record in the ledger",
            Duration.Short
        );

    public static Task OpenTimelineAsync(TimelineOpened opened) =>
        ActivityCall.ChangeAsync(
            (ILedgerActivities activities) => activities.RecordTimelineAsync(opened),
            $"Timeline {opened.Timeline} into the ledger"
        );

    public static Task CompleteAsync(
        ClusterName cluster,
        IReadOnlyList<TimelineOpened> openings,
        IReadOnlyList<RestorePoint> points
    ) =>
        ActivityCall.ChangeAsync(
            (ILedgerActivities activities) => activities.CompleteLedgerAsync(cluster, openings, points),
            $"{cluster}: what the WAL tells into the ledger"
        );

    public static Task<IReadOnlyList<string>> FindLackingAsync(
        ClusterName cluster,
        IReadOnlyList<Timeline> openings,
        IReadOnlyList<string> points
    ) =>
        ActivityCall.QueryAsync(
            (ILedgerActivities activities) => activities.ProveLedgerAsync(cluster, openings, points),
            $"{cluster}: does the ledger have it all?"
        );

    public static Task<RestorePoint?> FindPointAsync(ClusterName cluster, string name) =>
        ActivityCall.QueryAsync(
            (ILedgerActivities activities) => activities.FindRestorePointAsync(cluster, name),
            $"Is there a restore point {name} already?"
        );

    public static Task AddPointAsync(ClusterName cluster, RestorePoint point) =>
        ActivityCall.ChangeAsync(
            (ILedgerActivities activities) => activities.RecordRestorePointAsync(cluster, point),
            $"Restore point {point.Name} into the ledger"
        );
}

namespace PgFlow.Workflows.Recovery;

/// <summary>How a resolved target is said to people.</summary>
internal static class TargetText
{
    /// <summary>What decides the recovery, as data; nothing in it changes while the branch grows.</summary>
    public static object Decision(ResolvedTarget target) =>
        new
        {
            target.Timeline,
            End = target.EndOfBranch ? (Lsn?)null : target.End,
            LastKept = target.EndOfBranch ? null : target.LastKept,
            target.FirstDropped,
            target.Backups,
            target.NewTimeline,
        };

    /// <summary>The same for people.</summary>
    public static IReadOnlyList<string> Facts(ResolvedTarget target) =>
        [
            $"branch: timeline {target.Timeline}; {target.Why}",
            $"position: {(target.EndOfBranch ? "the end of the branch" : target.End.ToString())}",
            "last transaction kept: "
                + $"{Describe(target.EndOfBranch ? null : target.LastKept, "all that the branch has")}",
            $"first transaction dropped: {Describe(target.FirstDropped, "none")}",
            "backup: "
                + string.Join(" + ", target.Backups)
                + (target.BackupBytes > 0 ? $", {PgFlowText.Bytes(target.BackupBytes)}" : ""),
            $"WAL: from {target.Wal[0].Start} over timelines "
                + string.Join(", ", target.Wal.Select(range => range.Timeline))
                + (target.EndOfBranch ? "" : $", {PgFlowText.Bytes(target.WalBytes)}")
                + "; no gap",
            $"new timeline: {target.NewTimeline}",
        ];

    /// <summary>What the position contains that nobody would expect there.</summary>
    public static IEnumerable<Finding> Warnings(ResolvedTarget target) =>
        target.EarlyRemovals.Select(removal => new Finding(
            FindingCode.RemovedEarly,
            Detail: $"at {target.End} the files of "
                + $"{(removal.Thing is RemovedThing.Database ? "database" : "tablespace")} {removal.Oid} (OID) are "
                + $"removed already, by transaction {removal.Xid}, which has not committed there: "
                + $"it is listed and can't be used; the position before that is {removal.Lsn} on timeline "
                + $"{removal.Timeline}"
        ));

    /// <summary>Where it is, in a few words.</summary>
    public static string Place(ResolvedTarget target) =>
        target.EndOfBranch ? $"the end of timeline {target.Timeline}" : $"{target.End} on timeline {target.Timeline}";

    private static string Describe(Transaction? transaction, string none) =>
        transaction is null
            ? none
            : $"{transaction.Xid} at {transaction.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}Z ({transaction.Lsn} "
                + $"on timeline {transaction.Timeline})";
}

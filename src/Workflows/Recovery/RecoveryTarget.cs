using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Recovery;

/// <summary>To where a cluster is to be recovered: one of the kinds in <see cref="TargetKind.All"/>, each in a file of
/// its own.</summary>
public abstract record RecoveryTarget
{
    /// <summary>The branch; where none is given, the one that was live then (or is live now).</summary>
    public Timeline? Timeline { get; init; }

    /// <summary>Its kind.</summary>
    internal abstract TargetKind Kind { get; }

    /// <summary>Where to recover to, as JSON has it.</summary>
    internal abstract object Value { get; }

    /// <summary>The same for people.</summary>
    internal string Words => Value is DateTimeOffset time ? PgFlowText.Exact(time) : $"{Value}";

    /// <summary>The branch and the position that it comes to.</summary>
    internal abstract Task<Position> FindAsync(TargetSearch search);
}

/// <summary>What a target comes to: one branch, one position, one backup.</summary>
public sealed record ResolvedTarget
{
    /// <summary>The branch that the position lies on; PostgreSQL's recovery_target_timeline.</summary>
    public required Timeline Timeline { get; init; }

    /// <summary>The end of the last record to keep.</summary>
    public required Lsn End { get; init; }

    /// <summary>Nothing follows <see cref="End"/> on the branch: PostgreSQL would call it a target that was not
    /// reached, so none is set.</summary>
    public required bool EndOfBranch { get; init; }

    /// <summary>The backup to begin with: a full one and the incremental ones on it, oldest first.</summary>
    public required IReadOnlyList<string> Backups { get; init; }

    /// <summary>The WAL to replay, one piece for each timeline on the way, oldest first.</summary>
    public required IReadOnlyList<WalRange> Wal { get; init; }

    /// <summary>The timeline that the recovery will open.</summary>
    public required Timeline NewTimeline { get; init; }

    /// <summary>The last transaction that is kept; null where none is known.</summary>
    public Transaction? LastKept { get; init; }

    /// <summary>The first one that is dropped; null where none is.</summary>
    public Transaction? FirstDropped { get; init; }

    /// <summary>What the position contains of transactions that it does not: files that were removed before the
    /// commit.</summary>
    public IReadOnlyList<EarlyRemoval> EarlyRemovals { get; init; } = [];

    /// <summary>Why this branch.</summary>
    public required string Why { get; init; }

    /// <summary>Bytes in a WAL segment.</summary>
    public long SegmentSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bytes of the backups' files.</summary>
    public long BackupBytes { get; init; }

    /// <summary>Bytes of WAL to replay.</summary>
    [JsonIgnore]
    public long WalBytes => Wal.Sum(range => range.End.BytesSince(range.Start));

    /// <summary>What the replayed position is when everything before <see cref="End"/> has been replayed: a record ends
    /// before the header of the next page.</summary>
    [JsonIgnore]
    public Lsn ReplayEnd =>
        (End.Value % (ulong)SegmentSize, End.Value % WalPage.Size) switch
        {
            (WalPage.LongHeader, _) => new(End.Value - WalPage.LongHeader),
            (_, WalPage.ShortHeader) => new(End.Value - WalPage.ShortHeader),
            _ => End,
        };
}

/// <summary>A commit or an abort in the WAL.</summary>
/// <param name="Xid">The transaction.</param>
/// <param name="Timeline">On which timeline's WAL.</param>
/// <param name="Lsn">Where its record begins.</param>
/// <param name="End">The first position behind its record; where the next one begins.</param>
/// <param name="At">The time in it.</param>
/// <param name="Committed">Whether it committed.</param>
public sealed record Transaction(uint Xid, Timeline Timeline, Lsn Lsn, Lsn End, DateTimeOffset At, bool Committed);

/// <summary>Reads transactions from WAL along a path of timelines; a path is what
/// <see cref="ResolvedTarget.Wal"/> is.</summary>
public interface IWalReader
{
    /// <summary>The first commit or abort on the path, in WAL order, whose time is later than <paramref name="time"/>:
    /// where PostgreSQL's own time target stops.</summary>
    Task<Transaction?> FirstAfterAsync(IReadOnlyList<WalRange> path, DateTimeOffset time);

    /// <summary>The end of the last commit, rollback or preparation on the path; one that was prepared later than
    /// <paramref name="time"/> does not count.</summary>
    Task<Lsn?> LastKeptAsync(IReadOnlyList<WalRange> path, DateTimeOffset time);

    /// <summary>What was removed on the path at once, by transactions that do not end on it.</summary>
    Task<IReadOnlyList<EarlyRemoval>> OpenRemovalsAsync(IReadOnlyList<WalRange> path);

    /// <summary>The last commit on the path.</summary>
    Task<Transaction?> LastAsync(IReadOnlyList<WalRange> path);

    /// <summary>The first commit on the path.</summary>
    Task<Transaction?> FirstAsync(IReadOnlyList<WalRange> path);

    /// <summary>The commit of a transaction.</summary>
    Task<Transaction?> CommitOfAsync(IReadOnlyList<WalRange> path, uint xid);

    /// <summary>The end of the last valid record of a timeline, at or behind <paramref name="from"/>.</summary>
    Task<Lsn> EndOfAsync(Timeline timeline, Lsn from);

    /// <summary>What a timeline's segments tell of openings, stops and names, in WAL order; of its ancestors too, where
    /// the first segment begins with a copy of theirs.</summary>
    Task<IReadOnlyList<WalMark>> MarksAsync(Timeline timeline);
}

using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Recovery;

/// <summary>Everything that a repository tells of a cluster's past: its timelines, backups, restore points and
/// WAL.</summary>
public sealed record RepositoryContents
{
    /// <summary>The cluster.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>Every timeline of which there is a history, a ledger entry or WAL; by number.</summary>
    public IReadOnlyList<Branch> Branches { get; init; } = [];

    /// <summary>The base backups, oldest first.</summary>
    public IReadOnlyList<Backup> Backups { get; init; } = [];

    /// <summary>The named positions, oldest first.</summary>
    public IReadOnlyList<RestorePoint> RestorePoints { get; init; } = [];

    /// <summary>The WAL that a recovery could use, as runs without a gap; by timeline, then position.</summary>
    public IReadOnlyList<SegmentRun> Segments { get; init; } = [];

    /// <summary>Bytes in a WAL segment.</summary>
    public long SegmentSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>The room that is left in each volume.</summary>
    public IReadOnlyList<VolumeSpace> Spaces { get; init; } = [];

    /// <summary>The system identifier; null where no node has one. A text, as in <see cref="Backup"/>.</summary>
    public string? SystemIdentifier { get; init; }

    /// <summary>When the contents were read, by the clock of the databases' host: later times are the future.</summary>
    public required DateTimeOffset ReadAt { get; init; }
}

/// <summary>A timeline, and when it was the one that clients wrote to.</summary>
/// <param name="Timeline">Its number.</param>
/// <param name="History">Which timelines led to it.</param>
/// <param name="Opening">How it began; null where the ledger does not tell.</param>
public sealed record Branch(Timeline Timeline, TimelineHistory History, TimelineOpened? Opening);

/// <summary>A base backup in the repository; what <c>backups/ID/backup.json</c> says.</summary>
public sealed record Backup
{
    /// <summary>Its name: the UTC time of its start, which sorts, and what it is, as
    /// <c>20261124T140000Z-full</c>.</summary>
    public required string Id { get; init; }

    /// <summary>When it began, by the clock of the databases' host.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended, by the clock of the databases' host.</summary>
    public required DateTimeOffset StoppedAt { get; init; }

    /// <summary>The node that it was taken from.</summary>
    public required NodeName Node { get; init; }

    /// <summary>The WAL without which it can't be restored, oldest first (the manifest's WAL-Ranges; several when a
    /// standby crossed a promotion).</summary>
    public required IReadOnlyList<WalRange> WalRanges { get; init; }

    /// <summary>Bytes of its files.</summary>
    public required long Bytes { get; init; }

    /// <summary>The backup that an incremental one builds on; null for a full one.</summary>
    public string? Parent { get; init; }

    /// <summary>The system identifier; a text, since it exceeds what JavaScript can count.</summary>
    public required string SystemIdentifier { get; init; }

    /// <summary>PostgreSQL's major version.</summary>
    public required int Major { get; init; }

    /// <summary>A note of whoever took it.</summary>
    public string? Annotation { get; init; }

    /// <summary>When a recovery of it was last proven; null when never.</summary>
    public DateTimeOffset? VerifiedAt { get; init; }

    /// <summary>The timeline that it ended on.</summary>
    [JsonIgnore]
    public Timeline Timeline => WalRanges[^1].Timeline;

    /// <summary>Where it ended: nothing before can be recovered to with it.</summary>
    [JsonIgnore]
    public Lsn End => WalRanges[^1].End;
}

/// <summary>A piece of a timeline's WAL.</summary>
/// <param name="Timeline">The timeline.</param>
/// <param name="Start">The first position.</param>
/// <param name="End">The first position behind it.</param>
public sealed record WalRange(Timeline Timeline, Lsn Start, Lsn End);

/// <summary>A recovery of a backup that was proven; <c>backups/ID/verified.json</c>.</summary>
/// <param name="Id">The backup.</param>
/// <param name="VerifiedAt">When.</param>
public sealed record BackupVerified(string Id, DateTimeOffset VerifiedAt);

/// <summary>A named position. PostgreSQL would stop at the first of a name, on any branch; here a name is one
/// position.</summary>
/// <param name="Name">Its name, used once in a cluster.</param>
/// <param name="Timeline">The timeline that was live.</param>
/// <param name="Lsn">The end of its record.</param>
/// <param name="At">When, by the server's clock.</param>
public sealed record RestorePoint(string Name, Timeline Timeline, Lsn Lsn, DateTimeOffset At);

/// <summary>The room in a volume.</summary>
/// <param name="Volume">The node's name, or <c>repository</c>.</param>
/// <param name="Free">The bytes that are left for others than root.</param>
/// <param name="Size">The bytes of its file system.</param>
public sealed record VolumeSpace(string Volume, long Free, long Size)
{
    private const long Plenty = 10L * 1024 * 1024 * 1024;

    /// <summary>Whether it has no room for two segments of WAL more.</summary>
    internal bool IsFull(long segmentSize) => Free < 2 * segmentSize;

    /// <summary>Whether it has less than 5 %, and less than 10 GB, left.</summary>
    internal bool IsLow => Free < Plenty && Free < Size / 20;
}

/// <summary>WAL segments without a gap.</summary>
/// <param name="Timeline">Their timeline.</param>
/// <param name="First">The first one's number: its position divided by the segment size.</param>
/// <param name="Last">The last one's number.</param>
public sealed record SegmentRun(Timeline Timeline, ulong First, ulong Last);

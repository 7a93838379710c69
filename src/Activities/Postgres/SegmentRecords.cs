using System.Text.Json;

namespace PgFlow.Activities.Postgres;

/// <summary>What was found in a segment: the records that begin in it.</summary>
internal sealed record SegmentRecords
{
    /// <summary>The ends of transactions, in the order of the WAL.</summary>
    public IReadOnlyList<Transaction> Ends => _ends;

    /// <summary>The transactions that were prepared for an end later.</summary>
    public IReadOnlyList<Transaction> Prepared => _prepared;

    public IReadOnlyList<WalMark> Marks => _marks;

    /// <summary>What was removed by transactions that do not end here.</summary>
    public IEnumerable<EarlyRemoval> OpenRemovals =>
        _removals.Where(removal => !_ends.Any(ended => ended.Xid == removal.Xid && ended.Lsn > removal.Lsn));

    /// <summary>The end of the last valid record that was read.</summary>
    public Lsn End { get; init; }

    /// <summary>The WAL goes on in the next segment.</summary>
    public bool IsWhole { get; init; }

    /// <summary>What is kept in the index.</summary>
    public SegmentDigest Digest =>
        new()
        {
            Latest = _ends.Count == 0 ? null : _ends.Max(ended => ended.At),
            LowestXid = _ends.Count == 0 ? 0 : _ends.Min(ended => ended.Xid),
            HighestXid = _ends.Count == 0 ? 0 : _ends.Max(ended => ended.Xid),
            Prepares = _prepared.Count > 0,
            Removes = OpenRemovals.Any(),
        };

    private readonly List<Transaction> _ends = [];
    private readonly List<Transaction> _prepared = [];
    private readonly List<WalMark> _marks = [];
    private readonly List<EarlyRemoval> _removals = [];

    public void Add(in WalRecord record, Timeline timeline)
    {
        Add(_ends, record.Transaction(timeline));
        Add(
            _prepared,
            record.PreparedAt() is { } at
                ? new(record.Xid, timeline, record.Lsn, record.End, at, Committed: false)
                : null
        );
        Add(_marks, record.Mark(timeline));
        Add(_removals, record.Removal(timeline));
    }

    /// <summary>Those that lie between two positions.</summary>
    public SegmentRecords Within(Lsn from, Lsn to)
    {
        var within = new SegmentRecords();
        within._ends.AddRange(_ends.Where(ended => from <= ended.Lsn && ended.End <= to));
        within._prepared.AddRange(_prepared.Where(prepared => from <= prepared.Lsn && prepared.End <= to));
        within._marks.AddRange(_marks.Where(mark => from <= mark.Lsn && mark.End <= to));
        within._removals.AddRange(_removals.Where(removal => from <= removal.Lsn && removal.End <= to));
        return within;
    }

    private static void Add<T>(List<T> list, T? item)
        where T : class
    {
        if (item is not null)
        {
            list.Add(item);
        }
    }
}

/// <summary>What the index keeps of a segment, so that it need not be read again only to find nothing.</summary>
internal sealed record SegmentDigest
{
    /// <summary>What is written today; another one is made anew.</summary>
    public const int CurrentVersion = 2;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>The latest time of a commit or abort; null where there is none.</summary>
    public DateTimeOffset? Latest { get; init; }

    /// <summary>The lowest number of a transaction that ends in it, and the highest.</summary>
    public uint LowestXid { get; init; }

    public uint HighestXid { get; init; }

    /// <summary>A transaction was prepared.</summary>
    public bool Prepares { get; init; }

    /// <summary>Files were removed by a transaction that does not end in it.</summary>
    public bool Removes { get; init; }

    /// <summary>Reads what the index has; null where that is nothing, or of another version.</summary>
    public static SegmentDigest? Parse(string text)
    {
        try
        {
            return
                text.StartsWith('{')
                && JsonSerializer.Deserialize<SegmentDigest>(text, PgFlowJson.Options)
                    is { Version: CurrentVersion } digest
                ? digest
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public override string ToString() => JsonSerializer.Serialize(this, PgFlowJson.Options);
}

/// <summary>The files that a path leads through.</summary>
/// <param name="Path">The path.</param>
/// <param name="Files">One for each segment.</param>
/// <param name="First">The number of the first segment.</param>
/// <param name="From">Where the path begins.</param>
/// <param name="To">Where it ends.</param>
/// <param name="IsOpen">It leads to the end of a timeline, which is wherever the valid WAL ends.</param>
internal sealed record Way(
    IReadOnlyList<WalRange> Path,
    IReadOnlyList<WalFile> Files,
    ulong First,
    Lsn From,
    Lsn To,
    bool IsOpen
)
{
    private readonly IReadOnlyList<SegmentDigest?> _digests =
    [
        .. Files.Select(file => file.IsComplete ? SegmentDigest.Parse(file.Digest) : null),
    ];

    public required long SegmentSize { get; init; }

    /// <summary>What the index has of a segment.</summary>
    public SegmentDigest? DigestOf(int index) => _digests[index];

    /// <summary>Whether a segment must be read: of one that the path leaves in the middle the index knows too
    /// much.</summary>
    public bool MayHave(int index, Func<SegmentDigest, bool> mayHave) =>
        DigestOf(index) is not { } digest
        || new Lsn((First + (ulong)index + 1) * (ulong)SegmentSize) > To
        || mayHave(digest);

    /// <summary>The files from one on.</summary>
    public IReadOnlyList<WalFile> RequireFrom(int index) =>
        Files.Skip(index).TakeWhile(file => file.Path.Length > 0).ToList() is { Count: > 0 } there
            ? there
            : throw Failure.Fail($"the WAL segment {Files[index].Segment} is not there any more");

    /// <summary>The WAL may end only behind the path, or within its last timeline in a file that is not
    /// complete.</summary>
    /// <param name="decoder">How far it was read.</param>
    /// <param name="index">In which segment.</param>
    /// <param name="read">Up to where there were pages.</param>
    public void RequireEnd(WalDecoder decoder, int index, Lsn read)
    {
        var mayEnd = decoder.Broken is null
            ? read >= To
            : IsOpen && decoder.End >= Path[^1].Start && !Files[index].IsComplete;
        if (decoder.End < To && !mayEnd)
        {
            throw Failure.Break(
                $"the WAL can't be read beyond {decoder.End}"
                    + (
                        Files[index] is { Path.Length: > 0 } file
                            ? $", in {file.Path}: {decoder.Broken ?? "the file is too short"}"
                            : $": {Files[index].Segment} is in no archive and on no node"
                    )
            );
        }
    }
}

namespace PgFlow.Activities.Postgres;

/// <summary>Reads transactions from the bytes of WAL segments. What a complete one holds in short is kept in an index,
/// so that it is read once.</summary>
internal sealed class WalReader(IWalFiles files, RepositoryContents contents) : IWalReader
{
    private readonly ulong _size = (ulong)contents.SegmentSize;
    private readonly Dictionary<string, string> _digests = [];

    public Task<Transaction?> FirstAfterAsync(IReadOnlyList<WalRange> path, DateTimeOffset time) =>
        FirstAsync(path, digest => digest.Latest > time, ended => ended.At > time);

    public Task<Transaction?> FirstAsync(IReadOnlyList<WalRange> path) =>
        FirstAsync(path, digest => digest.Latest is not null, ended => ended.Committed);

    public Task<Transaction?> CommitOfAsync(IReadOnlyList<WalRange> path, uint xid) =>
        FirstAsync(path, digest => digest.LowestXid <= xid && xid <= digest.HighestXid, ended => ended.Xid == xid);

    public Task<Transaction?> LastAsync(IReadOnlyList<WalRange> path) =>
        LastAsync(path, digest => digest.Latest is not null, segment => segment.Ends.Where(ended => ended.Committed));

    public async Task<Lsn?> LastKeptAsync(IReadOnlyList<WalRange> path, DateTimeOffset time) =>
        (
            await LastAsync(
                path,
                digest => digest.Latest is not null || digest.Prepares,
                segment =>
                    segment
                        .Ends.Concat(segment.Prepared.Where(prepared => prepared.At <= time))
                        .OrderBy(ended => ended.Lsn)
            )
        )?.End;

    public async Task<IReadOnlyList<EarlyRemoval>> OpenRemovalsAsync(IReadOnlyList<WalRange> path)
    {
        var (open, still) = (new List<EarlyRemoval>(), new List<EarlyRemoval>());
        await foreach (var segment in SegmentsAsync(await WayAsync(path), digest => digest.Removes))
        {
            open.AddRange(segment.OpenRemovals);
        }

        foreach (var removal in open)
        {
            if (await CommitOfAsync(path.From(removal.End), removal.Xid) is null)
            {
                still.Add(removal);
            }
        }

        return still;
    }

    public async Task<Lsn> EndOfAsync(Timeline timeline, Lsn from)
    {
        foreach (
            var run in contents
                .Segments.Where(run => run.Timeline == timeline && run.Last >= from.Value / _size)
                .OrderByDescending(run => run.First)
        )
        {
            var way = await WayAsync(Range(timeline, Math.Max(run.First, from.Value / _size), run.Last));
            // valid to its end, or its reading is an error
            var complete = way.Files.TakeWhile(file => file.IsComplete).Count();
            var end = from;
            await foreach (var segment in ReadAsync(way, Math.Max(0, complete - 1), way.Files.Count - 1))
            {
                end = segment.End;
            }

            if (end > from)
            {
                return end;
            }
        }

        return from;
    }

    public async Task<IReadOnlyList<WalMark>> MarksAsync(Timeline timeline)
    {
        var (marks, path) = (new List<WalMark>(), contents.Find(timeline)!.Path());
        foreach (var run in contents.Segments.Where(run => run.Timeline == timeline))
        {
            await foreach (
                var segment in SegmentsAsync(await WayAsync(Range(timeline, run.First, run.Last)), _ => true)
            )
            {
                marks.AddRange(segment.Marks.Select(mark => mark with { Timeline = path.At(mark.Lsn) }));
            }
        }

        return marks;
    }

    /// <summary>Keeps in the index what was learnt of complete segments.</summary>
    public async Task RememberAsync()
    {
        if (_digests.Count > 0)
        {
            await files.RememberAsync(_digests);
        }
    }

    private async Task<Transaction?> FirstAsync(
        IReadOnlyList<WalRange> path,
        Func<SegmentDigest, bool> mayHave,
        Func<Transaction, bool> isWanted
    )
    {
        await foreach (var segment in SegmentsAsync(await WayAsync(path), mayHave))
        {
            if (segment.Ends.FirstOrDefault(isWanted) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private async Task<Transaction?> LastAsync(
        IReadOnlyList<WalRange> path,
        Func<SegmentDigest, bool> mayHave,
        Func<SegmentRecords, IEnumerable<Transaction>> wanted
    )
    {
        var way = await WayAsync(path);
        for (var index = way.Files.Count - 1; index >= 0; index--)
        {
            if (way.MayHave(index, mayHave))
            {
                Transaction? found = null;
                await foreach (var segment in ReadAsync(way, index, index))
                {
                    found = wanted(segment).LastOrDefault();
                }

                if (found is not null)
                {
                    return found;
                }
            }
        }

        return null;
    }

    /// <summary>What lies on the way in those segments that may have what is looked for, in the order of the
    /// WAL.</summary>
    private async IAsyncEnumerable<SegmentRecords> SegmentsAsync(Way way, Func<SegmentDigest, bool> mayHave)
    {
        for (var first = 0; first < way.Files.Count; first++)
        {
            var last = first - 1;
            while (last + 1 < way.Files.Count && way.MayHave(last + 1, mayHave))
            {
                last++;
            }

            if (last < first)
            {
                continue;
            }

            await foreach (var segment in ReadAsync(way, first, last))
            {
                yield return segment;
                first = segment.IsWhole ? last + 1 : way.Files.Count; // the WAL ends here
            }
        }
    }

    private IReadOnlyList<WalRange> Range(Timeline timeline, ulong first, ulong last) =>
        [new(timeline, new(first * _size), new((last + 1) * _size))];

    /// <summary>Where the last segment of a branch ends that nobody has left: it goes no further, however far others
    /// have gone.</summary>
    private Lsn EndOf(Timeline timeline)
    {
        var own = contents.Segments.Where(run => run.Timeline == timeline).ToList();
        var left = contents
            .Branches.SelectMany(branch => branch.History.Ancestors)
            .Where(left => left.Timeline == timeline)
            .Select(left => left.End);
        return own.Count > 0 ? left.Append(EndOf(own)).Max() : EndOf(contents.Segments); // it can't be read then
    }

    private Lsn EndOf(IReadOnlyCollection<SegmentRun> runs) =>
        new((runs.Max(run => (ulong?)run.Last) ?? 0) * _size + _size);

    private async Task<Way> WayAsync(IReadOnlyList<WalRange> path)
    {
        var there = path[^1].End == Lineage.Endless ? EndOf(path[^1].Timeline) : EndOf(contents.Segments);
        var (from, to) = (path[0].Start, path[^1].End < there ? path[^1].End : there);
        var segments =
            to <= from
                ? []
                : WalSegments.Names([.. path.SkipLast(1), path[^1] with { End = to }], contents.SegmentSize).ToList();
        var isOpen = contents.Segments.All(run =>
            run.Timeline != path[^1].Timeline || new Lsn((run.Last + 1) * _size) <= to
        );
        return new(path, await files.FindAsync(segments), from.Value / _size, from, to, isOpen)
        {
            SegmentSize = contents.SegmentSize,
        };
    }

    /// <summary>What lies on the way in the segments from the first to the last, or to where the WAL ends
    /// before.</summary>
    /// <exception cref="PgFlowException">What must be there can't be
    /// read.</exception>
    private async IAsyncEnumerable<SegmentRecords> ReadAsync(Way way, int first, int last)
    {
        var (decoder, found, index, address) = (
            new WalDecoder(contents.SegmentSize),
            new Dictionary<int, SegmentRecords>(),
            first,
            new Lsn((way.First + (ulong)first) * _size)
        );
        await foreach (var page in files.PagesAsync(way.RequireFrom(first)))
        {
            var goesOn = decoder.Read(page.Span, address, Keep);
            address = new(address.Value + WalPage.Size);
            for (; index <= last && decoder.End.Value >= (way.First + (ulong)index + 1) * _size; index++)
            {
                ProgressReporter.Report(
                    "WAL is read",
                    (long)_size * (index - first + 1),
                    (long)_size * (last - first + 1)
                );
                yield return Found(index, isWhole: true);
            }

            if (!goesOn || index > last)
            {
                break;
            }
        }

        if (index <= last)
        {
            yield return Found(index, isWhole: false);
            way.RequireEnd(decoder, index, address); // what lies before is valid
        }

        bool Keep(in WalRecord record)
        {
            var segment = (int)(record.Lsn.Value / _size - way.First);
            if (record.IsOfInterest && segment <= last)
            {
                (found.TryGetValue(segment, out var records) ? records : found[segment] = new()).Add(
                    record,
                    way.Path.At(record.Lsn)
                );
            }

            return record.End < way.To || record.End.Value % _size == 0;
        }

        SegmentRecords Found(int index, bool isWhole)
        {
            var records = found.Remove(index, out var some) ? some : new();
            if (isWhole && way.Files[index] is { IsComplete: true } file && way.DigestOf(index) is null)
            {
                _digests[file.Segment] = records.Digest.ToString();
            }

            return records.Within(way.From, way.To) with
            {
                End = decoder.End,
                IsWhole = isWhole,
            };
        }
    }
}

namespace PgFlow.Activities.Postgres;

/// <summary>Where the valid WAL in a volume ends.</summary>
/// <param name="Timeline">The timeline of the file that the last valid record lies in.</param>
/// <param name="End">The first position behind that record.</param>
/// <param name="Why">What is there instead of another record.</param>
/// <param name="IsDamaged">That is nothing that PostgreSQL leaves there: more may have been written.</param>
internal sealed record WalEnd(Timeline Timeline, Lsn End, string Why, bool IsDamaged = false);

/// <summary>Reads the WAL in a node's volume by its bytes, whether the server runs, hangs or is stopped: only its
/// container is needed.</summary>
internal sealed class NodeWal(DockerEngine docker)
{
    /// <summary>The end of the valid WAL on <paramref name="lineage"/>, which is more than the server may say: WAL that
    /// it has not replayed yet counts.</summary>
    /// <param name="node">The node.</param>
    /// <param name="lineage">The timelines whose files count; of other branches nothing is read.</param>
    /// <param name="from">A position in a segment that is there and valid; the last checkpoint where none is
    /// given.</param>
    /// <exception cref="InvalidDataException">It can't be read; the message says why.</exception>
    public async Task<WalEnd> EndAsync(NodeId node, TimelineHistory lineage, Lsn? from = null)
    {
        var control = await ControlAsync(node, Names.Data);
        return await ReadAsync(
            node,
            Names.Data,
            control.SegmentSize,
            lineage,
            from ?? control.Checkpoint,
            (in WalRecord _) => true
        );
    }

    /// <summary>pg_control.</summary>
    /// <exception cref="InvalidDataException">It is not there or damaged.</exception>
    public async Task<ControlFile> ControlAsync(NodeId node, string data)
    {
        for (var attempt = 0; attempt < 20; attempt++) // the server may be writing it
        {
            var file =
                await docker.Of(node).ReadFileAsync($"{data}/global/pg_control")
                ?? throw new InvalidDataException($"{node} has no pg_control");
            if (ControlFile.Parse(file) is { } control)
            {
                return control;
            }
        }

        throw new InvalidDataException($"pg_control of {node} is damaged: its checksum is wrong");
    }

    /// <summary>Every record from the beginning of the segment of <paramref name="from"/> up to the end of the valid
    /// WAL.</summary>
    /// <exception cref="InvalidDataException">That segment is not there, or has no valid record.</exception>
    public async Task<WalEnd> ReadAsync(
        NodeId node,
        string data,
        long segmentSize,
        TimelineHistory lineage,
        Lsn from,
        WalVisitor visit
    )
    {
        var decoder = new WalDecoder(segmentSize);
        var path = new Branch(lineage.Tip, lineage, null).Path();
        (Timeline Timeline, Lsn End)? last = null;
        for (var number = from.Value / (ulong)segmentSize; decoder.Broken is null; number++)
        {
            var start = new Lsn(number * (ulong)segmentSize);
            if (await ReadSegmentAsync(node, data, path, start, segmentSize, decoder, visit) is not { } timeline)
            {
                return last is var (before, end)
                    ? new(before, end, "the next segment is not there", IsDamaged: decoder.IsWithinRecord)
                    : throw new InvalidDataException($"the segment of {from} is not in {node}'s volume");
            }

            last = last is { } known && decoder.End <= start ? known : (timeline, decoder.End);
        }

        return decoder.End > from
            ? new(last!.Value.Timeline, decoder.End, decoder.Broken, decoder.IsDamaged)
            : throw new InvalidDataException($"the WAL of {node} can't be read beyond {decoder.End}: {decoder.Broken}");
    }

    /// <summary>The file of the newest timeline that has begun and has one, as PostgreSQL chooses
    /// (<c>XLogFileReadAnyTLI</c>).</summary>
    private async Task<Timeline?> ReadSegmentAsync(
        NodeId node,
        string data,
        IReadOnlyList<WalRange> path,
        Lsn start,
        long segmentSize,
        WalDecoder decoder,
        WalVisitor visit
    )
    {
        var (number, behind) = (start.Value / (ulong)segmentSize, start.Value + (ulong)segmentSize);
        foreach (var piece in path.Where(piece => piece.Start.Value < behind).Reverse())
        {
            var file = $"{data}/pg_wal/{WalSegments.Name(piece.Timeline, number, segmentSize)}";
            if (await docker.Of(node).ReadFileAsync(file, stream => DecodeAsync(stream, start, decoder, visit)))
            {
                return piece.Timeline;
            }
        }

        return null;
    }

    private static async Task DecodeAsync(Stream stream, Lsn start, WalDecoder decoder, WalVisitor visit)
    {
        var pages = new byte[64 * (int)WalPage.Size];
        for (
            var at = start.Value;
            await stream.ReadAtLeastAsync(pages, pages.Length, throwOnEndOfStream: false) is var read and > 0;
            at += (ulong)read
        )
        {
            for (var page = 0; page + (int)WalPage.Size <= read; page += (int)WalPage.Size)
            {
                if (!decoder.Read(pages.AsSpan(page, (int)WalPage.Size), new(at + (ulong)page), visit))
                {
                    return;
                }
            }
        }
    }
}

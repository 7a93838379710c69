using System.Globalization;
using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>Reads transactions with pg_waldump, in a job that sees the archive and what lies unarchived in the nodes' volumes.</summary>
internal sealed class WalReader(OpenJob job, Catalogue catalogue) : IWalReader
{
    public async Task<Transaction?> FirstAfterAsync(IReadOnlyList<WalRange> path, DateTimeOffset time) => Read(
        await SearchAsync("after", Pieces(path), $"TIME={time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}"), path);

    public async Task<Transaction?> LastAsync(IReadOnlyList<WalRange> path) => Read(await SearchAsync("last", Pieces(path).Reverse()), path);

    public async Task<Transaction?> FirstAsync(IReadOnlyList<WalRange> path) => Read(await SearchAsync("first", Pieces(path)), path);

    public async Task<Transaction?> CommitOfAsync(IReadOnlyList<WalRange> path, uint xid) => Read(await SearchAsync("xid", Pieces(path), $"XID={xid}"), path);

    public async Task<Lsn> EndOfAsync(Timeline timeline, Lsn from)
    {
        var last = catalogue.Segments.Where(run => run.Timeline == timeline).Max(run => (ulong?)run.Last) ?? 0;
        var line = await SearchAsync("end", Pieces([new(timeline, from, new((last + 1) * (ulong)catalogue.SegmentSize))]).Reverse());
        return WalDumpLine.End(line, catalogue.SegmentSize) ?? from;
    }

    public async Task<IReadOnlyList<WalMark>> MarksAsync(Timeline timeline)
    {
        var (size, path) = ((ulong)catalogue.SegmentSize, catalogue.Find(timeline)!.Path());
        var found = await SearchAsync("marks", catalogue.Segments.Where(run => run.Timeline == timeline).SelectMany(run => Pieces([new(timeline, new(run.First * size), new((run.Last + 1) * size))])));
        return [.. found.Split('\n').Select(line => WalDumpLine.Mark(line, path, catalogue.SegmentSize)).OfType<WalMark>()];
    }

    /// <summary>The path cut at the bounds of segments; what is not there is left out.</summary>
    private IEnumerable<Piece> Pieces(IReadOnlyList<WalRange> path)
    {
        var size = (ulong)catalogue.SegmentSize;
        var there = new Lsn((catalogue.Segments.Max(run => (ulong?)run.Last) ?? 0) * size + size);
        var (start, end) = (path[0].Start, path[^1].End < there ? path[^1].End : there);
        return end <= start ? [] : WalSegments.Along([.. path.SkipLast(1), path[^1] with { End = end }], catalogue.SegmentSize).Select(segment =>
        {
            var (first, behind) = (new Lsn(segment.Number * size), new Lsn(segment.Number * size + size));
            return new Piece(WalSegments.Name(segment.Timeline, segment.Number, catalogue.SegmentSize), segment.Timeline, start > first ? start : first, behind < end ? behind : end, start <= first && behind <= end);
        });
    }

    private async Task<string> SearchAsync(string mode, IEnumerable<Piece> pieces, params string[] more)
    {
        await job.WriteAsync("/job/segments", string.Concat(pieces.Select(piece => $"{piece}\n")));
        return await job.RunAsync($"{Embedded.Read("locate-wal")}\n{Embedded.Read("search-wal")}", [$"MODE={mode}", .. more]);
    }

    private Transaction? Read(string output, IReadOnlyList<WalRange> path) => WalDumpLine.Transaction(output, path, catalogue.SegmentSize);

    private sealed record Piece(string Segment, Timeline Timeline, Lsn Start, Lsn End, bool Whole)
    {
        public override string ToString() => $"{Segment} {Timeline} {Start} {End} {(Whole ? "whole" : "part")}";
    }
}

using System.Globalization;

namespace PgFlow.Workflows.Recovery;

/// <summary>Which files hold a piece of WAL.</summary>
public static class WalSegments
{
    /// <summary>The name of a segment's file: timeline, and the segment's number in two parts, each eight hexadecimal
    /// digits.</summary>
    public static string Name(Timeline timeline, ulong number, long segmentSize)
    {
        var perLogId = 0x1_0000_0000UL / (ulong)segmentSize;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{timeline.Number:X8}{number / perLogId:X8}{number % perLogId:X8}"
        );
    }

    /// <summary>What a segment's name says.</summary>
    public static (Timeline Timeline, ulong Number) Parse(string name, long segmentSize)
    {
        ArgumentNullException.ThrowIfNull(name);
        uint Part(int number) => Convert.ToUInt32(name.Substring(number * 8, 8), 16);
        return (new(Part(0)), Part(1) * (0x1_0000_0000UL / (ulong)segmentSize) + Part(2));
    }

    /// <summary>The segments that a path leads through, each on the timeline whose file PostgreSQL would
    /// take.</summary>
    /// <remarks>Where a timeline ends within a segment, its child's file begins with a copied head: the newest timeline
    /// that has begun is asked first.</remarks>
    public static IEnumerable<(Timeline Timeline, ulong Number)> Along(IReadOnlyList<WalRange> path, long segmentSize)
    {
        ArgumentNullException.ThrowIfNull(path);
        ulong SegmentOf(Lsn position) => position.Value / (ulong)segmentSize;
        for (var number = SegmentOf(path[0].Start); number <= SegmentOf(new(path[^1].End.Value - 1)); number++)
        {
            yield return (path.Last(range => SegmentOf(range.Start) <= number).Timeline, number);
        }
    }

    /// <summary>The files that a recovery to <paramref name="target"/> replays.</summary>
    public static IEnumerable<string> Segments(this ResolvedTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        return Names(target.Wal, target.SegmentSize);
    }

    /// <summary>The names of the files that a path leads through.</summary>
    public static IEnumerable<string> Names(IReadOnlyList<WalRange> path, long segmentSize) =>
        Along(path, segmentSize).Select(segment => Name(segment.Timeline, segment.Number, segmentSize));
}

using System.Globalization;
using System.Text.RegularExpressions;
using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>A line of pg_waldump (<c>XLogDumpDisplayRecord</c> in <c>bin/pg_waldump/pg_waldump.c</c>).</summary>
internal static partial class WalRecord
{
    /// <summary>The commit or abort that the line tells of; null where it tells of none.</summary>
    public static Transaction? Transaction(string line, IReadOnlyList<WalRange> path, long segmentSize)
    {
        if (TransactionLine().Match(line) is not { Success: true } found)
        {
            return null;
        }

        var lsn = Lsn.Parse(found.Groups["lsn"].Value);
        var prepared = found.Groups["prepared"];
        return new(
            uint.Parse(prepared.Success ? prepared.Value : found.Groups["tx"].Value, CultureInfo.InvariantCulture),
            path.At(lsn),
            lsn,
            End(line, segmentSize)!.Value,
            DateTimeOffset.Parse($"{found.Groups["time"].Value}Z", CultureInfo.InvariantCulture),
            found.Groups["what"].Value == "COMMIT");
    }

    /// <summary>The first position behind the record: a switch ends its segment, and every page on the way has a header.</summary>
    public static Lsn? End(string line, long segmentSize)
    {
        if (AnyLine().Match(line) is not { Success: true } found)
        {
            return null;
        }

        var (position, size) = (Lsn.Parse(found.Groups["lsn"].Value).Value, (ulong)segmentSize);
        if (line.Contains("desc: SWITCH", StringComparison.Ordinal))
        {
            return new(position / size * size + size);
        }

        for (var left = ulong.Parse(found.Groups["length"].Value, CultureInfo.InvariantCulture); left > 0;)
        {
            if (position % WalPage.Size == 0)
            {
                position += position % size == 0 ? WalPage.LongHeader : WalPage.ShortHeader;
            }

            var part = Math.Min(left, WalPage.Size - position % WalPage.Size);
            (position, left) = (position + part, left - part);
        }

        return new((position + 7) & ~7UL);
    }

    [GeneratedRegex(@"len \(rec/tot\): *\d+/ *(?<length>\d+), tx: *(?<tx>\d+), lsn: (?<lsn>[0-9A-F]+/[0-9A-F]+)")]
    private static partial Regex AnyLine();

    [GeneratedRegex(@"tx: *(?<tx>\d+), lsn: (?<lsn>[0-9A-F]+/[0-9A-F]+),.* desc: (?<what>COMMIT|ABORT)(_PREPARED (?<prepared>\d+):)? (?<time>\d{4}-\d\d-\d\d [0-9:.]+)")]
    private static partial Regex TransactionLine();
}

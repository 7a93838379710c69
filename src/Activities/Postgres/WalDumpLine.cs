using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;
using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>A line of pg_waldump (<c>XLogDumpDisplayRecord</c> in <c>bin/pg_waldump/pg_waldump.c</c>).</summary>
internal static partial class WalDumpLine
{
    /// <summary>Bytes before a short record's data (SizeOfXLogRecord, SizeOfXLogRecordDataHeaderShort).</summary>
    private const int Header = 24 + 2;

    /// <summary>What stands before short data, and its length (XLR_BLOCK_ID_DATA_SHORT).</summary>
    private const byte ShortData = 255;

    /// <summary>Where the time stands in a checkpoint, from PostgreSQL 13 to 18 (<c>CheckPoint</c> in <c>catalog/pg_control.h</c>).</summary>
    private const int TimeOfCheckpoint = 64;

    /// <summary>From when PostgreSQL counts microseconds.</summary>
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

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
            Time(found.Groups["time"].Value),
            found.Groups["what"].Value == "COMMIT");
    }

    /// <summary>What a line tells of a timeline's opening, a stop or a restore point, behind the record's first bytes; null where it tells of none.</summary>
    public static WalMark? Mark(string line, IReadOnlyList<WalRange> path, long segmentSize)
    {
        if (MarkLine().Match(line) is not { Success: true } found || End(line, segmentSize) is not { } end)
        {
            return null;
        }

        var (lsn, record) = (Lsn.Parse(found.Groups["lsn"].Value), found.Groups["record"].Value);
        var data = DataOf(Convert.FromHexString(found.Groups["bytes"].Value), lsn);
        if (found.Groups["name"] is { Success: true } name)
        {
            return new(WalMarkKind.Point, record, path.At(lsn), lsn, end, MicrosecondsAt(data, 0)) { Name = name.Value };
        }

        var (opened, parent, time) = (TimelineOf(found.Groups["tli"]), TimelineOf(found.Groups["prev"]), found.Groups["time"]);
        var at = time.Success ? Time(time.Value) : SecondsAt(data, TimeOfCheckpoint);
        return opened == parent
            ? new(WalMarkKind.Stop, record, path.At(lsn), lsn, end, at)
            : new(WalMarkKind.Opening, record, path.At(lsn), lsn, end, at) { Opened = opened, Parent = parent };
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

    /// <summary>The record's data: behind its header, without that of the page that begins within it. Empty where it goes on in another segment.</summary>
    private static byte[] DataOf(byte[] record, Lsn lsn)
    {
        var left = (int)(WalPage.Size - lsn.Value % WalPage.Size);
        byte[] whole = [.. record.Take(left), .. record.Skip(left + (int)WalPage.ShortHeader)];
        return whole.Length > Header && whole[Header - 2] == ShortData && whole.Length >= Header + whole[Header - 1] ? whole[Header..(Header + whole[Header - 1])] : [];
    }

    private static DateTimeOffset? MicrosecondsAt(byte[] data, int at) =>
        data.Length < at + 8 ? null : Epoch.AddMicroseconds(BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(at)));

    private static DateTimeOffset? SecondsAt(byte[] data, int at) =>
        data.Length < at + 8 ? null : DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan(at)));

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse($"{text}Z", CultureInfo.InvariantCulture);

    private static Timeline TimelineOf(Group number) => new(uint.Parse(number.Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"len \(rec/tot\): *\d+/ *(?<length>\d+), tx: *(?<tx>\d+), lsn: (?<lsn>[0-9A-F]+/[0-9A-F]+)")]
    private static partial Regex AnyLine();

    [GeneratedRegex(@"tx: *(?<tx>\d+), lsn: (?<lsn>[0-9A-F]+/[0-9A-F]+),.* desc: (?<what>COMMIT|ABORT)(_PREPARED (?<prepared>\d+):)? (?<time>\d{4}-\d\d-\d\d [0-9:.]+)")]
    private static partial Regex TransactionLine();

    [GeneratedRegex(
        @"^(?<bytes>([0-9a-f]{2})*) .*lsn: (?<lsn>[0-9A-F]+/[0-9A-F]+),.* desc: ((?<record>RESTORE_POINT) (?<name>.*)"
        + @"|(?<record>END_OF_RECOVERY|CHECKPOINT_SHUTDOWN) (redo [^;]*; )?tli (?<tli>\d+); prev tli (?<prev>\d+);( time (?<time>[0-9-]+ [0-9:.]+))?)")]
    private static partial Regex MarkLine();
}

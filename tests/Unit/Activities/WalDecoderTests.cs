using System.Globalization;
using CsCheck;

namespace PgFlow.UnitTests.Activities;

/// <summary>
/// Real WAL, full of names that look like pg_waldump's lines: prepared transactions <c>desc: COMMIT 2099-01-01 …</c>,
/// one with a whole line behind a newline, a restore point and messages too.
/// What is expected was read from pg_waldump by a person.
/// </summary>
public sealed class WalDecoderTests
{
    private static readonly Lsn Start = new(0xB00000);
    private static readonly byte[] Hostile =
    [
        .. WalFixture.Segment("00000001000000000000000B"),
        .. WalFixture.Segment("00000001000000000000000C"),
        .. WalFixture.Segment("00000001000000000000000D"),
    ];

    private static readonly Lsn LaterStart = new(0x1200000);
    private static readonly byte[] Later = WalFixture.Segment("000000020000000000000012");

    [Fact]
    public void The_ends_of_transactions_are_read_from_their_records_whatever_text_lies_between()
    {
        var found = new List<string>();
        var decoder = WalFixture.Decode(
            Start,
            Hostile,
            (in WalRecord record) =>
            {
                if (record.Transaction(new(1)) is { } ended)
                {
                    found.Add($"{ended.Xid} {(ended.Committed ? "commit" : "abort")} {ended.Lsn} {ended.At:ss.ffffff}");
                    Assert.Equal(At("2026-11-26T12:54:22"), ended.At, TimeSpan.FromSeconds(1));
                }

                return true;
            }
        );

        Assert.Equal(
            [
                "739 commit 0/B037D0 22.000430",
                "740 commit 0/B03C58 22.000908",
                "742 abort 0/B03D10 22.001259", // a savepoint
                "741 commit 0/B03DC8 22.001541",
                "745 abort 0/B03E48 22.001701",
                "746 commit 0/B06208 22.002774",
                // COMMIT PREPARED, behind dropped files, subtransactions, statistics and invalidations
                "747 commit 0/B09518 22.005426",
                "749 abort 0/B09B38 22.006160",
                "750 abort 0/B0C378 22.007646",
                "753 commit 0/B11578 22.009458", // behind a record over several pages
                "754 commit 0/D75858 22.035638", // behind one over three segments
                "755 commit 0/D758C8 22.037415",
            ],
            found
        );
        Assert.Equal((new Lsn(0xE00000), null), (decoder.End, decoder.Broken)); // a switch
    }

    [Fact]
    public void A_transaction_is_prepared_when_its_record_says()
    {
        var found = new List<string>();
        WalFixture.Decode(
            Start,
            Hostile,
            (in WalRecord record) =>
            {
                if (record.PreparedAt() is { } at)
                {
                    found.Add($"{record.Xid} {at:ss.ffffff}");
                }

                return true;
            }
        );

        Assert.Equal(["747 22.005204", "749 22.006069", "750 22.007492", "752 22.008115"], found);
    }

    [Fact]
    public void Names_are_data()
    {
        var marks = new List<WalMark>();
        WalFixture.Decode(
            Start,
            Hostile,
            (in WalRecord record) =>
            {
                marks.AddRange(record.Mark(new(1)) is { } mark ? [mark] : []);
                return true;
            }
        );

        Assert.Equal(
            ["plain", "evil\nlsn: F/FFFFFFF8, desc: COMMIT 2099-01-01 00:00:00 UTC"],
            marks.Select(mark => mark.Name)
        );
        Assert.Equal((new Lsn(0xB0C530), new Lsn(0xB0C598)), (marks[0].Lsn, marks[0].End));
        Assert.All(
            marks,
            mark => Assert.Equal(At("2026-11-26T12:54:22.008"), mark.At!.Value, TimeSpan.FromMilliseconds(1))
        );
    }

    [Fact]
    public void A_stop_an_opening_and_what_removes_files_before_its_commit()
    {
        var (marks, removed, ends) = (new List<string>(), new List<EarlyRemoval>(), new List<uint>());
        var decoder = WalFixture.Decode(
            LaterStart,
            Later,
            (in WalRecord record) =>
            {
                marks.AddRange(
                    record.Mark(new(2)) is { } mark
                        ? [$"{mark.Kind} {mark.Record} {mark.Lsn} {mark.Parent}>{mark.Opened} {mark.At:ss.ffffff}"]
                        : []
                );
                removed.AddRange(record.Removal(new(1)) is { } removal ? [removal] : []);
                ends.AddRange(record.Transaction(new(1)) is { } ended ? [ended.Xid] : []);
                return true;
            }
        );

        Assert.Equal(
            [
                "Stop CHECKPOINT_SHUTDOWN 0/123AE28 > 22.000000",
                "Opening END_OF_RECOVERY 0/123AEA0 1>2 22.523648",
                "Stop CHECKPOINT_SHUTDOWN 0/123B018 > 22.000000",
            ],
            marks
        );
        Assert.Equal(
            [
                new(RemovedThing.Database, 16403, 759, new(1), new(0x123A7B8), new(0x123A7E0)),
                new(RemovedThing.Database, 16404, 760, new(1), new(0x123AA68), new(0x123AA90)),
                new(RemovedThing.Tablespace, 16405, 762, new(1), new(0x123AD90), new(0x123ADB0)),
            ],
            removed
        );
        Assert.Equal([757u, 758, 759, 760, 761, 762, 763], ends);
        Assert.Equal((new Lsn(0x123B090), "there is no record"), (decoder.End, decoder.Broken));
    }

    [Fact]
    public void A_file_that_was_recycled_ends_the_WAL_where_it_begins()
    {
        var decoder = WalFixture.Decode(
            Start,
            [.. Hostile[..(int)WalFixture.SegmentSize], .. Later],
            (in WalRecord _) => true
        );

        Assert.Equal("the page at 0/C00000 is one of 0/1200000", decoder.Broken);
        Assert.Equal(new Lsn(0xB115A8), decoder.End); // its last record goes on there
    }

    /// <summary>Whatever byte is wrong: no record is made up, and all before it are there.</summary>
    [Fact]
    public async Task A_damaged_byte_ends_the_WAL_before_it_at_the_latest_where_it_is()
    {
        var whole = Records(LaterStart, Later, out var end);
        await Property.HoldsAsync(
            Gen.Select(Gen.Int[0, (int)(end.Value - LaterStart.Value) - 1], Gen.Int[0, 7]),
            200,
            drawn =>
            {
                var (damaged, at) = ((byte[])Later.Clone(), drawn.Item1);
                damaged[at] ^= (byte)(1 << drawn.Item2);
                var found = Records(LaterStart, damaged, out var broken);

                Assert.Equal(whole.Take(found.Count), found);
                Assert.True(
                    found.Count == whole.Count || broken <= new Lsn(LaterStart.Value + (ulong)at),
                    $"the WAL ends at {broken}"
                );
                Assert.True(
                    found.Count == whole.Count
                        || whole[found.Count].End.Value + WalPage.LongHeader >= LaterStart.Value + (ulong)at,
                    $"the WAL ends at {broken}"
                );
            },
            drawn => $"byte {drawn.Item1}, bit {drawn.Item2}"
        );
    }

    /// <summary>Content that is itself WAL, whole valid records among it, at every alignment to pages and
    /// segments.</summary>
    [Fact]
    public async Task Records_within_the_content_of_records_are_content()
    {
        var length = Gen.Frequency((19, Gen.Int[0, 399]), (1, Gen.Int[0, 59_999]));
        await Property.HoldsAsync(
            Gen.Select(Gen.Int[0, 2], length, Gen.Int[0, 99_999]).Array[1, 800],
            40,
            drawn =>
            {
                var (wal, end, expected) = Written(drawn);
                var found = new List<(Lsn, uint, bool, DateTimeOffset)>();
                var decoder = WalFixture.Decode(
                    LaterStart,
                    wal,
                    (in WalRecord record) =>
                    {
                        found.AddRange(
                            record.Transaction(new(1)) is { } ended
                                ? [(ended.Lsn, ended.Xid, ended.Committed, ended.At)]
                                : []
                        );
                        return true;
                    }
                );

                Assert.Equal(expected, found);
                Assert.Equal(end, decoder.End);
                Assert.False(decoder.IsDamaged, decoder.Broken);
            },
            drawn => string.Join(", ", drawn)
        );
    }

    /// <summary>WAL of logical messages and of transactions' ends, each with another piece of WAL in it.</summary>
    private static (byte[] Wal, Lsn End, List<(Lsn, uint, bool, DateTimeOffset)> Ended) Written(
        (int Kind, int Length, int Number)[] records
    )
    {
        var (writer, ended) = (
            new WalWriter(WalFixture.SegmentSize, LaterStart),
            new List<(Lsn, uint, bool, DateTimeOffset)>()
        );
        var (time, xid) = (new DateTimeOffset(2026, 11, 26, 12, 0, 0, TimeSpan.Zero), 0u);
        foreach (var (kind, length, number) in records)
        {
            xid++;
            if (kind > 0)
            {
                var content = Later.AsSpan(0x3A1B0 + number % 2 * 8, length);
                writer.Write(21, 0, xid, [.. new byte[number % 16], .. content]); // a logical message
                continue;
            }

            time += TimeSpan.FromMicroseconds(number);
            var isCommit = number % 4 > 0;
            var microseconds = (time - new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero)).Ticks / 10;
            var lsn = writer.Write(
                1,
                (byte)(isCommit ? 0x00 : 0x20),
                xid,
                [.. BitConverter.GetBytes(microseconds), .. Later.AsSpan(0, length)]
            );
            ended.Add((lsn, xid, isCommit, time));
        }

        return (writer.Wal, writer.End, ended);
    }

    /// <summary>The server crashed with half a record written, and goes on at the next page, as PostgreSQL marks it
    /// (XLP_FIRST_IS_OVERWRITE_CONTRECORD).</summary>
    [Fact]
    public void A_record_whose_end_was_never_written_is_left_out()
    {
        var writer = new WalWriter(WalFixture.SegmentSize, LaterStart);
        var first = writer.Write(21, 0, 1, new byte[100]);
        writer.Write(21, 0, 2, new byte[9000]);
        var wal = writer.Wal;
        wal.AsSpan(8192).Clear();
        var on = new WalWriter(WalFixture.SegmentSize, new(LaterStart.Value + 8192));
        on.Write(21, 0, 3, new byte[10]);
        on.Wal.AsSpan(0, 8192).CopyTo(wal.AsSpan(8192));
        wal[8192 + 2] |= 8;
        var found = new List<uint>();

        var plain = WalFixture.Decode(LaterStart, wal, (in WalRecord _) => true);

        Assert.True(plain.IsDamaged); // its predecessor is another
        Assert.StartsWith("the record says that it follows", plain.Broken, StringComparison.Ordinal);
        BitConverter.GetBytes(first.Value).CopyTo(wal, 8192 + 24 + 8);
        Repair(wal.AsSpan(8192 + 24, 36));
        WalFixture.Decode(
            LaterStart,
            wal,
            (in WalRecord record) =>
            {
                found.Add(record.Xid);
                return true;
            }
        );
        Assert.Equal([1u, 3], found);
    }

    private static void Repair(Span<byte> record)
    {
        var checksum = uint.MaxValue;
        foreach (var single in (byte[])[.. record[24..], .. record[..20]])
        {
            checksum = System.Numerics.BitOperations.Crc32C(checksum, single);
        }

        BitConverter.TryWriteBytes(record[20..], ~checksum);
    }

    private static List<(Lsn Lsn, Lsn End, uint Xid)> Records(Lsn start, byte[] wal, out Lsn end)
    {
        var records = new List<(Lsn, Lsn, uint)>();
        end = WalFixture
            .Decode(
                start,
                wal,
                (in WalRecord record) =>
                {
                    records.Add((record.Lsn, record.End, record.Xid));
                    return true;
                }
            )
            .End;
        return records;
    }

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse($"{time}Z", CultureInfo.InvariantCulture);
}

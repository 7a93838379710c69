using System.Globalization;
using PgFlow.Activities;

namespace PgFlow.UnitTests.Activities;

/// <summary>Lines as pg_waldump of PostgreSQL 17 printed them, and the bytes of their records.</summary>
public sealed class WalDumpLineTests
{
    private const long SegmentSize = 16 * 1024 * 1024;

    private const string Point = "rmgr: XLOG        len (rec/tot):     98/    98, tx:          0, lsn: 0/01749800, prev 0/01749788, desc: RESTORE_POINT a b";

    private const string PointBytes =
        "6200000000000000889774010000000070000000fca62849ff483f4b86a809040300612062000000000000020000000b0000008dcf38560f560000b000ae7a0f560000b89cba7a0f560000"
        + "0899ba7a0f560000e09bba7a0f560000301e99b6fc7f0000000000";

    private const string CheckpointBytes =
        "72000000000000004097740100000000000000005c448e9dff58889774010000000001000000010000000100000001000000e2020000000000004d3500000100000000000000da0200000100"
        + "00000100000001000000000000004ae8056b000000000000000000000000000000000000000000000000000062000000000000008897740100000000";

    private static readonly IReadOnlyList<WalRange> Path = [new(new(1), default, new(0x3000000)), new(new(2), new(0x3000000), new(ulong.MaxValue))];

    [Theory]
    [InlineData("rmgr: Transaction len (rec/tot):     46/    46, tx:        738, lsn: 0/03000028, prev 0/02FFFFD8, desc: COMMIT 2026-11-24 19:28:44.274103 UTC", 738, true)]
    [InlineData("rmgr: Transaction len (rec/tot):     66/  8130, tx:        738, lsn: 0/03000028, prev 0/02FFFFD8, desc: COMMIT 2026-11-24 19:28:44.274103 UTC; inval msgs: catcache 55; sync", 738, true)]
    [InlineData("rmgr: Transaction len (rec/tot):     34/    34, tx:        738, lsn: 0/03000028, prev 0/02FFFFD8, desc: ABORT 2026-11-24 19:28:44.274103 UTC", 738, false)]
    [InlineData("rmgr: Transaction len (rec/tot):     58/    58, tx:          0, lsn: 0/03000028, prev 0/02FFFFD8, desc: COMMIT_PREPARED 740: 2026-11-24 19:28:44.274103 UTC", 740, true)]
    [InlineData("rmgr: Transaction len (rec/tot):     58/    58, tx:          0, lsn: 0/03000028, prev 0/02FFFFD8, desc: ABORT_PREPARED 740: 2026-11-24 19:28:44.274103 UTC", 740, false)]
    public void The_end_of_a_transaction(string line, uint xid, bool committed)
    {
        var read = WalDumpLine.Transaction(line, Path, SegmentSize)!;

        Assert.Equal((xid, committed, new Timeline(2), new Lsn(0x3000028)), (read.Xid, read.Committed, read.Timeline, read.Lsn));
        Assert.Equal(At("2026-11-24T19:28:44.274103Z"), read.At);
    }

    [Theory]
    [InlineData("")]
    [InlineData("pg_waldump: error: could not find a valid record after 0/5000000")]
    [InlineData("rmgr: Transaction len (rec/tot):     54/    54, tx:        739, lsn: 0/03000028, prev 0/02FFFFD8, desc: PREPARE gid x: 2026-11-24 19:28:44.274103 UTC")]
    [InlineData("rmgr: Transaction len (rec/tot):     54/    54, tx:        739, lsn: 0/03000028, prev 0/02FFFFD8, desc: INVALIDATION ; inval msgs: catcache 55")]
    [InlineData(Point)]
    public void Other_lines_tell_of_no_transaction(string line) => Assert.Null(WalDumpLine.Transaction(line, Path, SegmentSize));

    [Theory]
    [InlineData(34, "0/3000028", "0/3000050", "within a page, at the next multiple of eight")]
    [InlineData(0x1FD8, "0/3000028", "0/3002000", "at the page's end: before the header of the next")]
    [InlineData(0x1FD9, "0/3000028", "0/3002020", "over a page's header")]
    [InlineData(0x4000, "0/3000028", "0/3004058", "over two")]
    [InlineData(0x20, "0/3FFFFF0", "0/4000038", "over a segment's, which is longer")]
    public void A_record_ends_behind_all_headers_of_pages_on_its_way(int length, string lsn, string end, string where) => Assert.True(
        WalDumpLine.End($"rmgr: Heap len (rec/tot): 59/{length,6}, tx: 739, lsn: {lsn}, prev 0/0, desc: INSERT off 1", SegmentSize) == Lsn.Parse(end), where);

    [Fact]
    public void A_switch_ends_its_segment() => Assert.Equal(
        new Lsn(0x4000000),
        WalDumpLine.End("rmgr: XLOG        len (rec/tot):     24/    24, tx:          0, lsn: 0/03000108, prev 0/030000D0, desc: SWITCH ", SegmentSize));

    [Fact]
    public void A_restore_point_has_its_time_in_its_first_bytes()
    {
        var mark = Mark(PointBytes, Point)!;

        Assert.Equal((WalMarkKind.Point, "a b", new Lsn(0x1749800), new Lsn(0x1749868)), (mark.Kind, mark.Name, mark.Lsn, mark.End));
        Assert.Equal(At("2026-11-24T19:40:58.722111Z"), mark.At);
    }

    [Fact]
    public void A_page_may_begin_within_a_record()
    {
        // The record begins 28 bytes before the page's end: two bytes of its time are on this page, six on the next.
        var over = PointBytes[..56] + string.Concat(Enumerable.Repeat("ab", 24)) + PointBytes[56..];

        Assert.Equal(At("2026-11-24T19:40:58.722111Z"), Mark(over, Point.Replace("0/01749800", "0/01749FE4", StringComparison.Ordinal))!.At);
    }

    [Fact]
    public void A_record_that_goes_on_in_another_segment_has_no_time_that_can_be_read() => Assert.Null(Mark(PointBytes[..56], Point)!.At);

    [Fact]
    public void An_end_of_recovery_opens_a_timeline()
    {
        var mark = Mark("00", "rmgr: XLOG        len (rec/tot):     46/    46, tx:          0, lsn: 0/03000028, prev 0/02FFFFA0, desc: END_OF_RECOVERY tli 2; prev tli 1; time 2026-11-24 19:28:46.119203 UTC; wal_level replica")!;

        Assert.Equal((WalMarkKind.Opening, new Timeline(2), new Timeline(1), new Timeline(2)), (mark.Kind, mark.Opened, mark.Parent, mark.Timeline));
        Assert.Equal(At("2026-11-24T19:28:46.119203Z"), mark.At);
    }

    [Fact]
    public void A_shutdown_checkpoint_opens_a_timeline_where_it_comes_from_another_and_is_a_stop_else()
    {
        var (opening, stop) = (Mark(CheckpointBytes, OfTimeline(2))!, Mark(CheckpointBytes, OfTimeline(1))!);

        Assert.Equal((WalMarkKind.Opening, new Timeline(2), new Timeline(1)), (opening.Kind, opening.Opened, opening.Parent));
        Assert.Equal((WalMarkKind.Stop, null, null), (stop.Kind, stop.Opened, stop.Parent));
        Assert.Equal(At("2026-11-24T19:40:58Z"), opening.At);
        Assert.Equal(opening.At, stop.At);
    }

    [Theory]
    [InlineData("rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/01000028, prev 0/00000000, desc: CHECKPOINT_ONLINE redo 0/1000028; tli 1; prev tli 1; fpw true")]
    [InlineData("rmgr: XLOG        len (rec/tot):     49/   885, tx:          0, lsn: 0/040000A0, prev 0/04000028, desc: FPI_FOR_HINT , blkref #0: rel 1663/5/1259 blk 0 FPW")]
    [InlineData("")]
    public void Other_lines_are_no_marks(string line) => Assert.Null(Mark("00", line));

    private static string OfTimeline(int number) => FormattableString.Invariant(
        $"rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/01749788, prev 0/01749740, desc: CHECKPOINT_SHUTDOWN redo 0/1749788; tli {number}; prev tli 1; fpw true; wal_level replica; xid 0:738; oid 13645; shutdown");

    private static WalMark? Mark(string bytes, string line) => WalDumpLine.Mark($"{bytes} {line}", Path, SegmentSize);

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);
}

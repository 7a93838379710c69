namespace PgFlow.UnitTests.Recovery;

public sealed class TargetFieldsTests
{
    private sealed record Given
    {
        public string? Time { get; init; }

        public string? Point { get; init; }

        public string? Lsn { get; init; }

        public string? Xid { get; init; }

        public string? Backup { get; init; }

        public bool Latest { get; init; }

        public uint? Timeline { get; init; }

        public (RecoveryTarget? Target, IReadOnlyList<string> Problems) Read() => TargetFields.Read(Time, Point, Lsn, Xid, Backup, Latest, Timeline);

        public RecoveryTarget Target()
        {
            var (target, problems) = Read();
            Assert.Empty(problems);
            return target!;
        }
    }

    [Theory]
    [InlineData("2026-11-24T10:05:00Z", "2026-11-24T10:05:00Z")]
    [InlineData("2026-11-24T12:05+02:00", "2026-11-24T10:05:00Z")]
    [InlineData("2026-11-24 12:05:07.123456+02", "2026-11-24T10:05:07.123456Z")]
    [InlineData("2026-11-24T05:35:00-0430", "2026-11-24T10:05:00Z")]
    public void Reads_a_time_with_its_offset(string given, string time) => Assert.Equal(time, PgFlowText.Exact(new Given { Time = given }.Target().Time!.Value));

    [Fact]
    public void Reads_every_kind()
    {
        Assert.Equal(new() { Point = "before import" }, new Given { Point = "before import" }.Target());
        Assert.Equal(new() { Lsn = new(0x3000148), Timeline = new(2) }, new Given { Lsn = "0/3000148", Timeline = 2 }.Target());
        Assert.Equal(new() { Xid = 742 }, new Given { Xid = "742" }.Target());
        Assert.Equal(new() { Backup = "20261124T140000Z-full" }, new Given { Backup = "20261124T140000Z-full" }.Target());
        Assert.Equal(new() { Latest = true }, new Given { Latest = true }.Target());
    }

    [Theory]
    [InlineData("2026-11-24T10:05:00", "toTime: '2026-11-24T10:05:00' has no offset, so it could be 2026-11-24T10:05:00Z (UTC) or, say, 2026-11-24T10:05:00+02:00 (local time two hours ahead of it); write which")]
    [InlineData("yesterday", "toTime: 'yesterday' is no time; write it as 2026-11-24T10:05:00Z or 2026-11-24T12:05:00.123456+02:00")]
    [InlineData("2026-02-30T10:05:00Z", "toTime: '2026-02-30T10:05:00Z' is no time; write it as 2026-11-24T10:05:00Z or 2026-11-24T12:05:00.123456+02:00")]
    [InlineData("24.11.2026 10:05Z", "toTime: '24.11.2026 10:05Z' is no time; write it as 2026-11-24T10:05:00Z or 2026-11-24T12:05:00.123456+02:00")]
    [InlineData("", "toTime: '' is no time; write it as 2026-11-24T10:05:00Z or 2026-11-24T12:05:00.123456+02:00")]
    public void A_time_that_could_be_two_or_none_is_refused(string given, string problem)
    {
        var (target, problems) = new Given { Time = given }.Read();

        Assert.Null(target);
        Assert.Equal([problem], problems);
    }

    [Fact]
    public void Says_everything_that_is_wrong_at_once() => Assert.Equal(
        [
            "toPoint, toLsn, toXid, toBackup, latest: are 5 targets; give only one of toTime, toPoint, toLsn, toXid, toBackup or latest",
            "toPoint: ' ' is not the name of a restore point; give one of 1 to 63 characters",
            "toLsn: '3000148' is no LSN; write two hexadecimal numbers with a slash between them, as 0/3000148",
            "toXid: '2' is no transaction; write a number from 3 to 4294967295, without the epoch",
            "toBackup: '' is not the ID of a backup; give one of 1 to 63 characters",
            "timeline: 0 is none; they are numbered from 1",
        ],
        new Given { Point = " ", Lsn = "3000148", Xid = "2", Backup = "", Latest = true, Timeline = 0 }.Read().Problems);

    [Fact]
    public void A_target_must_be_given() =>
        Assert.Equal(["target: none is given; give one of toTime, toPoint, toLsn, toXid, toBackup or latest"], new Given { Timeline = 2 }.Read().Problems);
}

using System.Runtime.CompilerServices;
using System.Text.Json;

namespace PgFlow.UnitTests.Recovery;

public sealed class TargetInputTests
{
    private static RecoveryTarget Target(TargetInput given)
    {
        var (target, problems) = given.Read();
        Assert.Empty(problems);
        return target!;
    }

    [Theory]
    [InlineData("2026-11-24T10:05:00Z", "2026-11-24T10:05:00Z")]
    [InlineData("2026-11-24T12:05+02:00", "2026-11-24T10:05:00Z")]
    [InlineData("2026-11-24 12:05:07.123456+02", "2026-11-24T10:05:07.123456Z")]
    [InlineData("2026-11-24T05:35:00-0430", "2026-11-24T10:05:00Z")]
    public void Reads_a_time_with_its_offset(string given, string time) =>
        Assert.Equal(time, PgFlowText.Exact(Assert.IsType<TimeTarget>(Target(new() { ToTime = given })).Time));

    [Fact]
    public void Reads_every_kind()
    {
        Assert.Equal(new PointTarget("before import"), Target(new() { ToPoint = "before import" }));
        Assert.Equal(
            new LsnTarget(new(0x3000148)) { Timeline = new(2) },
            Target(new() { ToLsn = "0/3000148", Timeline = 2 })
        );
        Assert.Equal(new XidTarget(742), Target(new() { ToXid = "742" }));
        Assert.Equal(new BackupTarget("20261124T140000Z-full"), Target(new() { ToBackup = "20261124T140000Z-full" }));
        Assert.Equal(new LatestTarget(), Target(new() { Latest = true }));
    }

    [Theory]
    [InlineData(
        "2026-11-24T10:05:00",
        "toTime: '2026-11-24T10:05:00' has no offset, so it could be 2026-11-24T10:05:00Z (UTC) or, say, "
            + "2026-11-24T10:05:00+02:00 (local time two hours ahead of it); write which"
    )]
    [InlineData(
        "yesterday",
        "toTime: 'yesterday' is no time; write it as 2026-11-24T10:05:00Z or 2026-11-24T12:05:00.123456+02:00"
    )]
    [InlineData(
        "2026-02-30T10:05:00Z",
        "toTime: '2026-02-30T10:05:00Z' is no time; write it as 2026-11-24T10:05:00Z or "
            + "2026-11-24T12:05:00.123456+02:00"
    )]
    [InlineData(
        "24.11.2026 10:05Z",
        "toTime: '24.11.2026 10:05Z' is no time; write it as 2026-11-24T10:05:00Z or 2026-11-24T12:05:00.123456+02:00"
    )]
    [InlineData("", "toTime: '' is no time; write it as 2026-11-24T10:05:00Z or 2026-11-24T12:05:00.123456+02:00")]
    public void A_time_that_could_be_two_or_none_is_refused(string given, string problem)
    {
        var (target, problems) = new TargetInput { ToTime = given }.Read();

        Assert.Null(target);
        Assert.Equal(problem, Assert.Single(problems).ToString());
    }

    [Fact]
    public void Says_everything_that_is_wrong_at_once() =>
        Assert.Equal(
            [
                "toPoint, toLsn, toXid, toBackup, latest: are 5 targets; give only one of toTime, toPoint, "
                    + "toLsn, toXid, toBackup or latest",
                "toPoint: ' ' is not the name of a restore point; give one of 1 to 63 characters",
                "toLsn: '3000148' is no LSN; write two hexadecimal numbers with a slash between them, as 0/3000148",
                "toXid: '2' is no transaction; write a number from 3 to 4294967295, without the epoch",
                "toBackup: '' is not the ID of a backup; give one of 1 to 63 characters",
                "timeline: 0 is none; they are numbered from 1",
            ],
            new TargetInput
            {
                ToPoint = " ",
                ToLsn = "3000148",
                ToXid = "2",
                ToBackup = "",
                Latest = true,
                Timeline = 0,
            }
                .Read()
                .Problems.Select(problem => problem.ToString())
        );

    [Fact]
    public void A_target_must_be_given() =>
        Assert.Equal(
            ["target: none is given; give one of toTime, toPoint, toLsn, toXid, toBackup or latest"],
            new TargetInput { Timeline = 2 }
                .Read()
                .Problems.Select(problem => problem.ToString())
        );

    [Fact]
    public void Is_written_for_an_activity_as_ever()
    {
        (RecoveryTarget Target, string Json)[] all =
        [
            (new TimeTarget(DateTimeOffset.UnixEpoch), """{"time":"1970-01-01T00:00:00+00:00"}"""),
            (new PointTarget("before"), """{"point":"before"}"""),
            (new LsnTarget(new(0x3000148)) { Timeline = new(2) }, """{"lsn":"0/3000148","timeline":2}"""),
            (new XidTarget(742), """{"xid":742}"""),
            (new BackupTarget("b"), """{"backup":"b"}"""),
            (new LatestTarget(), """{"latest":true}"""),
        ];

        Assert.Equal(TargetKind.All, all.Select(one => one.Target.Kind));
        Assert.All(
            all,
            one =>
                Assert.Equal(one.Json, JsonSerializer.Serialize(one.Target, one.Target.GetType(), PgFlowJson.Options))
        );
        Assert.All(
            all,
            one => Assert.Equal(one.Target, JsonSerializer.Deserialize<RecoveryTarget>(one.Json, PgFlowJson.Options))
        );
    }

    [Fact]
    public void Is_read_as_the_previous_build_writes_it() =>
        Assert.Equal(
            new XidTarget(742),
            JsonSerializer.Deserialize<RecoveryTarget>("""{"xid":742,"latest":false}""", PgFlowJson.Options)
        );

    [Fact]
    public void Every_kind_stands_in_the_docs()
    {
        var page = File.ReadAllText(
            Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs/procedures/recover-cluster.md")
        );

        Assert.All(TargetKind.All, kind => Assert.Contains($"| `{kind.Field}` |", page, StringComparison.Ordinal));
    }

    private static string Here([CallerFilePath] string path = "") => path;
}

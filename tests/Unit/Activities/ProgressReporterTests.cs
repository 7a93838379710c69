namespace PgFlow.UnitTests.Activities;

public sealed class ProgressReporterTests
{
    [Theory]
    [InlineData("12288/24576 kB (50%), 0/1 tablespace", 12288 * 1024, 24576 * 1024, true)] // pg_basebackup -P
    [InlineData("   23113/23113 kB (100%), 1/1 tablespace", 23113 * 1024, 23113 * 1024, true)]
    [InlineData(" 6144/48211 kB (12%) copied", 6144 * 1024, 48211 * 1024, true)] // pg_rewind --progress
    [InlineData("3/10 segments (30%) archived", 3, 10, false)]
    [InlineData("replays: 0/3000100; from 0/3000000 to 0/3000400", 0x100, 0x400, true)]
    public void A_programs_progress_is_read(string line, long done, long total, bool inBytes) =>
        Assert.Equal(new(done, total, inBytes), ProgramProgress.Parse(line));

    [Theory]
    [InlineData("")]
    [InlineData("waiting for checkpoint")]
    [InlineData("pg_rewind: servers diverged at WAL location 0/3000148 on timeline 1")]
    [InlineData("0/0 kB (100%), 0/1 tablespace")]
    [InlineData("999999999999999999/999999999999999999 kB (100%)")]
    [InlineData("replays: postgres: startup recovering 00000001; from nowhere yet to 0/3000400")]
    public void Other_lines_are_no_progress(string line) => Assert.Null(ProgramProgress.Parse(line));

    [Fact]
    public void The_rest_is_estimated_by_the_pace_of_its_phase()
    {
        var clock = new Clock();
        var pace = new Pace(clock);

        Assert.Null(pace.SecondsLeft("copy", 1000, 5000));
        clock.Now += TimeSpan.FromSeconds(10);
        Assert.Equal(30, pace.SecondsLeft("copy", 2000, 5000));
        Assert.Null(pace.SecondsLeft("replay", 2500, 5000));
        clock.Now += TimeSpan.FromSeconds(5);
        Assert.Equal(0, pace.SecondsLeft("replay", 6000, 5000)); // the total was an estimate
        Assert.Null(pace.SecondsLeft("replay", 10, 5000)); // it began anew
    }

    [Fact]
    public void A_report_has_its_step_and_never_more_than_all()
    {
        using var progress = ProgressReporter.Begin(new(new(4, "Copy"), Lease: null));
        ProgressReporter.OfProgram("copy", "30/20 kB (100%), 0/1 tablespace");
        Assert.Equal(new("copy", 100, 30 * 1024, 20 * 1024, null, 4), progress.Newest);

        ProgressReporter.OfProgram("copy", "waiting for checkpoint");
        Assert.Equal(new("waiting for checkpoint", Step: 4), progress.Newest);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}

using Spectre.Console.Testing;

namespace PgFlow.UnitTests.Cli;

public sealed class ProgressTests
{
    private static readonly StepReport Copying = new(
        2,
        "replay",
        "Copy p1 to p2",
        StepState.Running,
        DateTimeOffset.UnixEpoch
    );

    private readonly TestConsole _console = new TestConsole().Width(200);
    private readonly ManualClock _clock = new();

    [Fact]
    public void An_activity_that_has_only_started_says_nothing_but_why_it_is_tried_again()
    {
        var started = new PendingActivity("1", "CopyPrimary", new(ActivityProgress.Started, Step: 3), Failure: null);
        Assert.Equal("", started.Words);
        Assert.Equal("attempt 2: no", (started with { Failure = "attempt 2: no" }).Words);
    }

    [Fact]
    public void What_is_done_and_what_is_left_stands_under_its_step()
    {
        var beside = new StepReport(3, "fence", "Fence p3", StepState.Running, DateTimeOffset.UnixEpoch);
        _console.Write(LiveView.Draw(Snapshot(At(40, 20), Copying, beside), "ID", DateTimeOffset.UnixEpoch));

        Assert.Matches(
            "Copy p1 to p2 .*\n +copy: 40 %, 38 MB of 95 MB, 2929 kB/s, about 20 s left *\n.*Fence p3",
            _console.Output
        );
    }

    [Fact]
    public void Nothing_is_said_of_a_step_that_is_over()
    {
        _console.Write(
            LiveView.Draw(
                Snapshot(At(100), Copying with { State = StepState.Done, Milliseconds = 7 }),
                "ID",
                DateTimeOffset.UnixEpoch
            )
        );

        Assert.DoesNotContain("100 %", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_are_written_for_each_tenth_and_after_ten_seconds()
    {
        var view = new LineView(_console, "ID", _clock);
        foreach (var percent in new[] { 1, 2, 9, 10, 11, 19, 20 })
        {
            view.Show(Snapshot(At(percent), Copying));
        }

        _clock.Now += TimeSpan.FromSeconds(11);
        view.Show(Snapshot(At(21), Copying));
        view.Show(Snapshot(At(22), Copying));

        Assert.Equal(
            ["1 %", "10 %", "20 %", "21 %"],
            _console.Lines.Skip(1).Select(line => line.Split(": ")[2].Split(',')[0])
        );
    }

    [Fact]
    public void Lines_say_a_failure_at_once()
    {
        var view = new LineView(_console, "ID", _clock);
        view.Show(Snapshot(At(1), Copying));
        view.Show(Snapshot(At(1) with { Failure = "attempt 2: the network is gone" }, Copying));

        Assert.EndsWith("(attempt 2: the network is gone)", _console.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_show_a_phase_without_a_percentage_now_and_then()
    {
        var view = new LineView(_console, "ID", _clock);
        for (var second = 0; second < 25; second++)
        {
            view.Show(Snapshot(new("7", "Start", new($"p2 starts; {second} s", Step: 2), null), Copying));
            _clock.Now += TimeSpan.FromSeconds(1);
        }

        Assert.Equal(
            ["     2: p2 starts; 0 s", "     2: p2 starts; 10 s", "     2: p2 starts; 20 s"],
            _console.Lines.Skip(1)
        );
    }

    private static PendingActivity At(double percent, double? left = null) =>
        new("7", "Copy", new("copy", percent, (long)(1_000_000 * percent), 100_000_000, left, Step: 2), null);

    private static Snapshot Snapshot(PendingActivity activity, params StepReport[] steps) =>
        new(Samples.Progress(ProcedureStatus.Running, steps), null, [activity], Closed: false);

    private sealed class ManualClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}

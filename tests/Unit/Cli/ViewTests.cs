using Spectre.Console.Testing;

namespace PgFlow.UnitTests.Cli;

public sealed class ViewTests
{
    private static readonly StepReport Done = new(1, "stop", "Stop p1", StepState.Done, DateTimeOffset.UnixEpoch, 120);
    private static readonly StepReport Blocked = new(
        2,
        "promote",
        "Promote p2",
        StepState.Blocked,
        DateTimeOffset.UnixEpoch,
        5,
        "it [hangs]"
    );

    private readonly TestConsole _console = new TestConsole().Width(200);

    [Fact]
    public void Lines_say_each_change_once()
    {
        var view = new LineView(_console, "ID", TimeProvider.System);
        var running = new StepReport(1, "stop", "Stop p1", StepState.Running, DateTimeOffset.UnixEpoch);

        view.Show(new(Samples.Progress(ProcedureStatus.Running, running), null, [], Closed: false));
        view.Show(new(Samples.Progress(ProcedureStatus.Running, running), null, [], Closed: false));
        view.Show(new(Samples.Progress(ProcedureStatus.Running, Done), null, [], Closed: false));

        Assert.Equal(["▶  1 Stop p1", "✓  1 Stop p1 (120 ms)"], _console.Lines);
    }

    [Fact]
    public void Lines_say_how_a_blocked_step_goes_on()
    {
        new LineView(_console, "ID", TimeProvider.System).Show(
            new(Samples.Progress(ProcedureStatus.Blocked, Done, Blocked), null, [], Closed: false)
        );

        Assert.Contains("‼  2 Promote p2 (5 ms): it [hangs]", _console.Lines);
        Assert.Contains(
            "  step 2 waits for a person; Fix the cause, then run: pgflow resolve ID retry --step 2; end here as "
                + "incomplete: pgflow resolve ID abort --step 2",
            _console.Lines
        );
    }

    [Fact]
    public void The_live_view_has_what_is_done_and_what_is_ahead()
    {
        _console.Write(
            LiveView.Draw(
                new(
                    Samples.Progress(ProcedureStatus.Running, Done),
                    WorkflowTasks.NoWorker,
                    [new("7", "Copy", null, "attempt 2: the network is gone")],
                    Closed: false
                ),
                "ID",
                DateTimeOffset.UnixEpoch
            )
        );

        Assert.Matches("✓ +1 +Stop p1 +120 ms", _console.Output);
        Assert.Matches("· +Promote p2", _console.Output);
        Assert.Contains("Copy: attempt 2: the network is gone", _console.Output, StringComparison.Ordinal);
        Assert.Contains("pgflow worker", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_shows_its_warnings_as_they_are()
    {
        PlanText.Write(_console, Samples.Plan);

        Assert.Equal(
            [
                "p2 becomes the primary",
                "  primary p1 on timeline 1",
                "  ⚠ p3 is [hung]",
                "   1 Stop p1",
                "   2 Promote p2",
            ],
            _console.Lines
        );
    }

    [Fact]
    public void A_report_names_who_why_and_what()
    {
        ReportText.Write(_console, Samples.Report(ProcedureStatus.Succeeded) with { Reason = "drill" });

        Assert.Contains("Switchover demo: succeeded", _console.Output, StringComparison.Ordinal);
        Assert.Matches("by +ann@host", _console.Output);
        Assert.Matches("reason +drill", _console.Output);
        Assert.Contains("- nothing was lost", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_status_marks_what_is_wrong()
    {
        var cluster = ClusterName.Parse("demo");
        var state = new ClusterState
        {
            Cluster = cluster,
            Nodes =
            [
                new()
                {
                    Id = new(cluster, NodeName.Of(1)),
                    Role = NodeRole.Primary,
                    Container = "running",
                    RestartPolicy = "unless-stopped",
                    Address = "10.0.0.2",
                    Endpoint = EndpointRole.ReadWrite,
                    Timeline = new(2),
                    Archiver = new(null, "000000020000000000000003", 4),
                    Followers = [new("p2", "streaming", null, 50_000_000, "async", 0)],
                },
                new()
                {
                    Id = new(cluster, NodeName.Of(2)),
                    Role = NodeRole.Standby,
                    Container = "running",
                    RestartPolicy = "unless-stopped",
                    Address = "10.0.0.3",
                },
                new()
                {
                    Id = new(cluster, NodeName.Of(3)),
                    Role = NodeRole.Stopped,
                    Container = "exited",
                    RestartPolicy = "no",
                    Address = "10.0.0.4",
                    Wal = new(0x5000028),
                    Control = ControlState.InProduction,
                },
            ],
        };

        StatusText.Nodes(state).Write(_console);

        Assert.Matches("p1 +primary +2 +rw +fails on 000000020000000000000003", _console.Output);
        Assert.Matches("p2 +standby +47 MB", _console.Output);
        Assert.Matches(@"p3 +stopped \(exited, fenced\) +>= 0/5000028", _console.Output);
    }

    [Fact]
    public void The_point_of_no_return_stands_in_plan_lines_and_table()
    {
        var plan = Samples.Plan with { Steps = [new("stop", "Stop p1"), new("promote", "Promote p2", true)] };
        PlanText.Write(_console, plan);
        Assert.Equal("Stop p1|point of no return|Promote p2", Order(_console.Lines));

        var table = new TestConsole().Width(200);
        StepReport[] steps = [new(1, "stop", "Stop p1", StepState.Done)];
        table.Write(StepsText.Table(steps, [plan.Steps[1]], DateTimeOffset.UnixEpoch));
        Assert.Equal("Stop p1|point of no return|Promote p2", Order(table.Lines));

        var lines = new TestConsole().Width(200);
        steps = [.. steps, new(2, "promote", "Promote p2", StepState.Running, AfterPointOfNoReturn: true)];
        new LineView(lines, "ID", TimeProvider.System).Show(
            new(Samples.Progress(ProcedureStatus.Running, steps), Trouble: null, [], Closed: false)
        );
        Assert.Equal("Stop p1|point of no return|Promote p2", Order(lines.Lines));

        static string Order(IEnumerable<string> lines) =>
            string.Join(
                '|',
                lines.SelectMany(line =>
                    ((string[])["Stop p1", "point of no return", "Promote p2"]).Where(line.Contains)
                )
            );
    }

    [Fact]
    public void A_step_that_was_left_out_is_not_told_as_done()
    {
        var table = new TestConsole().Width(200);
        table.Write(StepsText.Table([new(1, "stop", "p1 is gone", StepState.Skipped)], [], DateTimeOffset.UnixEpoch));
        Assert.Contains("left out: p1 is gone", table.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_status_says_what_a_recovery_could_bring_back()
    {
        var cluster = ClusterName.Parse("demo");
        var primary = new NodeState
        {
            Id = new(cluster, NodeName.Of(1)),
            Role = NodeRole.Primary,
            Container = "running",
            RestartPolicy = "unless-stopped",
            Address = "10.0.0.2",
            Archiver = new("000000020000000000000003", null, 2, WaitingSeconds: 30, UnarchivedBytes: 40_000_000),
        };
        var archive = new ArchiveState
        {
            Live = new(2),
            Backup = new(
                "20261124T100000Z-full",
                DateTimeOffset.UnixEpoch,
                new(1),
                DateTimeOffset.UnixEpoch.AddHours(1)
            ),
            Gaps = [new(new(1), "000000010000000000000001", "000000010000000000000002")],
        };

        Assert.Equal(
            [
                "not archived: 38 MB of p1's WAL; 2 files wait, the first for 30 s; last archived: "
                    + "000000020000000000000003",
                "last backup: 20261124T100000Z-full, ended 1970-01-01 00:00:00Z on timeline 1, verified "
                    + "1970-01-01 01:00:00Z",
                "gap: timeline 1 lacks 000000010000000000000001 to 000000010000000000000002",
            ],
            StatusText.Archive(new(Healthy: true, [], new() { Cluster = cluster, Nodes = [primary] }, archive))
        );
        Assert.Equal(
            ["last backup: none"],
            StatusText.Archive(new(Healthy: false, [], new() { Cluster = cluster }, new()))
        );
        Assert.Empty(
            StatusText.Archive(new(Healthy: false, [], new() { Cluster = cluster }, new() { Unreadable = "why" }))
        );
    }
}

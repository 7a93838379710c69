using System.Text.Json;

namespace PgFlow.UnitTests.Cli;

/// <summary>What to do next is data: a terminal shows the command, a program gets what it starts or tells.</summary>
public sealed class HintTests
{
    private static readonly ClusterName Cluster = ClusterName.Parse("demo");

    private static readonly Finding NoPrimary = new(
        FindingCode.NoPrimary,
        Hint: Hint.Failover(Cluster, NodeName.Of(2))
    );

    private static readonly Report Busy = Samples.Report(ProcedureStatus.ClusterBusy) with
    {
        Summary = "demo is held by Switchover s-1",
        Hints =
        [
            Hint.Resolve("decide it", "s-1", ResolveAction.Retry, step: 3),
            Hint.Start("take the cluster from it", new SwitchoverInput { Cluster = Cluster, TakeOver = "s-1" }),
        ],
    };

    private readonly CliCall _call = new();

    private Terminal Terminal => new(_call.Out, _call.Error, Interactive: false);

    [Theory]
    [InlineData("succeeded", ExitCodes.Done, "⏲")]
    [InlineData("refused", ExitCodes.Failed, "‼")]
    public void A_schedule_whose_last_run_did_not_succeed_needs_somebody(string outcome, int code, string sign)
    {
        var at = DateTimeOffset.UnixEpoch;
        var last = new Run("take-backup-demo-1", "TakeBackup", "demo", outcome, "schedule", at, at, null, null, null);
        var schedule = new ScheduledRun("pgflow-backup-demo", "TakeBackup", Paused: false, Next: null, last);
        var status = new ClusterStatus(
            "demo",
            new(Healthy: true, [], new() { Cluster = Cluster }),
            new(ExitCodes.Done, "succeeded", ""),
            [],
            [schedule]
        );

        Assert.Equal(code, status.ExitCode);
        Assert.Equal(
            $"{sign} TakeBackup never again; last {outcome}, 1970-01-01 00:00Z: pgflow show take-backup-demo-1",
            schedule.Line
        );
    }

    [Fact]
    public void Status_shows_the_command_of_each_finding()
    {
        StatusText.Write(Terminal, Looked(NoPrimary, new(FindingCode.ReplayPaused, Hint: new("resume it"))));

        Assert.Contains(
            "‼ no node accepts writes; make a node the primary: pgflow failover demo --to p2",
            _call.Out.Lines
        );
        Assert.Contains("‼ replay is paused on ; resume it", _call.Out.Lines);
    }

    [Fact]
    public void Status_says_what_commits_wait_for_and_of_a_stopped_primary_what_they_will()
    {
        string[] Said(ClusterState state)
        {
            var call = new CliCall();
            StatusText.Write(
                new(call.Out, call.Error, Interactive: false),
                new("demo", new(Healthy: true, [], state), new(ExitCodes.Done, "succeeded", ""), [], [])
            );
            return [.. call.Out.Lines.Where(line => line.Contains("synchronous", StringComparison.Ordinal))];
        }

        Assert.Empty(Said(Sample.Healthy()));
        Assert.Equal(
            ["synchronous: each commit is to wait for 2 standbys; synchronous_standby_names is 'ANY 2 (p2, p3)' on p1"],
            Said(Sample.Synchronous("ANY 2 (p2, p3)", quorum: 2))
        );
        Assert.Equal(
            [
                "asynchronous; synchronous_standby_names is '' on p1 when it starts, and was 'ANY 1 (p2, p3)' "
                    + "before",
            ],
            Said(
                Sample
                    .Synchronous("", quorum: 0)
                    .With(1, node => Sample.Stopped(node) with { EarlierStandbyNames = "ANY 1 (p2, p3)" })
            )
        );
    }

    [Fact]
    public void Status_has_procedure_and_input_in_its_JSON()
    {
        Terminal.Json(Looked(NoPrimary).Json);

        var finding = Out.GetProperty("findings")[0];
        Assert.Equal("noPrimary", finding.GetProperty("code").GetString());
        Assert.Equal(
            """{"input":{"cluster":"demo","to":"p2"},"procedure":"Failover","text":"make a node the primary"}""",
            Compact(finding.GetProperty("hint"))
        );
    }

    [Fact]
    public void Status_of_what_cannot_be_looked_at_says_what_to_do()
    {
        var refused = Samples.Report(ProcedureStatus.Refused) with
        {
            Hints = [Hint.Run("make it", "InitCluster", Cluster)],
        };
        var status = new ClusterStatus("demo", Inspection: null, ProcedureResult.Of(refused), [], []);
        StatusText.Write(Terminal, status);
        Terminal.Json(status.Json);

        Assert.Contains("  hint:   make it: pgflow init demo", _call.Error.Lines);
        Assert.Equal("InitCluster", Out.GetProperty("hints")[0].GetProperty("procedure").GetString());
    }

    [Fact]
    public void Show_has_each_way_on_in_a_line_of_its_own()
    {
        var plan = Samples.Plan with { Warnings = [NoPrimary] };
        ReportText.Write(_call.Out, Busy with { Plan = plan });

        Assert.Equal("demo is held by Switchover s-1", _call.Out.Lines[1]);
        Assert.Equal(
            [
                "  hint: decide it: pgflow resolve s-1 retry --step 3",
                "  hint: take the cluster from it: pgflow switchover demo --take-over s-1",
            ],
            _call.Out.Lines.TakeLast(2)
        );
        Assert.Contains(
            "  ⚠ no node accepts writes; make a node the primary: pgflow failover demo --to p2",
            _call.Out.Lines
        );
    }

    [Fact]
    public void Show_of_a_blocked_procedure_has_each_decision_in_a_line_of_its_own()
    {
        var blocked = new StepReport(
            2,
            "promote",
            "Promote p2",
            StepState.Blocked,
            DateTimeOffset.UnixEpoch,
            5,
            "it hangs"
        );
        var progress = Samples.Progress(ProcedureStatus.Blocked, blocked);
        _call.Out.Write(LiveView.Draw(new(progress, null, [], Closed: false), "ID", DateTimeOffset.UnixEpoch));
        var lines = _call.Out.Lines.Select(line => line.TrimEnd()).ToList();

        Assert.Contains("  Fix the cause, then run: pgflow resolve ID retry --step 2", lines);
        Assert.Contains("  end here as incomplete: pgflow resolve ID abort --step 2", lines);
        Assert.Equal(
            """{"text":"Fix the cause, then run","input":{"action":"retry","step":2},"workflowId":"ID","action":"resolve"}""",
            Compact(JsonSerializer.SerializeToElement(progress.Blocked[0].Hints[0], PgFlowJson.Options))
        );
    }

    [Theory]
    [InlineData("show", "s-1")]
    [InlineData("switchover", "demo")]
    public void The_end_has_the_same_hints_as_text_and_as_JSON(string command, string of)
    {
        Assert.Equal(ExitCodes.ClusterBusy, EndText.Print(Call(command, of), "f-1", ProcedureResult.Of(Busy)));
        Assert.Contains("  hint:   decide it: pgflow resolve s-1 retry --step 3", _call.Error.Lines);
        Assert.Contains(
            "  hint:   take the cluster from it: pgflow switchover demo --take-over s-1",
            _call.Error.Lines
        );

        EndText.Print(Call(command, of, "-o", "json"), "f-1", ProcedureResult.Of(Busy));
        Assert.Equal(
            """
            [{"action":"resolve","input":{"action":"retry","step":3},"text":"decide it","workflowId":"s-1"},{"input":{"cluster":"demo","takeOver":"s-1"},"procedure":"Switchover","text":"take the cluster from it"}]
            """,
            Compact(Out.GetProperty("hints"))
        );
    }

    [Fact]
    public void A_success_says_what_is_left_to_do()
    {
        var done = Samples.Report(ProcedureStatus.Succeeded) with { Hints = [Hint.Rejoin(Cluster, NodeName.Of(1))] };
        var nothing = done with { Steps = [], Hints = [], Plan = Samples.Plan with { Warnings = [NoPrimary] } };
        EndText.Print(Call("failover", "demo"), "f-1", ProcedureResult.Of(done));
        EndText.Print(Call("failover", "demo"), "f-1", ProcedureResult.Of(nothing));

        Assert.Equal(
            [
                "- nothing was lost",
                "  hint: bring it back: pgflow failback demo p1",
                "  ⚠ no node accepts writes; make a node the primary: pgflow failover demo --to p2",
                "- nothing was lost",
            ],
            _call.Error.Lines
        );
    }

    [Fact]
    public void A_hundred_warnings_are_shown_and_all_are_data()
    {
        Finding[] going =
        [
            .. Enumerable.Range(1, 130).Select(number => new Finding(FindingCode.Expires, Detail: $"backup B{number}")),
        ];
        PlanText.WriteWarnings(_call.Out, Samples.Plan with { Warnings = going });

        Assert.Equal(101, _call.Out.Lines.Count);
        Assert.Equal("  ⚠ backup B100", _call.Out.Lines[99]);
        Assert.Equal("  ⚠ and 30 more like these", _call.Out.Lines[100]);
    }

    private JsonElement Out => JsonDocument.Parse(_call.Out.Output).RootElement;

    private InvocationContext Call(params string[] args) => new(CommandLine.Read(args, Terminal), Terminal);

    private static string Compact(JsonElement json) => JsonSerializer.Serialize(json);

    private static ClusterStatus Looked(params Finding[] findings) =>
        new(
            "demo",
            new(Healthy: false, findings, new() { Cluster = Cluster }),
            new(ExitCodes.Done, "succeeded", ""),
            [],
            []
        );
}

using System.Diagnostics;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.WorkflowTests;

/// <summary>What the witness does with what it sees.</summary>
public sealed class WitnessTests(TemporalServer server)
{
    [Fact]
    public async Task Starts_a_failover_with_its_evidence_when_the_primary_is_down()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world);
        world.InMemory.Show(WitnessFinding.Well);
        world.InMemory.Crash("p1");
        world.InMemory.Show(WitnessFinding.Down);

        var started = await DecidedAsync(witness, WitnessAction.FailedOver);
        var report = await world.Client.GetWorkflowHandle(started.WorkflowId!).GetResultAsync<Report>();
        Assert.Equal((ProcedureStatus.Succeeded, "witness of anna"), (report.Outcome, report.By));
        Assert.StartsWith("p1 is down by both signs: as a test says", report.Reason, StringComparison.Ordinal);
        Assert.Equal(NodeRole.Primary, world.InMemory["p2"].Role);
        await StopAsync(witness);
        Assert.Equal(
            ["Failover", "WatchCluster"],
            world.InMemory.Ledger.Select(record => record.Procedure).Distinct().Order()
        );
        Assert.Contains(
            world.InMemory.Ledger,
            record => record.Procedure == "WatchCluster" && record.Notes.Contains(started.WorkflowId!)
        );
    }

    [Fact]
    public async Task Brings_the_old_primary_back_where_it_was_told_to()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world, ("failback", true));
        world.InMemory.Crash("p1");
        world.InMemory.Show(WitnessFinding.Down);

        var failback = await DecidedAsync(witness, WitnessAction.FailedBack);
        await world.Client.GetWorkflowHandle(failback.WorkflowId!).GetResultAsync<Report>();
        Assert.Equal(NodeRole.Standby, world.InMemory["p1"].Role);
        await StopAsync(witness);
    }

    [Fact]
    public async Task Looks_again_before_it_acts_and_says_why_it_does_not()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world);
        world.InMemory.Show(WitnessFinding.Down); // and p1 accepts writes

        var alert = await DecidedAsync(witness, WitnessAction.Alerted);
        Assert.StartsWith("no failover: ", alert.Summary, StringComparison.Ordinal);
        Assert.Contains("accepts writes", alert.Summary, StringComparison.Ordinal);
        await StopAsync(witness);
        Assert.Contains(
            world.InMemory.Ledger,
            record => record.Summary == alert.Summary && record.Outcome is ProcedureStatus.Refused
        );
        Assert.DoesNotContain(world.InMemory.Ledger, record => record.Procedure == "Failover");
    }

    [Fact]
    public async Task Does_not_fail_over_twice_within_ten_minutes_nor_says_so_twice()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world);
        world.InMemory.Crash("p1");
        world.InMemory.Show(WitnessFinding.Down);
        var first = await DecidedAsync(witness, WitnessAction.FailedOver);
        await world.Client.GetWorkflowHandle(first.WorkflowId!).GetResultAsync<Report>();
        world.InMemory.Crash("p2");
        world.InMemory.Show(WitnessFinding.Down, "p2");
        world.InMemory.Show(WitnessFinding.Down, "p2");
        world.InMemory.Show(WitnessFinding.Unclear, "p2");

        var decisions = await UntilAsync(witness, status => status.Verdict?.Finding is WitnessFinding.Unclear);
        Assert.Single(
            decisions.Decisions,
            decision => decision.Summary.Contains("less than 10 min ago", StringComparison.Ordinal)
        );
        await StopAsync(witness);
    }

    [Fact]
    public async Task A_failover_that_has_not_begun_costs_no_ten_minutes()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world);
        var gate = world.InMemory.Hold("CopyPrimary p3");
        var holder = await world.StartAsync("RemakeStandby", ("node", "p3"));
        await gate.Reached;
        world.InMemory.Crash("p1");
        world.InMemory.Show(WitnessFinding.Down);
        var refused = await DecidedAsync(witness, WitnessAction.FailedOver);
        await Assert.ThrowsAsync<WorkflowFailedException>(() =>
            world.Client.GetWorkflowHandle(refused.WorkflowId!).GetResultAsync<Report>()
        );
        await holder.TerminateAsync();
        gate.Open();

        await DecidedAsync(witness, WitnessAction.Alerted);
        world.InMemory.Show(WitnessFinding.Down);
        var decided = await UntilAsync(
            witness,
            status => status.Decisions.Count(one => one.Action is WitnessAction.FailedOver) == 2
        );
        Assert.DoesNotContain(
            decided.Decisions,
            one => one.Summary.Contains("less than 10 min ago", StringComparison.Ordinal)
        );
        await StopAsync(witness);
    }

    [Fact]
    public async Task Commits_wait_for_fewer_where_it_was_told_so_until_enough_stream_again()
    {
        await using var world = TestEnvironment.Start(server, 3);
        await world.SucceedAsync("SetSynchronousReplication", ("quorum", 2));
        var witness = await StartAsync(world, ("fallBackAfterSeconds", 10));
        world.InMemory.Crash("p3");
        world.InMemory.Show(WitnessFinding.Stalled, confirmations: (2, 1));
        await DecidedAsync(witness, WitnessAction.Alerted);
        world.InMemory.Show(WitnessFinding.Stalled, confirmations: (2, 1));
        await EndedAsync(await DecidedAsync(witness, WitnessAction.SetConfirmations));
        Assert.Equal(1, world.InMemory["p1"].Quorum);

        await world.SucceedAsync("Failback", ("node", "p3"));
        world.InMemory.Show(WitnessFinding.Well, confirmations: (1, 2));
        world.InMemory.Show(WitnessFinding.Well, confirmations: (1, 2));
        var twice = await UntilAsync(
            witness,
            status => status.Decisions.Count(one => one.Action is WitnessAction.SetConfirmations) == 2
        );
        await EndedAsync(twice.Decisions.Last(one => one.Action is WitnessAction.SetConfirmations));
        Assert.Equal(2, world.InMemory["p1"].Quorum);
        await StopAsync(witness);

        Task EndedAsync(WitnessDecision decision) =>
            world.Client.GetWorkflowHandle(decision.WorkflowId!).GetResultAsync<Report>();
    }

    [Fact]
    public async Task Brings_no_node_back_while_it_is_paused()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world, ("failback", true));
        var gate = world.InMemory.Hold("PromoteStandby p2");
        world.InMemory.Crash("p1");
        world.InMemory.Show(WitnessFinding.Down);
        await gate.Reached;
        var failover = await DecidedAsync(witness, WitnessAction.FailedOver);
        await PauseAsync(world, witness);
        gate.Open();
        await world.Client.GetWorkflowHandle(failover.WorkflowId!).GetResultAsync<Report>();

        await DecidedAsync(witness, WitnessAction.LeftAlone);
        await StopAsync(witness);
        Assert.DoesNotContain(world.InMemory.Ledger, record => record.Procedure == "Failback");
    }

    [Fact]
    public async Task Does_not_fail_over_where_more_is_lost_than_it_may()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world, ("maxLoss", 0));
        world.InMemory.Crash("p1");
        world.InMemory["p2"] = world.InMemory["p2"] with { Wal = new(0x100) };
        world.InMemory["p3"] = world.InMemory["p3"] with { Wal = new(0x100) };
        world.InMemory.Show(WitnessFinding.Down);

        var alert = await DecidedAsync(witness, WitnessAction.Alerted);
        Assert.Contains("would be lost", alert.Summary, StringComparison.Ordinal);
        await StopAsync(witness);
    }

    [Fact]
    public async Task Leaves_a_cluster_that_a_procedure_holds_to_that_one_and_writes_it_down_afterwards()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world);
        world.InMemory.Show(WitnessFinding.Busy);
        await DecidedAsync(witness, WitnessAction.LeftAlone);
        Assert.DoesNotContain(world.InMemory.Ledger, record => Held(record.Summary));
        world.InMemory.Show(WitnessFinding.Well);
        await DecidedAsync(witness, WitnessAction.Watching);
        await StopAsync(witness);

        Assert.Contains(world.InMemory.Ledger, record => Held(record.Summary));

        static bool Held(string summary) =>
            summary.StartsWith("a procedure holds the cluster", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Looks_away_while_it_is_paused_and_says_who_did_that()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world);
        world.InMemory.Show(WitnessFinding.Well);
        await DecidedAsync(witness, WitnessAction.Watching);
        Assert.Equal("watching", await ListedAsync(witness));
        await PauseAsync(world, witness);
        Assert.Equal("paused", await ListedAsync(witness));
        var refused = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() =>
            witness.ExecuteUpdateAsync("pause", [new WitnessOrder("carla")])
        );
        Assert.StartsWith(
            "paused by bert (maintenance) already",
            refused.InnerException!.Message,
            StringComparison.Ordinal
        );
        world.InMemory.Crash("p1");
        world.InMemory.Show(WitnessFinding.Down);
        Assert.Equal("bert", (await StatusAsync(witness)).Paused!.By);
        Assert.DoesNotContain((await StatusAsync(witness)).Decisions, one => one.Action is WitnessAction.FailedOver);

        await witness.ExecuteUpdateAsync("resume", [new WitnessOrder("bert")]);
        Assert.Equal("watching", await ListedAsync(witness));
        await DecidedAsync(witness, WitnessAction.FailedOver);
        await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() =>
            witness.ExecuteUpdateAsync("resume", [new WitnessOrder("bert")])
        );
        await StopAsync(witness);
    }

    [Fact]
    public async Task Goes_on_where_it_was_with_the_memory_of_the_run_before()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(
            world,
            (
                "memory",
                new WitnessMemory
                {
                    Since = DateTimeOffset.UnixEpoch,
                    Known = new(WitnessFinding.Well, NodeName.Of(1), []),
                    Paused = new(DateTimeOffset.UnixEpoch, WitnessAction.Paused, "paused by bert", []) { By = "bert" },
                }
            )
        );
        var status = await UntilAsync(witness, status => status.Since == DateTimeOffset.UnixEpoch);
        Assert.Equal(("bert", 0), (status.Paused!.By, status.Decisions.Count));
        Assert.Equal("paused", await ListedAsync(witness));
        Assert.Equal(0, world.InMemory.Watches);
        await StopAsync(witness);
        Assert.Equal("stopped", await ListedAsync(witness));
    }

    [Fact]
    public async Task Goes_on_as_a_new_run_before_its_history_gets_long()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world);
        var first = (await witness.DescribeAsync()).RunId;
        for (var look = 0; look < 100; look++)
        {
            world.InMemory.Show(look % 2 == 0 ? WitnessFinding.Well : WitnessFinding.Unreachable);
        }

        var waited = Stopwatch.StartNew();
        while ((await witness.DescribeAsync()).RunId == first)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), "it is still the first run");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        var ended = await world.Client.GetWorkflowHandle(witness.Id, first).DescribeAsync();
        Assert.Equal(WorkflowExecutionStatus.ContinuedAsNew, ended.Status);
        Assert.InRange(ended.HistoryLength, 800, 1000);
        Assert.NotEmpty((await StatusAsync(witness)).Decisions);
        await StopAsync(witness);
    }

    [Fact]
    public async Task A_cancel_ends_it()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world);
        world.InMemory.Show(WitnessFinding.Well);
        await DecidedAsync(witness, WitnessAction.Watching);
        await witness.CancelAsync();
        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => witness.GetResultAsync());
        Assert.IsType<CanceledFailureException>(failure.InnerException);
    }

    [Fact]
    public async Task Is_refused_where_there_is_no_cluster_and_under_another_ID()
    {
        await using var world = TestEnvironment.Start(server, 0);
        Assert.Equal(FailureTypes.Refused, (await TestEnvironment.FailureAsync(await StartAsync(world))).Type);

        var other = await world.FailAsync("WatchCluster");
        Assert.Equal(FailureTypes.InvalidInput, other.Type);
        Assert.Contains(WatchCluster.IdOf(world.Cluster), other.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_every_field_that_is_wrong()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var failed = await TestEnvironment.FailureAsync(
            await StartAsync(world, ("maxLoss", -1), ("dryRun", true), ("failback", "perhaps"))
        );
        Assert.Equal(FailureTypes.InvalidInput, failed.Type);
        Assert.All(
            (string[])["maxLoss: -1 is not", "dryRun: not for a witness", "failback: expected true or false"],
            problem => Assert.Contains(problem, failed.Message, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Alerts_and_their_end_are_told()
    {
        using var hook = new WebhookReceiver();
        await using var world = TestEnvironment.Start(server, 3);
        world.InMemory.Notifications = InMemoryCluster.Telling(new() { NotifyUrl = hook.Url });
        var witness = await StartAsync(world);
        world.InMemory.Show(WitnessFinding.Well);
        await DecidedAsync(witness, WitnessAction.Watching);
        world.InMemory.Show(WitnessFinding.Unreachable);
        var alert = await hook.NextAsync();
        world.InMemory.Show(WitnessFinding.Well);
        var end = await hook.NextAsync();

        Assert.Equal(
            (ProcedureStatus.Blocked, "p1 can't be reached: as a test says"),
            (alert.Data.Status, alert.Data.Summary)
        );
        Assert.Equal(ProcedureStatus.Running, end.Data.Status);
        await StopAsync(witness);
    }

    [Fact]
    public async Task What_else_is_wrong_is_told_with_what_to_do_and_that_it_is_over()
    {
        using var hook = new WebhookReceiver();
        await using var world = TestEnvironment.Start(server, 3);
        world.InMemory.Notifications = InMemoryCluster.Telling(new() { NotifyUrl = hook.Url });
        var witness = await StartAsync(world);
        world.InMemory.Show(WitnessFinding.Well);
        var standby = new NodeId(world.Cluster, NodeName.Of(2));
        world.InMemory.Find(new Finding(FindingCode.NotStreaming, standby, "p1", Hint.Look(world.Cluster)));
        var told = await hook.NextAsync();
        var known = await UntilAsync(witness, status => status.Findings.Count == 1);
        world.InMemory.Show(WitnessFinding.Well); // says nothing of it
        world.InMemory.Find();
        var over = await hook.NextAsync();

        Assert.Equal(
            (ProcedureStatus.Blocked, $"{standby} does not stream from p1"),
            (told.Data.Status, told.Data.Summary)
        );
        Assert.Equal("look at the cluster", Assert.Single(told.Data.Hints).Text);
        Assert.Equal(
            (ProcedureStatus.Running, $"no longer: {standby} does not stream from p1"),
            (over.Data.Status, over.Data.Summary)
        );
        Assert.Equal(WitnessFinding.Well, known.Verdict?.Finding);
        Assert.Empty((await StatusAsync(witness)).Findings);
        await StopAsync(witness);
        Assert.Equal(2, world.InMemory.Ledger.Count(record => record.Summary.Contains("does not stream")));
    }

    [Fact]
    public async Task Finds_nothing_while_it_is_paused()
    {
        await using var world = TestEnvironment.Start(server, 3);
        var witness = await StartAsync(world);
        world.InMemory.Show(WitnessFinding.Well);
        await DecidedAsync(witness, WitnessAction.Watching);
        await PauseAsync(world, witness);
        world.InMemory.Find(new Finding(FindingCode.NoBackup, Detail: "1"));
        Assert.Empty((await StatusAsync(witness)).Findings);
        await witness.ExecuteUpdateAsync("resume", [new WitnessOrder("bert")]);
        await UntilAsync(witness, status => status.Findings.Count == 1);
        await StopAsync(witness);
    }

    internal static Task<WorkflowHandle> StartAsync(TestEnvironment world, params (string, object)[] fields) =>
        world.StartAsync(WatchCluster.IdOf(world.Cluster), "WatchCluster", fields);

    /// <summary>Pauses it, and waits until it looks away.</summary>
    internal static async Task PauseAsync(TestEnvironment world, WorkflowHandle witness)
    {
        await witness.ExecuteUpdateAsync("pause", [new WitnessOrder("bert", "maintenance")]);
        for (var waited = Stopwatch.StartNew(); world.InMemory.IsWatched; await Task.Delay(10))
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), "it still looks");
        }
    }

    internal static async Task StopAsync(WorkflowHandle witness)
    {
        await witness.ExecuteUpdateAsync("stop", [new WitnessOrder("anna")]);
        await witness.GetResultAsync();
    }

    /// <summary>The newest decision of that kind.</summary>
    internal static async Task<WitnessDecision> DecidedAsync(WorkflowHandle witness, WitnessAction action) =>
        (
            await UntilAsync(witness, status => status.Decisions.Any(decision => decision.Action == action))
        ).Decisions.Last(decision => decision.Action == action);

    /// <summary>How Temporal's list has it.</summary>
    private static async Task<string> ListedAsync(WorkflowHandle witness) =>
        (await witness.DescribeAsync()).TypedSearchAttributes.Get(Attributes.Outcome);

    private static Task<WitnessStatus> StatusAsync(WorkflowHandle witness) =>
        witness.QueryAsync<WitnessStatus>("witness", []);

    private static async Task<WitnessStatus> UntilAsync(WorkflowHandle witness, Func<WitnessStatus, bool> condition)
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(10))
        {
            var status = await StatusAsync(witness);
            if (condition(status))
            {
                return status;
            }

            Assert.True(
                waited.Elapsed < TimeSpan.FromSeconds(30),
                string.Join("\n", status.Decisions.Select(decision => decision.Summary))
            );
        }
    }
}

using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.WorkflowTests;

public sealed class CancelTests(TemporalServer server)
{
    [Fact]
    public async Task Before_the_point_of_no_return_takes_everything_back_in_reverse()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        var gate = world.InMemory.Hold("ProveShutdownReplayed p2");
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        await gate.Reached;
        await handle.CancelAsync();
        var report = await TestEnvironment.CancelledAsync(handle);

        world.InMemory.Changes.AssertOrder(
            "ProveShutdownReplayed p2",
            "UnfenceNode p1",
            "OfferReadOnly p2",
            "WriteSettings p2",
            "SetReplicationSlots p2"
        );
        Assert.Equal(
            (NodeRole.Primary, EndpointRole.ReadWrite),
            (world.InMemory["p1"].Role, world.InMemory["p1"].Endpoint)
        );
        Assert.DoesNotContain(report.Steps, step => step.AfterPointOfNoReturn);
        Assert.Equal("cancelled", report.Summary);
        Assert.Equal("cancelled", (await handle.DescribeAsync()).TypedSearchAttributes.Get(Attributes.Outcome));
        gate.Open();
        Assert.Equal(ProcedureStatus.Succeeded, (await world.SucceedAsync("Switchover")).Outcome);
    }

    [Fact]
    public async Task After_the_point_of_no_return_breaks_the_step_off_so_that_a_person_can_decide()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("ProveEndpoint p2");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await AloneAsync(handle);
        await handle.CancelAsync();
        var blocked = Assert.Single((await TestEnvironment.BlockedAsync(handle)).Blocked);

        Assert.Equal(
            ("A commit through the endpoint arrives on p2", "a cancel came after the point of no return"),
            (blocked.Title, blocked.Why)
        );
        gate.Open();
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        var report = await handle.GetResultAsync<Report>();
        Assert.Equal(ProcedureStatus.Succeeded, report.Outcome);
        Assert.Contains(
            "a cancel came after the point of no return: “A commit through the endpoint arrives on p2” was broken off",
            report.Notes
        );
    }

    [Fact]
    public async Task After_the_point_of_no_return_breaks_off_a_step_that_fails_again_and_again()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.FailTimes("ProveEndpoint p2", int.MaxValue, "no route");
        var handle = await world.StartAsync("Switchover");
        await Eventually(() => world.InMemory.Calls.Count(call => call == "ProveEndpoint p2") > 2);
        await AloneAsync(handle);
        await handle.CancelAsync();
        await TestEnvironment.BlockedAsync(handle);
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Abort);

        Assert.Equal(FailureTypes.Incomplete, (await TestEnvironment.FailureAsync(handle)).Type);
    }

    [Theory]
    [InlineData("PromoteStandby p2", ProcedureStatus.Incomplete)]
    [InlineData("ProveShutdownReplayed p2", ProcedureStatus.Cancelled)]
    public async Task Who_cancelled_it_and_why_stands_in_the_report_and_in_the_ledger(string at, ProcedureStatus end)
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold(at);
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        await gate.Reached;
        await AloneAsync(handle);
        await world.Client.WorkflowService.RequestCancelWorkflowExecutionAsync(
            new()
            {
                Namespace = world.Client.Options.Namespace,
                WorkflowExecution = new() { WorkflowId = handle.Id },
                Identity = "carla@host",
                Reason = "wrong cluster",
            }
        );
        if (end is ProcedureStatus.Incomplete)
        {
            await TestEnvironment.BlockedAsync(handle);
            await TestEnvironment.ResolveAsync(handle, ResolveAction.Abort);
        }

        var report =
            end is ProcedureStatus.Cancelled
                ? await TestEnvironment.CancelledAsync(handle)
                : (await TestEnvironment.FailureAsync(handle)).Report!;
        gate.Open();
        Assert.Equal(end, report.Outcome);
        foreach (var told in (Report[])[report, Assert.Single(world.InMemory.Ledger)])
        {
            var act = Assert.Single(told.Acts, act => act.What == Procedure.Cancel);
            Assert.Equal(("carla@host", "wrong cluster"), (act.By, act.Reason));
            Assert.InRange(act.At, told.StartedAt, told.EndedAt);
        }
    }

    [Fact]
    public async Task Who_cancelled_it_before_it_held_the_cluster_is_in_the_report()
    {
        await using var world = TestEnvironment.Start(server);
        var handle = await world.StartAsync("Switchover", ("approve", true));
        await TestEnvironment.UntilAsync(handle, progress => progress.Status is ProcedureStatus.WaitingForApproval);
        await handle.CancelAsync();
        Assert.Equal(Procedure.Cancel, Assert.Single((await TestEnvironment.CancelledAsync(handle)).Acts).What);
    }

    [Fact]
    public async Task An_interruption_can_be_repeated_and_says_who_and_why()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("ProveEndpoint p2");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await AloneAsync(handle);
        foreach (var _ in Enumerable.Range(0, 2))
        {
            await handle.ExecuteUpdateAsync("interrupt", [new Interruption("carl", "it hangs")]);
            Assert.Equal(
                "broken off by carl (it hangs)",
                Assert.Single((await TestEnvironment.BlockedAsync(handle)).Blocked).Why
            );
            Assert.Equal(
                "it is blocked already: resolve it",
                await RejectedAsync(handle, "interrupt", new Interruption("carl"))
            );
            var calls = world.InMemory.Calls.Count;
            await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
            await Eventually(() => world.InMemory.Calls.Count > calls);
        }

        gate.Open();
        var report = await handle.GetResultAsync<Report>();
        Assert.Equal(ProcedureStatus.Succeeded, report.Outcome);
        Assert.Equal(2, report.Acts.Count(act => (act.What, act.By, act.Reason) == ("interrupt", "carl", "it hangs")));
    }

    [Fact]
    public async Task An_interruption_breaks_off_all_that_runs_and_the_way_back_too()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory.Fail("ProveShutdownReplayed p2", "too far behind");
        var gate = world.InMemory.Hold("UnfenceNode p1");
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        await gate.Reached;
        await handle.ExecuteUpdateAsync("interrupt", [new Interruption("carl")]);
        await TestEnvironment.BlockedAsync(handle);
        gate.Open();
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);

        Assert.Equal(FailureTypes.Unchanged, (await TestEnvironment.FailureAsync(handle)).Type);
        Assert.Equal(NodeRole.Primary, world.InMemory["p1"].Role);
    }

    [Fact]
    public async Task An_interruption_before_the_point_of_no_return_is_refused_with_the_way_on()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("PrepareStop p1");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;

        Assert.Equal(
            $"it is before the point of no return; cancel it, and all is undone: pgflow cancel {handle.Id}",
            await RejectedAsync(handle, "interrupt", new Interruption("carl"))
        );
        Assert.Equal(
            "it is before the point of no return: cancel it",
            await RejectedAsync(handle, "yield", new Yielding("Failover f-1", "carl"))
        );
        gate.Open();
        await handle.GetResultAsync();
    }

    [Fact]
    public async Task A_procedure_that_yields_ends_incomplete_at_once_whatever_it_does()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory.Fail("ProveStreaming p3", "p3 is not there");
        var gate = world.InMemory.Hold("ProveStreaming p1");
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        await TestEnvironment.BlockedAsync(handle);
        await gate.Reached;
        await handle.ExecuteUpdateAsync("yield", [new Yielding("Failover f-1", "carl", "clients wait")]);
        var failed = await TestEnvironment.FailureAsync(handle);

        Assert.Equal(
            (FailureTypes.Incomplete, "Failover f-1 took the cluster from it, as carl decided (clients wait)"),
            (failed.Type, failed.Message)
        );
        var act = Assert.Single(failed.Report!.Acts);
        Assert.Equal(("yield to Failover f-1", "carl", "clients wait"), (act.What, act.By, act.Reason));
        Assert.Equal(ProcedureStatus.Incomplete, world.InMemory.Ledger.Single().Outcome);
    }

    [Fact]
    public async Task While_it_undoes_changes_nothing()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("ProveShutdownReplayed p2");
        var gate = world.InMemory.Hold("UnfenceNode p1");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await handle.CancelAsync();
        gate.Open();

        Assert.Equal(FailureTypes.Unchanged, (await TestEnvironment.FailureAsync(handle)).Type);
        world.InMemory.Changes.AssertOrder("UnfenceNode p1", "OfferReadOnly p2", "SetReplicationSlots p2");
    }

    [Fact]
    public async Task While_it_is_blocked_leaves_it_blocked()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("ProveEndpoint p2");
        var handle = await world.StartAsync("Switchover");
        await TestEnvironment.BlockedAsync(handle);
        await AloneAsync(handle);
        await handle.CancelAsync();
        await TestEnvironment.UntilAsync(
            handle,
            progress => progress.Notes.Count > 0 && progress.Status is ProcedureStatus.Blocked
        );
        world.InMemory.Repair("ProveEndpoint p2");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);

        Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
    }

    [Fact]
    public async Task Before_it_begins_changes_nothing()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("ObserveCluster");
        var handle = await world.StartAsync("Failover", ("force", true));
        await gate.Reached;
        await handle.CancelAsync();

        Assert.Equal(ProcedureStatus.Cancelled, (await TestEnvironment.CancelledAsync(handle)).Outcome);
        Assert.Empty(world.InMemory.Changes);
    }

    /// <summary>Waits until what goes on beside the proof is done.</summary>
    private static Task<ProcedureProgress> AloneAsync(WorkflowHandle handle) =>
        TestEnvironment.UntilAsync(
            handle,
            progress => progress.Steps.Count(step => step.State is StepState.Running or StepState.Blocked) == 1
        );

    private static async Task Eventually(Func<bool> isSo)
    {
        for (var clock = System.Diagnostics.Stopwatch.StartNew(); !isSo(); await Task.Delay(10))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30));
        }
    }

    private static async Task<string> RejectedAsync(WorkflowHandle handle, string update, object argument)
    {
        var rejected = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() =>
            handle.ExecuteUpdateAsync(update, [argument])
        );
        var why = rejected.InnerException!;
        return string.Join("; ", [why.Message, .. TemporalFailures.HintsOf(why).Select(HintText.Of)]);
    }
}

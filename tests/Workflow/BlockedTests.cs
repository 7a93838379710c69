using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.WorkflowTests;

public sealed class BlockedTests(TemporalServer server)
{
    [Fact]
    public async Task A_step_left_out_leaves_the_procedure_incomplete()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        var handle = await BlockedAsync(world, "ProveStreaming p3");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Skip);
        var failed = await TestEnvironment.FailureAsync(handle);

        Assert.Equal(FailureTypes.Incomplete, failed.Type);
        Assert.Equal(StepState.Skipped, failed.Report!.Steps.Single(step => step.Title == "p3 follows p2").State);
        Assert.EndsWith("without what was left out: “p3 follows p2”", failed.Report.Summary, StringComparison.Ordinal);
        var act = Assert.Single(failed.Report.Acts);
        Assert.Equal(("skip “p3 follows p2”", "bert", "as discussed"), (act.What, act.By, act.Reason));
        world.InMemory.Changes.AssertOrder("ProveStreaming p3", "DemandConfirmations p2");
    }

    [Fact]
    public async Task Abort_ends_it_incomplete()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        var handle = await BlockedAsync(world, "PublishTimelineHistory p2");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Abort);
        var failed = await TestEnvironment.FailureAsync(handle);

        Assert.Equal((FailureTypes.Incomplete, ProcedureStatus.Incomplete), (failed.Type, failed.Report!.Outcome));
        Assert.Equal("ended by a person at “The new timeline's history is in the archive”", failed.Message);
        Assert.DoesNotContain("RecordTimeline p2", world.InMemory.Calls);
        Assert.Equal(ProcedureStatus.Incomplete, world.InMemory.Ledger.Single().Outcome);
        Assert.Equal("incomplete", (await handle.DescribeAsync()).TypedSearchAttributes.Get(Attributes.Outcome));
    }

    [Fact]
    public async Task A_required_step_cannot_be_skipped()
    {
        await using var world = TestEnvironment.Start(server);
        var handle = await BlockedAsync(world, "PromoteStandby p2");

        Assert.Equal(
            "“p2 is promoted” can't be skipped: retry or abort",
            await RejectedAsync(handle, new Resolution(ResolveAction.Skip))
        );
        world.InMemory.Repair("PromoteStandby p2");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        var report = await handle.GetResultAsync<Report>();
        Assert.Equal(ProcedureStatus.Succeeded, report.Outcome);
        Assert.InRange(report.WaitedMilliseconds, 1, (report.EndedAt - report.StartedAt).TotalMilliseconds);
    }

    [Fact]
    public async Task One_of_several_must_be_named()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory.Fail("ProveStreaming p1", "p1 is not there");
        world.InMemory.Fail("ProveStreaming p3", "p3 is not there");
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        var progress = await TestEnvironment.BlockedAsync(handle, steps: 2);
        var blocked = progress.Blocked;

        Assert.Equal($"blocked: {blocked[0].Title}", progress.Summary);
        Assert.Equal(["p1 is not there", "p3 is not there"], blocked.Select(step => step.Why));
        Assert.Equal(
            $"step: give the number of a blocked step: {blocked[0].Step}, {blocked[1].Step}",
            await RejectedAsync(handle, new Resolution(ResolveAction.Retry))
        );
        Assert.Equal(
            $"step: give the number of a blocked step: {blocked[0].Step}, {blocked[1].Step}",
            await RejectedAsync(handle, new Resolution(ResolveAction.Retry, Step: 1))
        );
        world.InMemory.Repair("ProveStreaming p3");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry, blocked[1].Step);
        Assert.Equal(ProcedureStatus.Blocked, (await TestEnvironment.BlockedAsync(handle)).Status);
        world.InMemory.Repair("ProveStreaming p1");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
    }

    [Fact]
    public async Task Abort_ends_all_that_is_blocked_and_waits_for_what_works()
    {
        await using var world = TestEnvironment.Start(server, nodes: 4);
        world.InMemory.Fail("ProveStreaming p1");
        world.InMemory.Fail("ProveStreaming p3");
        var gate = world.InMemory.Hold("ProveStreaming p4");
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        var blocked = (await TestEnvironment.BlockedAsync(handle, steps: 2)).Blocked;
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Abort, blocked[0].Step);
        await TestEnvironment.BlockedAsync(handle, steps: 0);
        gate.Open();
        var steps = (await TestEnvironment.FailureAsync(handle)).Report!.Steps;

        Assert.Equal(
            [StepState.Failed, StepState.Failed, StepState.Done],
            steps.Where(step => step.Title.EndsWith(" follows p2", StringComparison.Ordinal)).Select(step => step.State)
        );
        Assert.Contains("OfferReadOnly p4", world.InMemory.Calls);
    }

    [Fact]
    public async Task Abort_lets_a_step_beside_it_end_and_begins_none_behind_that()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        var gate = world.InMemory.Hold("CopyPrimary p3");
        world.InMemory.Fail("CopyPrimary p2", "no route");
        var handle = await world.StartAsync("RecoverCluster", ("latest", true));
        await gate.Reached;
        await TestEnvironment.BlockedAsync(handle);
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Abort);
        await TestEnvironment.BlockedAsync(handle, steps: 0);
        gate.Open();
        var report = (await TestEnvironment.FailureAsync(handle)).Report!;

        Assert.Equal(ProcedureStatus.Incomplete, report.Outcome);
        Assert.Equal(StepState.Done, report.Steps.Single(step => step.Title == "p3 is a fresh copy of p1").State);
        Assert.Contains("SwapInCopy p3", world.InMemory.Calls);
        Assert.DoesNotContain(report.Steps, step => step.Title.Contains(" follows ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Abort_waits_for_no_person_where_a_step_beside_it_fails_later()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        var gate = world.InMemory.Hold("ProveStreaming p3");
        world.InMemory.Fail("ProveStreaming p1", "p1 is not there");
        world.InMemory.Fail("ProveStreaming p3", "p3 is not there");
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        await gate.Reached;
        await TestEnvironment.BlockedAsync(handle);
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Abort);
        await TestEnvironment.BlockedAsync(handle, steps: 0);
        gate.Open();
        var failed = await TestEnvironment.FailureAsync(handle);

        Assert.Equal(FailureTypes.Incomplete, failed.Type);
        var late = failed.Report!.Steps.Single(step => step.Title == "p3 follows p2");
        Assert.Equal((StepState.Failed, "p3 is not there"), (late.State, late.Error));
    }

    [Fact]
    public async Task Blocks_again_when_it_is_not_mended()
    {
        await using var world = TestEnvironment.Start(server);
        var handle = await BlockedAsync(world, "ProveEndpoint p2");
        world.InMemory.Fail("ProveEndpoint p2", "still broken");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        var progress = await TestEnvironment.UntilAsync(
            handle,
            progress => progress.Blocked is [{ Why: "still broken" }]
        );
        Assert.Equal(ProcedureStatus.Blocked, progress.Status);
        world.InMemory.Repair("ProveEndpoint p2");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);

        var report = await handle.GetResultAsync<Report>();
        Assert.Equal(2, report.Acts.Count);
        Assert.All(report.Steps, step => Assert.Null(step.Error));
    }

    [Fact]
    public async Task Nothing_is_decided_where_nothing_is_blocked()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("PrepareStop p1");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;

        Assert.Equal("no step is blocked", await RejectedAsync(handle, new Resolution(ResolveAction.Retry)));
        Assert.NotEmpty(await RejectedAsync(handle, new { by = "bert" }));
        Assert.NotEmpty(await RejectedAsync(handle, new { action = "explode" }));
        gate.Open();
        await handle.GetResultAsync();
    }

    [Fact]
    public async Task An_undo_that_fails_waits_and_drops_no_other_undo()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("ProveShutdownReplayed p2", "too far behind");
        var handle = await BlockedAsync(world, "UnfenceNode p1");
        Assert.Equal(
            "Undo: p1 stopped: logins refused, sessions ended",
            (await TestEnvironment.BlockedAsync(handle)).Blocked[0].Title
        );
        world.InMemory.Repair("UnfenceNode p1");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        var failed = await TestEnvironment.FailureAsync(handle);

        Assert.Equal((FailureTypes.Unchanged, "too far behind"), (failed.Type, failed.Message));
        world.InMemory.Changes.AssertOrder("UnfenceNode p1", "UnfenceNode p1", "OfferReadOnly p2", "WriteSettings p2");
        Assert.Equal(NodeRole.Primary, world.InMemory["p1"].Role);
    }

    [Theory]
    [InlineData(ResolveAction.Skip, true)]
    [InlineData(ResolveAction.Abort, false)]
    public async Task An_undo_that_is_given_up_leaves_it_incomplete(ResolveAction action, bool goesOn)
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("ProveShutdownReplayed p2", "too far behind");
        var handle = await BlockedAsync(world, "UnfenceNode p1");
        await TestEnvironment.ResolveAsync(handle, action);

        Assert.Equal(FailureTypes.Incomplete, (await TestEnvironment.FailureAsync(handle)).Type);
        Assert.Equal(goesOn, world.InMemory.Calls.Contains("OfferReadOnly p2"));
    }

    private static async Task<WorkflowHandle> BlockedAsync(TestEnvironment world, string call)
    {
        world.InMemory.Fail(call);
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        await TestEnvironment.BlockedAsync(handle);
        return handle;
    }

    private static async Task<string> RejectedAsync(WorkflowHandle handle, object resolution) =>
        (
            await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() =>
                handle.ExecuteUpdateAsync("resolve", [resolution])
            )
        )
            .InnerException!
            .Message;
}

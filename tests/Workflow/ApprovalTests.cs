using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.WorkflowTests;

public sealed class ApprovalTests(TemporalServer server)
{
    [Fact]
    public async Task Lets_the_plan_be_carried_out()
    {
        await using var world = TestEnvironment.Start(server);
        var (handle, plan) = await WaitingAsync(world);
        Assert.Empty(world.InMemory.Changes);
        await handle.ExecuteUpdateAsync("approve", [new Approval(plan.Hash, "carla")]);

        var report = await handle.GetResultAsync<Report>();
        Assert.Equal(
            (ProcedureStatus.Succeeded, "carla", plan.Hash),
            (report.Outcome, report.Acts[^1].By, report.Plan!.Hash)
        );
    }

    [Fact]
    public async Task Of_another_plan_is_rejected()
    {
        await using var world = TestEnvironment.Start(server);
        var (handle, plan) = await WaitingAsync(world);

        Assert.Equal(
            $"the plan's hash is {plan.Hash}, not abc: look at the plan again",
            await RejectedAsync(() => handle.ExecuteUpdateAsync("approve", [new Approval("abc")]))
        );
        await handle.ExecuteUpdateAsync("approve", [new Approval(plan.Hash)]);
        Assert.Equal("unknown (Web UI)", (await handle.GetResultAsync<Report>()).Acts[^1].By);
    }

    [Fact]
    public async Task Refused_ends_the_procedure()
    {
        await using var world = TestEnvironment.Start(server);
        var (handle, _) = await WaitingAsync(world);
        await handle.ExecuteUpdateAsync("reject", [new Rejection("carla", "not today")]);

        var failed = await TestEnvironment.FailureAsync(handle);
        Assert.Equal((FailureTypes.Refused, "rejected by carla (not today)"), (failed.Type, failed.Message));
        var act = Assert.Single(failed.Report!.Acts);
        Assert.Equal(("reject", "carla", "not today"), (act.What, act.By, act.Reason));
        Assert.Empty(world.InMemory.Changes);
    }

    [Fact]
    public async Task Does_not_hold_for_a_cluster_that_has_changed()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        var (handle, plan) = await WaitingAsync(world);
        world.InMemory.Crash("p3");
        await handle.ExecuteUpdateAsync("approve", [new Approval(plan.Hash)]);

        Assert.Equal(FailureTypes.Refused, (await TestEnvironment.FailureAsync(handle)).Type);
        Assert.Empty(world.InMemory.Changes);
    }

    [Fact]
    public async Task That_nobody_gives_refuses_the_procedure()
    {
        await using var world = TestEnvironment.Start(server);
        var failed = await world.FailAsync("Switchover", ("approve", true), ("approveWithinSeconds", 1));

        Assert.Equal((FailureTypes.Refused, "nobody approved within 0:00:01"), (failed.Type, failed.Message));
        Assert.Empty(world.InMemory.Changes);
    }

    [Fact]
    public async Task Is_asked_for_before_a_cluster_is_destroyed()
    {
        await using var world = TestEnvironment.Start(server);
        var handle = await world.StartAsync("DestroyCluster");
        var plan = (
            await TestEnvironment.UntilAsync(handle, progress => progress.Status is ProcedureStatus.WaitingForApproval)
        ).Plan!;
        Assert.Empty(world.InMemory.Changes);

        await handle.ExecuteUpdateAsync("approve", [new Approval(plan.Hash, "carla")]);
        var report = await handle.GetResultAsync<Report>();
        Assert.Equal("carla", report.Acts[^1].By);
        Assert.True(report.Took < report.EndedAt - report.StartedAt);
    }

    [Fact]
    public async Task Is_not_asked_for_where_there_is_nothing_to_do()
    {
        await using var world = TestEnvironment.Start(server);
        Assert.Equal(
            ProcedureStatus.Succeeded,
            (await world.SucceedAsync("Switchover", ("to", "p1"), ("approve", true))).Outcome
        );
    }

    [Fact]
    public async Task Cancelled_while_it_waits_ends_as_cancelled()
    {
        await using var world = TestEnvironment.Start(server);
        var (handle, _) = await WaitingAsync(world);
        await handle.CancelAsync();

        Assert.Equal(ProcedureStatus.Cancelled, (await TestEnvironment.CancelledAsync(handle)).Outcome);
    }

    [Fact]
    public async Task With_a_field_that_is_none_or_a_name_that_a_terminal_obeys_approves_nothing()
    {
        await using var world = TestEnvironment.Start(server);
        var (handle, plan) = await WaitingAsync(world);

        var unknown = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() =>
            handle.ExecuteUpdateAsync("approve", [new { hash = "deadbeef", by = "carla" }])
        );
        Assert.Contains("'hash' could not be mapped", unknown.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            "by: has a control character",
            await RejectedAsync(() =>
                handle.ExecuteUpdateAsync("approve", [new Approval(plan.Hash, "\u001b[2K carla")])
            )
        );

        await handle.ExecuteUpdateAsync("approve", [new Approval(plan.Hash, " ")]);
        Assert.Equal("unknown (Web UI)", (await handle.GetResultAsync<Report>()).Acts[^1].By);
    }

    [Fact]
    public async Task Is_not_asked_for_where_nobody_wants_it()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("PrepareStop p1");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;

        Assert.Equal(
            "not waiting for approval: it is running",
            await RejectedAsync(() => handle.ExecuteUpdateAsync("approve", [new Approval()]))
        );
        Assert.Equal(
            "not waiting for approval: it is running",
            await RejectedAsync(() => handle.ExecuteUpdateAsync("reject", [new Rejection()]))
        );
        gate.Open();
        await handle.GetResultAsync();
    }

    private static async Task<(WorkflowHandle Handle, PlanView Plan)> WaitingAsync(TestEnvironment world)
    {
        var handle = await world.StartAsync("Switchover", ("to", "p2"), ("approve", true));
        return (
            handle,
            (
                await TestEnvironment.UntilAsync(
                    handle,
                    progress => progress.Status is ProcedureStatus.WaitingForApproval
                )
            ).Plan!
        );
    }

    private static async Task<string> RejectedAsync(Func<Task> update) =>
        (await Assert.ThrowsAsync<WorkflowUpdateFailedException>(update)).InnerException!.Message;
}

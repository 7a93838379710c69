using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PgFlow.WorkflowTests;

public sealed class LeaseTests(TemporalServer server)
{
    [Fact]
    public async Task A_second_procedure_is_told_who_holds_the_cluster()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("PrepareStop p1");
        var holder = await world.StartAsync("Switchover");
        await gate.Reached;
        var before = world.InMemory.Changes;

        var failed = await world.FailAsync("RemakeStandby", ("node", "p2"));

        Assert.Equal(FailureTypes.ClusterBusy, failed.Type);
        Assert.Contains(holder.Id, failed.Message, StringComparison.Ordinal);
        Assert.Equal(ProcedureStatus.ClusterBusy, failed.Report!.Outcome);
        Assert.Equal(
            [$"wait for it: pgflow watch {holder.Id}", $"end it: pgflow cancel {holder.Id}"],
            failed.Report.Hints.Select(HintText.Of)
        );
        Assert.Equal(before, world.InMemory.Changes);
        gate.Open();
        await holder.GetResultAsync();
    }

    [Theory]
    [InlineData("TakeBackup")]
    [InlineData("CreateRestorePoint")]
    public async Task One_that_works_beside_it_is_told_who_holds_the_cluster_when_that_one_stands_in_its_way(
        string beside
    )
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("PromoteStandby p2");
        var holder = await world.StartAsync("Switchover");
        await gate.Reached;

        var failed = await world.FailAsync(beside, beside is "TakeBackup" ? [] : [("name", "now")]);

        Assert.Equal(FailureTypes.ClusterBusy, failed.Type);
        Assert.Contains(holder.Id, failed.Message, StringComparison.Ordinal);
        gate.Open();
        await holder.GetResultAsync();
    }

    [Fact]
    public async Task Is_free_as_soon_as_a_procedure_has_ended()
    {
        await using var world = TestEnvironment.Start(server);
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await world.SucceedAsync("Switchover");
            world.InMemory.Fail("WaitForReplay p2");
            world.InMemory.Fail("WaitForReplay p1");
            Assert.Equal(FailureTypes.Unchanged, (await world.FailAsync("Switchover")).Type);
            world.InMemory.Repair("WaitForReplay p2");
            world.InMemory.Repair("WaitForReplay p1");
        }
    }

    [Fact]
    public async Task Is_free_after_its_procedure_was_terminated()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("PrepareStop p1");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await handle.TerminateAsync();
        gate.Open();

        Assert.Equal(ProcedureStatus.Succeeded, (await world.SucceedAsync("RemakeStandby", ("node", "p2"))).Outcome);
    }

    [Fact]
    public async Task Of_a_procedure_that_was_reset_is_taken_over_by_its_next_run()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("PrepareStop p1");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        var lease = await world.Client.GetWorkflowHandle(ClusterLease.IdOf(world.Cluster)).DescribeAsync();
        var next = await ResetAsync(world, handle);
        gate.Open();

        Assert.Equal(ProcedureStatus.Succeeded, (await next.GetResultAsync<Report>()).Outcome);
        Assert.Equal(
            WorkflowExecutionStatus.Terminated,
            (await world.Client.GetWorkflowHandle(lease.Id, lease.RunId).DescribeAsync()).Status
        );
    }

    [Fact]
    public async Task Of_a_procedure_that_was_reset_to_its_beginning_says_that_what_it_did_stays()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("ProveShutdownReplayed p2");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        var next = await ResetAsync(world, handle);
        gate.Open();

        var failed = await TestEnvironment.FailureAsync(next);
        Assert.Equal(FailureTypes.Incomplete, failed.Type);
        Assert.Contains(
            failed.Report!.Notes,
            note =>
                note.StartsWith(
                    "it was reset to before its first step: what its earlier run has done stays as it is",
                    StringComparison.Ordinal
                )
        );
        Assert.NotEqual(NodeRole.Primary, world.InMemory["p1"].Role);
    }

    /// <summary>To the end of its first workflow task, as a person does in the Web UI.</summary>
    private static async Task<WorkflowHandle> ResetAsync(TestEnvironment world, WorkflowHandle handle)
    {
        var reset = await world.Client.WorkflowService.ResetWorkflowExecutionAsync(
            new()
            {
                Namespace = world.Client.Options.Namespace,
                WorkflowExecution = new() { WorkflowId = handle.Id },
                WorkflowTaskFinishEventId = 4,
                RequestId = Guid.NewGuid().ToString(),
                Reason = "a test",
            }
        );
        return world.Client.GetWorkflowHandle(handle.Id, reset.RunId);
    }

    [Theory]
    [InlineData("PrepareStop p1")]
    [InlineData("ProveEndpoint p2")]
    [InlineData("RecordProcedure")]
    public async Task Ended_by_hand_is_taken_again(string during)
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.LoseLease(during, times: 3);
        var report = await world.SucceedAsync("Switchover");

        Assert.Equal(ProcedureStatus.Succeeded, world.InMemory.Ledger.Single().Outcome);
        Assert.Equal(3, world.InMemory.Calls.Count(call => call == "LeaveEarlierRun"));
        Assert.Empty(report.Notes);
    }

    [Theory]
    [InlineData("InitCluster")]
    [InlineData("CloneCluster")]
    public async Task Ended_by_hand_while_a_copy_begins_to_follow_makes_no_other_copy(string procedure)
    {
        await using var world = TestEnvironment.Start(server, nodes: 0);
        world.InMemory.LoseLease("ProveStreaming p2", times: 1);
        (string, object)[] fields = procedure is "CloneCluster"
            ? [("from", "source"), ("latest", true), ("nodes", 2)]
            : [("nodes", 2)];
        await world.SucceedAsync(procedure, fields);

        Assert.Single(world.InMemory.Calls, "CopyPrimary p2");
        Assert.Equal(2, world.InMemory.Calls.Count(call => call == "ProveStreaming p2"));
    }

    [Fact]
    public async Task Ended_by_hand_for_the_fourth_time_in_a_step_undoes_the_procedure()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.LoseLease("ProveShutdownReplayed p2", times: 4);
        var failed = await world.FailAsync("Switchover");

        Assert.Equal(
            (FailureTypes.Unchanged, "the lease is not held by this procedure any more"),
            (failed.Type, failed.Message)
        );
        Assert.Equal(
            (NodeRole.Primary, EndpointRole.ReadWrite),
            (world.InMemory["p1"].Role, world.InMemory["p1"].Endpoint)
        );
        // the way back has taken it again
        Assert.Equal(ProcedureStatus.Unchanged, world.InMemory.Ledger.Single().Outcome);
    }

    [Fact]
    public async Task Ended_by_hand_for_the_fourth_time_behind_the_point_of_no_return_waits_for_a_person()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.LoseLease("SetRoles p2", times: 4);
        var handle = await world.StartAsync("Switchover");

        Assert.Equal(
            "the lease is not held by this procedure any more",
            Assert.Single((await TestEnvironment.BlockedAsync(handle)).Blocked).Why
        );
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
    }

    [Fact]
    public async Task Ended_by_hand_when_all_is_recorded_is_noted()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("RecordProcedure", "the repository is gone");
        var gate = world.InMemory.Hold("RecordProcedure");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await world.Client.GetWorkflowHandle(ClusterLease.IdOf(world.Cluster)).TerminateAsync();
        gate.Open();

        Assert.Contains(
            "the cluster lease was released by someone else while this procedure was running",
            (await handle.GetResultAsync<Report>()).Notes
        );
    }

    [Fact]
    public async Task Is_not_taken_while_a_procedure_waits_for_approval()
    {
        await using var world = TestEnvironment.Start(server);
        var waiting = await world.StartAsync("Switchover", ("approve", true));
        await TestEnvironment.UntilAsync(waiting, progress => progress.Status is ProcedureStatus.WaitingForApproval);

        Assert.Equal(ProcedureStatus.Succeeded, (await world.SucceedAsync("RemakeStandby", ("node", "p2"))).Outcome);
        await waiting.TerminateAsync();
    }

    [Fact]
    public async Task Is_taken_from_a_blocked_procedure_where_a_person_says_so_and_both_records_name_it()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory.Fail("ProveStreaming p3", "p3 is not there");
        var holder = await world.StartAsync("Switchover", ("to", "p2"));
        await TestEnvironment.BlockedAsync(holder);
        var busy = await world.FailAsync("RemakeStandby", ("node", "p1"));
        Assert.Equal(
            [
                $"see what it waits for: pgflow show {holder.Id}",
                $"decide it (retry, skip or abort): pgflow resolve {holder.Id} retry",
                $"take the cluster from it: pgflow remake {world.Cluster} p1 --take-over {holder.Id}",
            ],
            busy.Report!.Hints.Select(HintText.Of)
        );

        var report = await world.SucceedAsync(
            "RemakeStandby",
            ("node", "p1"),
            ("takeOver", holder.Id),
            ("reason", "p1 is needed")
        );
        var failed = await TestEnvironment.FailureAsync(holder);

        Assert.Equal([$"anna took the cluster for this from {holder.Id} (p1 is needed): it has yielded"], report.Notes);
        Assert.Equal(
            (
                FailureTypes.Incomplete,
                $"RemakeStandby {report.WorkflowId} took the cluster from it, as anna decided (p1 is needed)"
            ),
            (failed.Type, failed.Message)
        );
    }
}

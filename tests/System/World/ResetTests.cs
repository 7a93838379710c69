using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PgFlow.SystemTests.World;

/// <summary>A person resets a procedure in Temporal's Web UI: another run goes on from an earlier event, and remembers
/// less than was done.</summary>
public sealed class ResetTests(TemporalServer temporal)
{
    [Fact]
    public async Task A_switchover_that_is_reset_where_it_is_goes_on_or_is_undone_and_holds_the_lease()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        var switchover = await SwitchoverTests.StandsAtProofAsync(cluster);

        var next = await ResetAsync(switchover);
        await TestCluster.SqlAsync(cluster.Node(2), "SELECT pg_wal_replay_resume()");
        await EndedWellAsync(cluster, next);
        Assert.Empty(await writer.LostAsync((await cluster.InspectAsync()).State.Primaries[0].Id));
    }

    [Fact]
    public async Task A_switchover_that_is_reset_to_before_it_stopped_the_primary_is_undone()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        var switchover = await SwitchoverTests.StandsAtProofAsync(cluster);

        var next = await ResetAsync(switchover, before: "PrepareStop");
        var (type, _, message) = await TestCluster.FailureAsync(next);
        Assert.Equal(FailureTypes.Unchanged, type);
        Assert.Contains("it was reset", message, StringComparison.Ordinal);
        await writer.MoreAsync();
        Assert.Empty(await writer.LostAsync(cluster.Node(1)));
        await TestCluster.SqlAsync(cluster.Node(2), "SELECT pg_wal_replay_resume()");
        await FreeAsync(cluster);
        // it asks again every 5 s
        await Host.UntilAsync("p2 streams again", async () => (await cluster.InspectAsync()).Healthy);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact]
    public async Task A_switchover_that_is_reset_behind_its_point_of_no_return_is_finished()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var held = await HeldProgram.HoldAsync(cluster.Node(2), "restore");
        var switchover = await SwitchOverAsync(cluster, to: 2);
        await cluster.WorkedOnAsync(switchover, "PromoteStandby");

        var next = await ResetAsync(switchover);
        await held.ReleaseAsync();
        await Blocked.FinishAsync(next);
        await FreeAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_switchover_that_is_reset_from_behind_its_point_of_no_return_to_before_it_leaves_the_cluster_as_it_is()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var switchover = await SwitchOverAsync(cluster, to: 2);
        await TestCluster.ActivityAsync(switchover, "ProveStreaming");

        var next = await ResetAsync(switchover, before: "PrepareStop");
        var (type, _, message) = await TestCluster.FailureAsync(next);
        Assert.Equal(FailureTypes.Incomplete, type);
        Assert.Contains("which this one can't undo: the cluster is left as it is", message, StringComparison.Ordinal);
        await FreeAsync(cluster);
        Assert.Equal(cluster.Node(2), Assert.Single((await cluster.InspectAsync()).State.Primaries).Id);
        await cluster.RunAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        ); // as status says
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task One_that_is_blocked_and_reset_keeps_the_cluster_and_goes_on_by_a_retry()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await StuckTests.SetAsync(cluster.Node(1), "shared_preload_libraries = 'missing'");
        var switchover = await SwitchOverAsync(cluster, to: 2);
        await StuckTests.AllBlockedAsync(switchover);

        var next = await ResetAsync(switchover);
        await StuckTests.AllBlockedAsync(next);
        var busy = await TestCluster.FailureAsync(await SwitchOverAsync(cluster, to: 1));
        Assert.Equal(FailureTypes.ClusterBusy, busy.Type);
        Assert.Contains(switchover.Id, busy.Message, StringComparison.Ordinal);

        await StuckTests.UnsetAsync(cluster.Node(1));
        await Blocked.FinishAsync(next);
        await FreeAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_recovery_that_is_reset_before_its_point_of_no_return_goes_back_to_today_or_ends()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE word (w text); INSERT INTO word VALUES ('A')");
        await cluster.RunAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Name = "a",
                    }
                )
        );
        await TestCluster.SqlAsync(cluster.Node(1), "INSERT INTO word VALUES ('B')");

        // From its inspection to before the data was swapped: what was set aside comes back.
        var recovery = await RecoverAsync(cluster, inspect: true);
        await RecoveryTests.InspectingAsync(recovery, seconds: 120);
        var next = await ResetAsync(recovery, before: "SwapInCopy");
        var (type, _, message) = await TestCluster.FailureAsync(next);
        Assert.True(type == FailureTypes.Unchanged, message);
        Assert.Equal(
            "A,B",
            (await TestCluster.SqlAsync(cluster.Node(1), "SELECT string_agg(w, ',' ORDER BY w) FROM word")).Trim()
        );
        await FreeAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);

        // At the inspection itself: nothing is forgotten.
        recovery = await RecoverAsync(cluster, inspect: true);
        await RecoveryTests.InspectingAsync(recovery, seconds: 120);
        next = await ResetAsync(recovery);
        await RecoveryTests.InspectingAsync(next);
        await next.ExecuteUpdateAsync("approve", [new Approval(null, "test")]);
        await TestCluster.ReportAsync(next);
        Assert.Equal("A", (await TestCluster.SqlAsync(cluster.Node(1), "SELECT string_agg(w, ',') FROM word")).Trim());
        await cluster.HealthyAsync(cluster.Node(1), timeline: 2);

        // Behind the point of no return.
        recovery = await RecoverAsync(cluster, inspect: false);
        await TestCluster.ActivityAsync(recovery, "CopyPrimary");
        await Blocked.FinishAsync(await ResetAsync(recovery));
        await FreeAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 3);
    }

    [Fact]
    public async Task An_init_that_had_succeeded_and_is_reset_leaves_its_cluster_as_it_is()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var init = temporal.Client.GetWorkflowHandle<InitCluster, Report>(await cluster.CreatedByAsync());

        foreach (var before in (string[])["TakeVirtualIp", "CopyPrimary"]) // and the run that ended so is reset too
        {
            init = await ResetAsync(init, before);
            var (type, _, message) = await TestCluster.FailureAsync(init);
            Assert.Equal(FailureTypes.Incomplete, type);
            Assert.Contains("the cluster is left as it is", message, StringComparison.Ordinal);
        }

        await FreeAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact]
    public async Task A_lease_that_a_person_ended_is_taken_again()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var switchover = await SwitchoverTests.StandsAtProofAsync(cluster);
        await temporal.Client.GetWorkflowHandle(ClusterLease.IdOf(cluster.Name)).TerminateAsync();
        await TestCluster.SqlAsync(cluster.Node(2), "SELECT pg_wal_replay_resume()");

        await TestCluster.ReportAsync(switchover);
        await FreeAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    /// <summary>What the Web UI does: back to the end of the workflow task that scheduled an activity, but without it;
    /// else to the newest one.</summary>
    private async Task<WorkflowHandle<T, Report>> ResetAsync<T>(WorkflowHandle<T, Report> handle, string? before = null)
    {
        var history = (await handle.FetchHistoryAsync()).Events.ToList();
        var until = before is null
            ? history.Count
            : history.FindIndex(item => item.ActivityTaskScheduledEventAttributes?.ActivityType.Name == before) - 1;
        var task = history.Take(until).Last(item => item.WorkflowTaskCompletedEventAttributes is not null).EventId;
        var reset = await temporal.Client.WorkflowService.ResetWorkflowExecutionAsync(
            new()
            {
                Namespace = temporal.Client.Options.Namespace,
                WorkflowExecution = new() { WorkflowId = handle.Id, RunId = handle.ResultRunId ?? "" },
                WorkflowTaskFinishEventId = task,
                RequestId = Guid.NewGuid().ToString(),
                Reason = "a person in the Web UI",
            }
        );
        return temporal.Client.GetWorkflowHandle<T, Report>(handle.Id, reset.RunId);
    }

    /// <summary>Nobody holds the cluster, and of the procedure no run is left.</summary>
    private async Task FreeAsync(TestCluster cluster)
    {
        await Host.UntilAsync(
            "the lease is free",
            async () =>
                (await temporal.Client.GetWorkflowHandle(ClusterLease.IdOf(cluster.Name)).DescribeAsync()).Status
                    is not WorkflowExecutionStatus.Running,
            10
        );
        Assert.Empty(await Host.DockerAsync("ps", "-aq", "--filter", $"name=pgflow-{cluster.Name}-job"));
    }

    /// <summary>It was done, or undone, and says so.</summary>
    private async Task EndedWellAsync(TestCluster cluster, WorkflowHandle<Switchover, Report> procedure)
    {
        try
        {
            await procedure.GetResultAsync();
            await FreeAsync(cluster);
            await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
        }
        catch (Temporalio.Exceptions.WorkflowFailedException)
        {
            var (type, _, message) = await TestCluster.FailureAsync(procedure);
            Assert.True(type == FailureTypes.Unchanged, message);
            Assert.Contains("reset", message, StringComparison.OrdinalIgnoreCase);
            await FreeAsync(cluster);
            await Host.UntilAsync("p2 streams again", async () => (await cluster.InspectAsync()).Healthy);
            await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
        }
    }

    private static Task<WorkflowHandle<Switchover, Report>> SwitchOverAsync(TestCluster cluster, int to) =>
        cluster.StartAsync(
            (Switchover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = NodeName.Of(to),
                    }
                )
        );

    private static Task<WorkflowHandle<RecoverCluster, Report>> RecoverAsync(TestCluster cluster, bool inspect) =>
        cluster.StartAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        ToPoint = "a",
                        Inspect = inspect,
                    }
                )
        );
}

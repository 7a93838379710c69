using System.Diagnostics;
using Temporalio.Client;

namespace PgFlow.SystemTests.World;

/// <summary>Behind the point of no return: blocked with the reason, never for ever; and the ways on.</summary>
public sealed class StuckTests(TemporalServer temporal)
{
    [Fact, Trait("Suite", "ci")]
    public async Task A_node_that_cannot_start_is_blocked_with_its_own_log_and_another_procedure_can_take_the_cluster()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await SetAsync(cluster.Node(1), "shared_preload_libraries = 'missing'");
        var clock = Stopwatch.StartNew();
        var switchover = await SwitchOverAsync(cluster);
        var blocked = await BlockedAsync(switchover);

        Assert.Equal("p1's unarchived WAL is in the archive, and it follows p2", blocked.Title);
        Assert.Contains("could not access file \"missing\"", blocked.Why, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"blocked after {clock.Elapsed}");

        var busy = await TestCluster.FailureAsync(await FailBackAsync(cluster));
        Assert.Equal(FailureTypes.ClusterBusy, busy.Type);
        Assert.EndsWith("now blocked", busy.Message, StringComparison.Ordinal);
        var ways = busy.Report!.Hints;
        Assert.Equal([WorkflowAction.Show, WorkflowAction.Resolve, null], ways.Select(way => way.Action));
        Assert.Equal([switchover.Id, switchover.Id, null], ways.Select(way => way.WorkflowId));
        Assert.Equal(
            (nameof(Failback), switchover.Id),
            (ways[2].Procedure, ways[2].Input!["takeOver"]!.GetValue<string>())
        );

        await UnsetAsync(cluster.Node(1));
        var report = await TestCluster.ReportAsync(await FailBackAsync(cluster, takeOver: switchover.Id));
        Assert.Contains(
            $"test took the cluster for this from {switchover.Id}",
            Assert.Single(report.Notes, note => note.Contains("took", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
        var ended = await TestCluster.FailureAsync(switchover);
        Assert.Equal(
            (FailureTypes.Incomplete, $"Failback {report.WorkflowId} took the cluster from it, as test decided"),
            (ended.Type, ended.Message)
        );
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_procedure_that_works_is_not_taken_from_and_one_whose_worker_is_gone_is_when_it_is_back()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var held = await HeldProgram.HoldAsync(cluster.Node(2), "restore");
        var switchover = await SwitchOverAsync(cluster);
        await cluster.WorkedOnAsync(switchover, "PromoteStandby");

        var busy = await TestCluster.FailureAsync(await FailBackAsync(cluster, takeOver: switchover.Id));
        Assert.Equal(FailureTypes.ClusterBusy, busy.Type);
        Assert.EndsWith("now running", busy.Message, StringComparison.Ordinal);
        Assert.Equal([WorkflowAction.Watch, WorkflowAction.Cancel], busy.Report!.Hints.Select(hint => hint.Action));
        Assert.All(busy.Report.Hints, hint => Assert.Equal(switchover.Id, hint.WorkflowId));
        await held.ReleaseAsync();
        await TestCluster.ReportAsync(switchover);
    }

    [Fact]
    public async Task A_cancel_breaks_off_what_hangs_behind_the_point_of_no_return_and_a_retry_goes_on()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var held = await HeldProgram.HoldAsync(cluster.Node(2), "restore");
        var switchover = await SwitchOverAsync(cluster);
        await cluster.WorkedOnAsync(switchover, "PromoteStandby");
        await switchover.CancelAsync();

        var blocked = await AllBlockedAsync(switchover);
        Assert.All(blocked, step => Assert.Equal("a cancel came after the point of no return", step.Why));
        await held.ReleaseAsync();
        await Blocked.RetryAsync(switchover, blocked);

        await TestCluster.ReportAsync(switchover);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_tag_that_is_gone_keeps_nobody_from_the_image()
    {
        var image = $"pgflow-test-image-{Guid.NewGuid():N}"[..28];
        await Host.DockerAsync("tag", Host.Image, image);
        try
        {
            await using var cluster = await TestCluster.CreateAsync(temporal.Client, image: image);
            await Host.DockerAsync("rmi", image);
            await TestCluster.ReportAsync(await SwitchOverAsync(cluster));
            await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
        }
        finally
        {
            await Host.TryDockerAsync("rmi", image);
        }
    }

    [Fact]
    public async Task Jobs_of_a_terminated_procedure_go_with_the_next_one_and_those_of_one_that_runs_stay()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var terminated = await VerifyAsync(cluster);
        var left = await cluster.OnJobAsync("verify-backup", "pause");
        await terminated.TerminateAsync();
        await Host.UntilAsync(
            "the lease is free",
            async () =>
                (
                    await temporal
                        .Client.GetWorkflowHandle(ClusterLease.IdOf(cluster.Name, LeaseKind.Verify))
                        .DescribeAsync()
                ).Status
                    is not Temporalio.Api.Enums.V1.WorkflowExecutionStatus.Running
        );
        var running = await VerifyAsync(cluster);
        var working = "";
        await Host.UntilAsync(
            "the other one verifies",
            async () => (working = (await JobsAsync(cluster)).FirstOrDefault(job => job != left) ?? "").Length > 0
        );
        await Host.UntilAsync("it is held", async () => (await Host.TryDockerAsync("pause", working)).Code == 0);

        await cluster.RunAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Name = "one",
                    }
                )
        );
        Assert.Equal([working], await JobsAsync(cluster));
        await Host.DockerAsync("unpause", working);
        await TestCluster.ReportAsync(running);
    }

    private static async Task<string[]> JobsAsync(TestCluster cluster) =>
        (await Host.DockerAsync("ps", "-aq", "--filter", $"name=pgflow-{cluster.Name}-job-verify-backup")).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );

    internal static Task<string> SetAsync(NodeId node, string setting) =>
        Host.DockerAsync(
            "exec",
            "-u",
            "postgres",
            node.Container,
            "sh",
            "-c",
            $"cp -p /pgflow/data/postgresql.auto.conf /pgflow/data/kept.conf; echo \"{setting}\" >> "
                + "/pgflow/data/postgresql.auto.conf"
        );

    /// <remarks>By the volume: the node does not run.</remarks>
    internal static Task<string> UnsetAsync(NodeId node) =>
        Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            $"{node.Container}:/pgflow",
            "--entrypoint",
            "mv",
            Host.Image,
            "/pgflow/data/kept.conf",
            "/pgflow/data/postgresql.auto.conf"
        );

    private static Task<WorkflowHandle<Switchover, Report>> SwitchOverAsync(TestCluster cluster) =>
        cluster.StartAsync(
            (Switchover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = NodeName.Of(2),
                    }
                )
        );

    private static Task<WorkflowHandle<Failback, Report>> FailBackAsync(TestCluster cluster, string? takeOver = null) =>
        cluster.StartAsync(
            (Failback procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(1),
                        TakeOver = takeOver,
                    }
                )
        );

    private static Task<WorkflowHandle<VerifyBackup, Report>> VerifyAsync(TestCluster cluster) =>
        cluster.StartAsync(
            (VerifyBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );

    private static async Task<BlockedStep> BlockedAsync(WorkflowHandle handle) => (await AllBlockedAsync(handle))[0];

    /// <summary>What waits for a person, when nothing goes on beside it any more.</summary>
    internal static async Task<IReadOnlyList<BlockedStep>> AllBlockedAsync(WorkflowHandle handle)
    {
        IReadOnlyList<BlockedStep> blocked = [];
        await Host.UntilAsync(
            "it is blocked",
            async () =>
            {
                var progress = await handle.QueryAsync<ProcedureProgress>("progress", []);
                blocked = progress.Blocked;
                return blocked.Count > 0 && progress.Steps.All(step => step.State is not StepState.Running);
            }
        );
        return blocked;
    }
}

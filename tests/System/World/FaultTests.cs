using System.Diagnostics;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Client;

namespace PgFlow.SystemTests.World;

/// <summary>Workers that stop, hang and come back; activities that a person pauses; a repository that is
/// full.</summary>
public sealed class FaultTests(TemporalServer temporal)
{
    private static readonly TimeSpan StandsStill = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_worker_that_stands_still_within_a_step_changes_nothing_when_it_goes_on()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        // a fast stop ends only when the last segment is archived
        await using var held = await HeldProgram.HoldAsync(cluster.Node(1), "archive");
        var failover = await cluster.StartAsync(
            (Failover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Force = true,
                    }
                )
        );
        await cluster.WorkedOnAsync(failover, "FenceNode");
        var (first, clock) = (cluster.Worker, Stopwatch.StartNew());
        var second = cluster.StartWorker();
        await SignalAsync(first, "STOP");
        await held.ReleaseAsync();
        await TestCluster.ReportAsync(failover);
        await TestCluster.RedoneAsync(failover, "FenceNode", second);
        await FailoverTests.FailBackAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
        var before = await cluster.SnapshotAsync();

        await Task.Delay(
            StandsStill - clock.Elapsed is { Ticks: > 0 } left ? left : TimeSpan.Zero,
            TestContext.Current.CancellationToken
        ); // the situation itself
        await SignalAsync(first, "CONT");
        for (var looked = Stopwatch.StartNew(); looked.Elapsed < TimeSpan.FromSeconds(5); )
        {
            Assert.Equal(before, await cluster.SnapshotAsync());
        }

        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_worker_that_is_killed_behind_a_switchovers_stop_leaves_it_to_the_next_one_and_no_row_is_lost()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        var timeline = 1;
        foreach (
            var (activity, delay) in ((string, int)[])
                [
                    ("StopPostgres", 0),
                    ("StopPostgres", 120),
                    ("ReleaseVirtualIp", 0),
                    ("ReleaseVirtualIp", 70),
                    ("TakeVirtualIp", 0),
                    ("TakeVirtualIp", 70),
                    ("PromoteStandby", 30),
                ]
        )
        {
            var switchover = await cluster.StartAsync(
                (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            );
            await TestCluster.ActivityAsync(switchover, activity);
            await Task.Delay(delay, TestContext.Current.CancellationToken);
            cluster.Worker.Kill9();
            cluster.StartWorker();
            await TestCluster.ReportAsync(switchover);
            timeline++;
            await writer.MoreAsync();
            await cluster.HealthyAsync(cluster.Node(timeline % 2 == 0 ? 2 : 1), timeline);
        }

        Assert.Empty(await writer.LostAsync(cluster.Node(timeline % 2 == 0 ? 2 : 1)));
    }

    [Fact]
    public async Task A_worker_that_is_told_to_stop_within_any_procedure_leaves_it_to_the_next_one()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await StoppedWithinAsync(
            cluster,
            "StopPostgres",
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await StoppedWithinAsync(
            cluster,
            "FenceNode",
            (Failover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Force = true,
                    }
                )
        );
        await StoppedWithinAsync(
            cluster,
            "ExamineDivergence",
            (Failback procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await StoppedWithinAsync(
            cluster,
            "CopyPrimary",
            (RemakeStandby procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(2),
                    }
                )
        );
        await StoppedWithinAsync(
            cluster,
            "CopyToRepository",
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await StoppedWithinAsync(
            cluster,
            "VerifyRecovery",
            (VerifyBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await StoppedWithinAsync(
            cluster,
            "RestoreBackup",
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Latest = true,
                    }
                )
        );
        await cluster.HealthyAsync(cluster.Node(1), timeline: 4);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_activity_that_a_person_pauses_or_resets_changes_nothing_before_it_goes_on(bool pause)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var verify = await cluster.StartAsync(
            (VerifyBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        var job = await cluster.OnJobAsync("verify-backup", "pause");
        var activity = Assert.Single(await PendingAsync(verify));
        if (pause)
        {
            await temporal.Client.Connection.WorkflowService.PauseActivityAsync(
                new()
                {
                    Namespace = temporal.Client.Options.Namespace,
                    Execution = new() { WorkflowId = verify.Id },
                    Id = activity.ActivityId,
                    Identity = "test",
                }
            );
        }
        else
        {
            await temporal.Client.Connection.WorkflowService.ResetActivityAsync(
                new()
                {
                    Namespace = temporal.Client.Options.Namespace,
                    Execution = new() { WorkflowId = verify.Id },
                    Id = activity.ActivityId,
                    Identity = "test",
                }
            );
        }

        await Host.DockerAsync("unpause", job);
        if (pause)
        {
            await Host.UntilAsync(
                "it is paused",
                async () => (await PendingAsync(verify)) is [{ State: PendingActivityState.Paused }]
            );
            Assert.Null((await cluster.InspectAsync()).Archive!.Backup!.VerifiedAt);
            await temporal.Client.Connection.WorkflowService.UnpauseActivityAsync(
                new()
                {
                    Namespace = temporal.Client.Options.Namespace,
                    Execution = new() { WorkflowId = verify.Id },
                    Id = activity.ActivityId,
                    Identity = "test",
                }
            );
        }

        await TestCluster.ReportAsync(verify);
        Assert.NotNull((await cluster.InspectAsync()).Archive!.Backup!.VerifiedAt);
    }

    [Fact]
    public async Task A_backup_starts_no_node_that_a_failover_beside_it_has_fenced()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var held = await HeldProgram.HoldAsync(cluster.Node(1), "archive");
        var backup = await cluster.StartAsync(
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.StepAsync(backup, "copy", StepState.Done);
        await TestCluster.ActivityAsync(backup, "ProveArchiving");
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        var failover = await cluster.StartAsync(
            (Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.FailureAsync(backup);
        await held.ReleaseAsync(); // the salvage of p1's WAL uses it too
        await TestCluster.ReportAsync(failover);

        Assert.Equal(
            "exited no",
            await Host.DockerAsync(
                "inspect",
                "-f",
                "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}",
                cluster.Node(1).Container
            )
        );
        await FailoverTests.FailBackAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_restore_point_beside_a_switchover_says_that_roles_have_changed()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var held = await HeldProgram.HoldAsync(cluster.Node(1), "archive");
        var point = await cluster.StartAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Name = "now",
                    }
                )
        );
        await TestCluster.ActivityAsync(point, "ProveArchiving");
        var switchover = await cluster.StartAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.StepAsync(switchover, "promote", StepState.Done);
        await held.ReleaseAsync(); // the salvage of p1's WAL uses it too

        var failed = await TestCluster.FailureAsync(point);
        Assert.Equal(FailureTypes.Unchanged, failed.Type);
        Assert.Contains("p1 is not the primary any more", failed.Message, StringComparison.Ordinal);
        await TestCluster.ReportAsync(switchover);
    }

    [Theory, Trait("Suite", "ci")]
    [InlineData(
        "archive",
        "printf 'NODE=p1 ARCHIVE=/repository/wal' > /tmp/node.env; set -- /tmp/file 000000010000000000000001"
    )]
    [InlineData(
        "record",
        "mkdir $JOB; echo one.json > $JOB/names; cp /tmp/file $JOB/1.json; mkdir -p /repository/ledger"
    )]
    public async Task A_full_repository_is_named(string program, string before)
    {
        var (code, output) = await Host.TryDockerAsync([
            "run",
            "--rm",
            "--network",
            "none",
            "--tmpfs",
            "/repository:size=64k",
            .. Names.Environment.SelectMany(path => new[] { "-e", path }),
            "--entrypoint",
            "sh",
            Host.Image,
            "-c",
            $"head -c 1000000 /dev/zero > /tmp/file; {before}\n{Embedded.Read(program)}",
            "/tmp/program",
        ]);

        Assert.NotEqual(0, code);
        Assert.Contains("No space left on device", output, StringComparison.Ordinal);
    }

    private static async Task StoppedWithinAsync<T>(
        TestCluster cluster,
        string activity,
        System.Linq.Expressions.Expression<Func<T, Task<Report>>> run
    )
    {
        var procedure = await cluster.StartAsync(run);
        await TestCluster.ActivityAsync(procedure, activity);
        var stopped = cluster.Worker;
        cluster.StartWorker();
        await SignalAsync(stopped, "TERM");
        await TestCluster.ReportAsync(procedure);
    }

    private async Task<IReadOnlyList<PendingActivityInfo>> PendingAsync(WorkflowHandle handle) =>
        (
            await temporal.Client.WorkflowService.DescribeWorkflowExecutionAsync(
                new()
                {
                    Namespace = temporal.Client.Options.Namespace,
                    Execution = new() { WorkflowId = handle.Id },
                }
            )
        ).PendingActivities;

    private static async Task SignalAsync(WorkerProcess worker, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{worker.Id}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }
}

using System.Diagnostics;
using System.Linq.Expressions;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.SystemTests.World;

/// <summary>Docker's daemon is restarted, or killed and started again, in the middle of a procedure.</summary>
[Trait("Suite", "own-docker")]
public sealed class DockerRestartTests(TemporalServer temporal)
{
    [Theory]
    [InlineData("PrepareStop", "TERM")]
    [InlineData("PrepareStop", "KILL")]
    [InlineData("StopPostgres", "TERM")]
    [InlineData("StopPostgres", "KILL")]
    public async Task A_switchover_before_its_point_of_no_return_succeeds_or_is_undone_and_can_be_repeated(
        string activity,
        string signal
    )
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        var switchover = await StartSwitchoverAsync(cluster);
        await TestCluster.ActivityAsync(switchover, activity);
        await OwnDocker.RestartAsync(signal);

        if (await IsUndoneAsync(switchover))
        {
            await HealthyAsync(cluster, signal, cluster.Node(1), 1);
            await TestCluster.ReportAsync(await StartSwitchoverAsync(cluster));
        }

        await writer.MoreAsync();
        await HealthyAsync(cluster, signal, cluster.Node(2), 2);
        Assert.Empty(await writer.LostAsync(cluster.Node(2)));
        TestContext.Current.SendDiagnosticMessage($"{activity} {signal}: outage {writer.Outage.TotalSeconds:0.0} s");
    }

    [Theory]
    [InlineData("PromoteStandby", "TERM")]
    [InlineData("PromoteStandby", "KILL")]
    [InlineData("TakeVirtualIp", "KILL")]
    [InlineData("ProveEndpoint", "TERM")]
    [InlineData("ProveEndpoint", "KILL")]
    [InlineData("ProveStreaming", "KILL")]
    public async Task A_switchover_behind_its_point_of_no_return_goes_on(string activity, string signal)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        var switchover = await StartSwitchoverAsync(cluster);
        await TestCluster.ActivityAsync(switchover, activity);
        await OwnDocker.RestartAsync(signal);

        await ReportAsync(switchover);
        await writer.MoreAsync();
        await HealthyAsync(cluster, signal, cluster.Node(2), 2);
        Assert.Empty(await writer.LostAsync(cluster.Node(2)));
        TestContext.Current.SendDiagnosticMessage($"{activity} {signal}: outage {writer.Outage.TotalSeconds:0.0} s");
    }

    [Theory]
    [InlineData("FenceNode", "KILL")]
    [InlineData("TakeVirtualIp", "TERM")]
    [InlineData("TakeVirtualIp", "KILL")]
    [InlineData("PromoteStandby", "KILL")]
    public async Task A_failover_goes_on_and_its_old_primary_comes_back(string activity, string signal)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        var failover = await cluster.StartAsync(
            (Failover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = NodeName.Of(2),
                    }
                )
        );
        await TestCluster.ActivityAsync(failover, activity);
        await OwnDocker.RestartAsync(signal);

        await ReportAsync(failover);
        await FailoverTests.FailBackAsync(cluster);
        await HealthyAsync(cluster, signal, cluster.Node(2), 2);
    }

    [Theory]
    [InlineData("ExamineDivergence", "TERM")]
    [InlineData("RewindData", "KILL")]
    public async Task A_failback_goes_on(string activity, string signal)
    {
        await using var cluster = await TestCluster.LostAsync(temporal.Client);
        await RestartedWithinAsync(
            cluster,
            activity,
            signal,
            (Failback procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await HealthyAsync(cluster, signal, cluster.Node(2), 2);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task A_remake_that_copies_goes_on(string signal)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await RestartedWithinAsync(
            cluster,
            "CopyPrimary",
            signal,
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
        await HealthyAsync(cluster, signal, cluster.Node(1), 1);
    }

    /// <summary>Not after a killed one: a backup has no say over nodes, and starts none that Docker has left stopped;
    /// that one ends with its reason.</summary>
    [Fact]
    public async Task A_backup_that_copies_goes_on_when_the_daemon_was_restarted()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await RestartedWithinAsync(
            cluster,
            "CopyToRepository",
            "TERM",
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await HealthyAsync(cluster, "TERM", cluster.Node(1), 1);
    }

    [Fact]
    public async Task A_backup_that_copies_ends_with_its_reason_when_the_daemon_was_killed()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var backup = await cluster.StartAsync(
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.ActivityAsync(backup, "CopyToRepository");
        await OwnDocker.RestartAsync("KILL");

        await EndedUnaidedAsync(backup);
        var (type, _, message) = await TestCluster.FailureAsync(backup);
        Assert.Equal(FailureTypes.Unchanged, type);
        Assert.Contains("does not run", message, StringComparison.Ordinal);
        await HealthyAsync(cluster, "KILL", cluster.Node(1), 1);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task A_recovery_that_stands_at_its_inspection_has_its_node_again_when_it_is_approved(string signal)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
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
        var recovery = await cluster.StartAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        ToPoint = "a",
                        Inspect = true,
                    }
                )
        );
        await RecoveryTests.InspectingAsync(recovery, seconds: 120);
        await OwnDocker.RestartAsync(signal);

        await recovery.ExecuteUpdateAsync("approve", [new Approval(null, "test")]);
        await ReportAsync(recovery);
        Assert.Equal("A", (await TestCluster.SqlAsync(cluster.Node(1), "SELECT string_agg(w, ',') FROM word")).Trim());
        await HealthyAsync(cluster, signal, cluster.Node(1), 2);
    }

    [Theory]
    [InlineData("RestoreBackup", "KILL")]
    [InlineData("ReplayWal", "TERM")]
    [InlineData("PromoteStandby", "KILL")]
    [InlineData("CopyPrimary", "TERM")]
    public async Task A_recovery_goes_on(string activity, string signal)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await RestartedWithinAsync(
            cluster,
            activity,
            signal,
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
        await HealthyAsync(cluster, signal, cluster.Node(1), 2);
    }

    [Theory]
    [InlineData("CreateNode", "KILL")]
    [InlineData("InitializeDatabase", "TERM")]
    [InlineData("StartPostgres", "KILL")]
    [InlineData("CopyPrimary", "KILL")]
    public async Task A_cluster_that_is_made_is_there_or_nothing_is_left_of_it(string activity, string signal)
    {
        await using var workers = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        await using var cluster = await workers.SiblingAsync();
        Task<WorkflowHandle<InitCluster, Report>> InitAsync() =>
            cluster.StartAsync(
                (InitCluster procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Image = Host.Image,
                            ExternalNetwork = cluster.Network,
                            Vip = cluster.Vip,
                        }
                    )
            );
        var init = await InitAsync();
        await TestCluster.ActivityAsync(init, activity);
        await OwnDocker.RestartAsync(signal);

        if (await IsUndoneAsync(init))
        {
            await TestCluster.ReportAsync(await InitAsync());
        }

        await HealthyAsync(cluster, signal, cluster.Node(1), 1);
        await HealthyAsync(workers, signal, workers.Node(1), 1);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task A_cluster_that_nothing_works_on_is_whole_again_without_a_failover(string signal)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await OwnDocker.RestartAsync(signal);
        await HealthyAsync(cluster, signal, cluster.Node(1), 1);
    }

    [Fact]
    public async Task Status_while_the_daemon_is_away_says_so_and_ends()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await OwnDocker.EndAsync("TERM");
        try
        {
            var clock = Stopwatch.StartNew();
            var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => cluster.InspectAsync());
            TestContext.Current.SendDiagnosticMessage(
                $"{clock.Elapsed.TotalSeconds:0} s: {TemporalFailures.Why(failure.InnerException!)}"
            );
            Assert.Contains(
                "Docker does not answer",
                TemporalFailures.Why(failure.InnerException!),
                StringComparison.Ordinal
            );
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(90), $"it ended after {clock.Elapsed}");
        }
        finally
        {
            await OwnDocker.StartAsync();
        }

        await HealthyAsync(cluster, "TERM", cluster.Node(1), 1);
    }

    private static async Task RestartedWithinAsync<T>(
        TestCluster cluster,
        string activity,
        string signal,
        Expression<Func<T, Task<Report>>> run
    )
    {
        var procedure = await cluster.StartAsync(run);
        await TestCluster.ActivityAsync(procedure, activity);
        await OwnDocker.RestartAsync(signal);
        await ReportAsync(procedure);
    }

    /// <summary>
    /// A daemon that was killed finds its containers running, stops them, and takes that for a person's wish: it starts
    /// none of them again. What a procedure did
    /// not need is left to a repair.
    /// </summary>
    private static async Task HealthyAsync(TestCluster cluster, string signal, NodeId primary, int timeline)
    {
        if (signal == "KILL" && !(await cluster.InspectAsync()).Healthy)
        {
            TestContext.Current.SendDiagnosticMessage(
                await Host.DockerAsync(
                    "ps",
                    "-a",
                    "--filter",
                    "label=pgflow.node",
                    "--format",
                    "{{.Names}} {{.Status}}"
                )
            );
            await cluster.RunAsync(
                (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            );
        }

        // those that Docker has started
        await Host.UntilAsync("every standby streams", async () => (await cluster.InspectAsync()).Healthy, 30);
        await cluster.HealthyAsync(primary, timeline);
    }

    /// <summary>Whether it failed with the cluster as it was, instead of succeeding.</summary>
    private static async Task<bool> IsUndoneAsync<T>(WorkflowHandle<T, Report> procedure)
    {
        await EndedUnaidedAsync(procedure);
        if ((await procedure.DescribeAsync()).Status is WorkflowExecutionStatus.Completed)
        {
            return false;
        }

        var (type, _, message) = await TestCluster.FailureAsync(procedure);
        TestContext.Current.SendDiagnosticMessage($"{procedure.Id} is undone: {message}");
        Assert.Equal(FailureTypes.Unchanged, type);
        return true;
    }

    private static async Task<Report> ReportAsync<T>(WorkflowHandle<T, Report> procedure)
    {
        await EndedUnaidedAsync(procedure);
        return await TestCluster.ReportAsync(procedure);
    }

    /// <summary>Nobody had to help.</summary>
    private static Task EndedUnaidedAsync(WorkflowHandle procedure) =>
        Host.UntilAsync(
            $"{procedure.Id} has ended",
            async () =>
            {
                try
                {
                    var progress = await procedure.QueryAsync<ProcedureProgress>(
                        "progress",
                        [],
                        new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(2) } }
                    );
                    Assert.All(
                        progress.Steps,
                        step => Assert.False(step.State is StepState.Blocked, $"{step.Title}: {step.Error}")
                    );
                    return (await procedure.DescribeAsync()).Status is not WorkflowExecutionStatus.Running;
                }
                catch (RpcException)
                {
                    return false;
                }
            },
            240
        );

    private static Task<WorkflowHandle<Switchover, Report>> StartSwitchoverAsync(TestCluster cluster) =>
        cluster.StartAsync((Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }));
}

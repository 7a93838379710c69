using Temporalio.Client;

namespace PgFlow.SystemTests.World;

/// <summary>Volumes that are removed, full or read-only in the middle.</summary>
public sealed class VolumeTests(TemporalServer temporal)
{
    private const string NoSpace = "No space left on device";

    [Fact]
    public async Task Of_the_old_primary_that_is_gone_behind_the_point_of_no_return_is_said_and_made_again_by_a_repair()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var held = await HeldProgram.HoldAsync(cluster.Node(2), "restore");
        var switchover = await SwitchOverAsync(cluster);
        await cluster.WorkedOnAsync(switchover, "PromoteStandby");
        await RemoveAsync(cluster.Node(1));
        await held.ReleaseAsync();

        var blocked = await StuckTests.AllBlockedAsync(switchover);
        Assert.All(blocked, step => Assert.Contains("p1", step.Why, StringComparison.Ordinal));
        Assert.Equal(FailureTypes.Incomplete, (await SkipAllAsync(switchover)).Type);
        await RepairAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task Of_the_candidate_that_is_gone_before_the_point_of_no_return_gives_the_role_back_at_once()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        var switchover = await SwitchoverTests.StandsAtProofAsync(cluster);
        await RemoveAsync(cluster.Node(2));

        await writer.MoreAsync();
        var (type, message) = await SkipAllAsync(switchover);
        Assert.Contains("p2", message, StringComparison.Ordinal);
        Assert.True(type is FailureTypes.Incomplete or FailureTypes.Unchanged, type);
        Assert.Empty(await writer.LostAsync(cluster.Node(1)));
        await RepairAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact]
    public async Task Of_a_standby_that_is_gone_while_it_is_remade_or_while_a_recovery_stands_still_is_said_and_made_again_by_a_repair()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var remake = await cluster.StartAsync(
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
        var job = await cluster.OnJobAsync("copy", "pause");
        await Host.DockerAsync("rm", "-f", job);
        await RemoveAsync(cluster.Node(2));
        var (_, message) = await SkipAllAsync(remake);
        Assert.Contains("p2", message, StringComparison.Ordinal);
        await RepairAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);

        var recovery = await cluster.StartAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Latest = true,
                        Inspect = true,
                    }
                )
        );
        await RecoveryTests.InspectingAsync(recovery, seconds: 120);
        await RemoveAsync(cluster.Node(2));
        await recovery.ExecuteUpdateAsync("approve", [new Approval(null, "test")]);
        var blocked = await StuckTests.AllBlockedAsync(recovery);
        Assert.All(blocked, step => Assert.Contains("p2", step.Why, StringComparison.Ordinal));
        Assert.Equal(FailureTypes.Incomplete, (await SkipAllAsync(recovery)).Type);
        await RepairAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 2);
    }

    [Fact]
    public async Task Of_a_primary_that_is_full_is_said_by_status_and_a_failover_and_a_failback_end()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var small = await SmallVolume.UnderAsync(cluster, cluster.Node(1).Container, 400);
        await small.FillAsync();
        Assert.Contains("p1's volume has", await StatusAsync(cluster), StringComparison.Ordinal);

        for (var segment = 0; segment < 12; segment++) // it ends with the first one that it can't make
        {
            await Host.TryAsync(() =>
                TestCluster.SqlAsync(
                    cluster.Node(1),
                    "SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'fill', repeat('x', 1000000))"
                )
            );
        }

        Assert.Contains("p1's volume has", await StatusAsync(cluster), StringComparison.Ordinal);
        TestContext.Current.SendDiagnosticMessage(await StatusAsync(cluster));
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
        await Blocked.FinishAsync(failover, small.EmptyAsync, NoSpace);
        await small.EmptyAsync();
        await FailoverTests.FailBackAsync(cluster, 1);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task Of_a_primary_that_is_full_and_still_runs_is_switched_over_or_refused_and_backed_up_and_recovered_or_refused()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var small = await SmallVolume.UnderAsync(cluster, cluster.Node(1).Container, 400);
        await small.FillAsync();
        await EndsAsync(
            cluster,
            small,
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await small.FillAsync();
        await EndsAsync(
            cluster,
            small,
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
        await small.FillAsync();
        await EndsAsync(
            cluster,
            small,
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await Host.UntilAsync("it is well", async () => (await cluster.InspectAsync()).Healthy);
    }

    [Fact]
    public async Task Of_a_standby_that_is_full_is_said_by_status_and_nobody_waits_for_it()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var small = await SmallVolume.UnderAsync(cluster, cluster.Node(2).Container, 400);
        await small.FillAsync();
        Assert.Contains("p2's volume has", await StatusAsync(cluster), StringComparison.Ordinal);
        await EndsAsync(
            cluster,
            small,
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await small.FillAsync();
        await EndsAsync(
            cluster,
            small,
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
        await Host.UntilAsync("it is well", async () => (await cluster.InspectAsync()).Healthy);
    }

    [Fact]
    public async Task A_full_repository_keeps_no_standby_of_a_failover_from_following_and_a_restore_point_goes_on_when_there_is_room()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await using var small = await SmallVolume.UnderAsync(cluster, $"pgflow-{cluster.Name}-repository", 400);
        await small.FillAsync();
        Assert.Contains("repository's volume has", await StatusAsync(cluster), StringComparison.Ordinal);
        var refused = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (CreateRestorePoint procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Name = "full",
                        }
                    )
            )
        );
        Assert.Contains(NoSpace, refused.Message, StringComparison.OrdinalIgnoreCase);

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
        await TestCluster.StepAsync(failover, "follow/p3", StepState.Done);
        var blocked = await StuckTests.AllBlockedAsync(failover);
        Assert.Contains(blocked, step => step.Why.Contains(NoSpace, StringComparison.OrdinalIgnoreCase));
        await Blocked.FinishAsync(failover, small.EmptyAsync, NoSpace);
        await FailoverTests.FailBackAsync(cluster, 1);
        await cluster.RunAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Name = "full",
                    }
                )
        );
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_read_only_repository_is_named_and_nothing_hangs()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var small = await SmallVolume.UnderAsync(cluster, $"pgflow-{cluster.Name}-repository", 400);
        await small.RemountAsync("ro");
        await TestCluster.SqlAsync(
            cluster.Node(1),
            "SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'fill', 'fill')"
        );
        await Host.UntilAsync(
            "status says it",
            async () => (await StatusAsync(cluster)).Contains("p1 can't archive", StringComparison.Ordinal)
        );
        var backup = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            )
        );
        Assert.Contains("Read-only file system", backup.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(FailureTypes.Refused, (await TestCluster.FailureAsync(await SwitchOverAsync(cluster))).Type);
        await small.RemountAsync("rw");
        await Host.UntilAsync("it is well", async () => (await cluster.InspectAsync()).Healthy, 120);
        await TestCluster.ReportAsync(await SwitchOverAsync(cluster));
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_read_only_data_volume_of_a_standby_is_named_and_of_a_primary_leaves_a_failover()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var small = await SmallVolume.UnderAsync(cluster, cluster.Node(1).Container, 400);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await small.RemountAsync("ro");
        await Host.TryDockerAsync("start", cluster.Node(1).Container);
        await Host.UntilAsync(
            "status says it",
            async () => (await StatusAsync(cluster)).Contains("Read-only file system", StringComparison.Ordinal)
        );
        var failover = await cluster.StartAsync(
            (Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await Blocked.FinishAsync(failover, () => small.RemountAsync("rw"), "ead-only");
        Assert.Contains(
            "without standby.signal: started by hand, it would be a primary",
            await StatusAsync(cluster),
            StringComparison.Ordinal
        );
        await small.RemountAsync("rw");
        await FailoverTests.FailBackAsync(cluster, 1);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    /// <summary>As a person removes them by hand.</summary>
    private static async Task RemoveAsync(NodeId node)
    {
        await Host.DockerAsync("rm", "-f", node.Container);
        await Host.UntilAsync(
            "nobody uses its volume",
            async () => // jobs and looks come and go
            {
                foreach (
                    var user in (await Host.DockerAsync("ps", "-aq", "--filter", $"volume={node.Container}")).Split(
                        '\n',
                        StringSplitOptions.RemoveEmptyEntries
                    )
                )
                {
                    await Host.TryDockerAsync("rm", "-f", user);
                }

                return (await Host.TryDockerAsync("volume", "rm", "-f", node.Container)).Code == 0;
            }
        );
    }

    private static async Task<string> StatusAsync(TestCluster cluster) =>
        string.Join('\n', (await cluster.InspectAsync()).Findings.Select(FindingText.Of));

    /// <summary>It succeeds, is refused or undone, or is blocked with the reason and goes on when there is
    /// room.</summary>
    private static async Task EndsAsync<T>(
        TestCluster cluster,
        SmallVolume small,
        System.Linq.Expressions.Expression<Func<T, Task<Report>>> run
    )
    {
        var procedure = await cluster.StartAsync(run);
        try
        {
            await Blocked.FinishAsync(procedure, small.EmptyAsync, NoSpace);
            TestContext.Current.SendDiagnosticMessage($"{typeof(T).Name} succeeded");
        }
        catch (InvalidOperationException e)
        {
            TestContext.Current.SendDiagnosticMessage(e.Message);
            // a server that ends of it in the middle is only gone for whoever asks it
            var status = await StatusAsync(cluster);
            Assert.True(
                e.Message.Contains(NoSpace, StringComparison.OrdinalIgnoreCase)
                    || status.Contains("'s volume has", StringComparison.Ordinal),
                $"{e.Message}\n{status}"
            );
        }

        await small.EmptyAsync();
        await Host.UntilAsync(
            "one node accepts writes",
            async () => (await cluster.InspectAsync()).State.Primaries.Count == 1,
            90
        );
    }

    /// <summary>A person gives up on what can't be: skipped, else ended.</summary>
    private static async Task<(string? Type, string Message)> SkipAllAsync<T>(WorkflowHandle<T, Report> handle)
    {
        var (end, why) = (handle.GetResultAsync(), "");
        while (await Task.WhenAny(end, Task.Delay(200)) != end)
        {
            foreach (var step in (await handle.QueryAsync<ProcedureProgress>("progress", [])).Blocked)
            {
                why += step.Why;
                await handle.ExecuteUpdateAsync(
                    "resolve",
                    [new Resolution(step.CanSkip ? ResolveAction.Skip : ResolveAction.Abort, "test", Step: step.Step)]
                );
            }
        }

        var (type, _, message) = await TestCluster.FailureAsync(handle);
        return (type, message + why);
    }

    private static Task<Report> RepairAsync(TestCluster cluster) =>
        cluster.RunAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );

    private static Task<WorkflowHandle<Switchover, Report>> SwitchOverAsync(TestCluster cluster) =>
        cluster.StartAsync((Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }));
}

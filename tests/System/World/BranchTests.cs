namespace PgFlow.SystemTests.World;

/// <summary>Who counts as what, by the branch that its WAL lies on.</summary>
public sealed class BranchTests(TemporalServer temporal)
{
    [Fact]
    public async Task A_standby_promoted_by_mistake_misleads_nobody_and_comes_back_by_failback_and_by_remake()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE t (i int); INSERT INTO t VALUES (1)");
        await PromoteByHandAsync(cluster.Node(3), strayTimeline: 2);

        var split = await cluster.InspectAsync();
        Assert.Contains(split.Findings, finding => finding.Code is FindingCode.SplitBrain);
        // today it would take the stray history for the newest branch
        await RestartAsync(cluster, standby: 2, primary: 1);
        await FailoverTests.FailBackAsync(cluster, 3);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
        await RestartAsync(cluster, standby: 3, primary: 1);

        await cluster.RunAsync(
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
        await cluster.HealthyAsync(cluster.Node(2), timeline: 3); // the stray's number is taken
        Assert.Equal("1", await TestCluster.SqlAsync(cluster.Node(2), "SELECT count(*) FROM t"));

        await PromoteByHandAsync(cluster.Node(1), strayTimeline: 4);
        await RestartAsync(cluster, standby: 3, primary: 2);
        await cluster.RunAsync(
            (RemakeStandby procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(1),
                    }
                )
        );
        await cluster.HealthyAsync(cluster.Node(2), timeline: 3);
        await RestartAsync(cluster, standby: 1, primary: 2);

        var tree = await cluster.TimelineAsync();
        Assert.Equal([2u, 4u], tree.Branches.Where(branch => branch.IsStray).Select(branch => branch.Timeline.Number));
        Assert.Equal(3u, tree.Branches.Single(branch => branch.IsLive).Timeline.Number);
    }

    [Fact]
    public async Task A_standby_on_an_abandoned_branch_loses_against_one_on_the_live_branch()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await PromoteByHandAsync(cluster.Node(3), strayTimeline: 2);
        await Host.DockerAsync(
            "exec",
            "-u",
            "postgres",
            cluster.Node(3).Container,
            "sh",
            "-c",
            "touch /pgflow/data/standby.signal && sed -i "
                + "\"s/^recovery_target_timeline.*/recovery_target_timeline = '2'/\" /pgflow/pgflow.conf"
        );
        await Host.DockerAsync("restart", cluster.Node(3).Container);
        await Host.UntilAsync(
            "p3 is a standby of its own branch",
            async () =>
                await Host.TryAsync(() => TestCluster.SqlAsync(cluster.Node(3), "SELECT pg_is_in_recovery()")) == "t"
        );
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
        await Host.UntilAsync(
            "p2 has the rows",
            async () =>
                await Host.TryAsync(() => TestCluster.SqlAsync(cluster.Node(2), "SELECT count(*) FROM t")) == "1000"
        );
        await Host.DockerAsync("kill", cluster.Node(1).Container);

        var report = await FailoverTests.FailOverAsync(cluster);
        Assert.Equal(cluster.Node(2), Assert.Single((await cluster.InspectAsync()).State.Primaries).Id);
        Assert.Contains(
            report.Plan!.Warnings.Select(FindingText.Of),
            warning =>
                warning.Contains("p3 is on timeline 2, which is not part of the live one, 1", StringComparison.Ordinal)
        );
        await FailoverTests.FailBackAsync(cluster, 3);
        await FailoverTests.FailBackAsync(cluster, 1);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 3);
        Assert.Equal("1000", await TestCluster.SqlAsync(cluster.Node(3), "SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task A_restarted_standby_counts_by_the_WAL_that_it_has_not_replayed_yet()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3, sync: true);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE t (i int)");
        await Host.UntilAsync(
            "p2 has the table",
            async () =>
                await Host.TryAsync(() => TestCluster.SqlAsync(cluster.Node(2), "SELECT count(*) FROM t")) == "0"
        );
        await TestCluster.SqlAsync(cluster.Node(2), "ALTER SYSTEM SET recovery_min_apply_delay = '1h'");
        await TestCluster.SqlAsync(cluster.Node(2), "SELECT pg_reload_conf()");
        await TestCluster.SqlAsync(cluster.Node(1), "INSERT INTO t SELECT generate_series(1, 3)");
        await Host.UntilAsync(
            "p3 has three rows",
            async () =>
                await Host.TryAsync(() => TestCluster.SqlAsync(cluster.Node(3), "SELECT count(*) FROM t")) == "3"
        );
        var address = (await cluster.InspectAsync()).State.Find(NodeName.Of(3))!.Address;
        await Host.DockerAsync("network", "disconnect", $"pgflow-{cluster.Name}-internal", cluster.Node(3).Container);
        // confirmed by p2 alone
        await TestCluster.SqlAsync(cluster.Node(1), "INSERT INTO t SELECT generate_series(4, 6)");
        await Host.DockerAsync("restart", cluster.Node(2).Container);
        await Host.UntilAsync(
            "p2 answers",
            async () =>
                await Host.TryAsync(() => TestCluster.SqlAsync(cluster.Node(2), "SELECT pg_is_in_recovery()")) == "t"
        );
        Assert.Contains((await cluster.InspectAsync()).Findings, finding => finding.Code is FindingCode.ReplayDelayed);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await Host.DockerAsync(
            "network",
            "connect",
            "--ip",
            address,
            $"pgflow-{cluster.Name}-internal",
            cluster.Node(3).Container
        );

        await FailoverTests.FailOverAsync(cluster);
        Assert.Equal(cluster.Node(2), Assert.Single((await cluster.InspectAsync()).State.Primaries).Id);
        Assert.Equal("6", await TestCluster.SqlAsync(cluster.Node(2), "SELECT count(*) FROM t"));
        // p1's rewind copies it
        await TestCluster.SqlAsync(cluster.Node(2), "ALTER SYSTEM RESET recovery_min_apply_delay");
        await FailoverTests.FailBackAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    /// <summary>What a person does who takes the wrong window; the new branch's history and a segment of it go to the
    /// archive.</summary>
    private static async Task PromoteByHandAsync(NodeId node, int strayTimeline)
    {
        await TestCluster.SqlAsync(node, "SELECT pg_promote()");
        await TestCluster.SqlAsync(node, "CREATE TABLE stray (i int)");
        await TestCluster.SqlAsync(node, "SELECT pg_switch_wal()");
        await Host.UntilAsync(
            "the stray history and WAL are in the archive",
            async () =>
                (
                    await Host.TryDockerAsync(
                        "exec",
                        node.Container,
                        "sh",
                        "-c",
                        $"ls /repository/timelines/{strayTimeline:X8}.history /repository/wal/{strayTimeline:X8}*"
                    )
                ).Code == 0
        );
    }

    private static async Task RestartAsync(TestCluster cluster, int standby, int primary)
    {
        await Host.DockerAsync("restart", cluster.Node(standby).Container);
        await Host.UntilAsync(
            $"p{standby} streams after a restart",
            async () =>
                await Host.TryAsync(() =>
                    TestCluster.SqlAsync(
                        cluster.Node(primary),
                        $"SELECT pid > 0 FROM pg_stat_replication WHERE application_name = 'p{standby}' AND "
                            + "state = 'streaming' AND backend_start > now() - interval '1 min'"
                    )
                ) == "t"
        );
    }
}

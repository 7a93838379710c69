namespace PgFlow.SystemTests.World;

/// <summary>Slots that PgFlow did not make.</summary>
public sealed class SlotTests(TemporalServer temporal)
{
    [Fact]
    public async Task Of_others_stay_where_they_are_and_failover_slots_go_along_with_a_switchover()
    {
        TestedPostgres.Require(17, "failover slots");
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        // what PostgreSQL's documentation asks for failover slots, beyond the connection string that PgFlow writes
        foreach (var number in (int[])[1, 2])
        {
            foreach (
                var setting in (string[])
                    ["wal_level = logical", "hot_standby_feedback = on", "sync_replication_slots = on"]
            )
            {
                await TestCluster.SqlAsync(cluster.Node(number), $"ALTER SYSTEM SET {setting}");
            }

            await Host.DockerAsync("restart", cluster.Node(number).Container);
        }

        await Host.UntilAsync("the cluster is up again", async () => (await cluster.InspectAsync()).Healthy);
        await TestCluster.SqlAsync(cluster.Node(1), "SELECT pg_create_physical_replication_slot('theirs', true)");
        await TestCluster.SqlAsync(cluster.Node(1), "SELECT pg_create_logical_replication_slot('stays', 'pgoutput')");
        await TestCluster.SqlAsync(
            cluster.Node(1),
            "SELECT pg_create_logical_replication_slot('goes', 'pgoutput', failover => true)"
        );
        await TestCluster.SqlAsync(
            cluster.Node(1),
            "CREATE TABLE t (i int); CREATE PUBLICATION everything FOR ALL TABLES"
        );
        await SyncedAsync(cluster.Node(1), cluster.Node(2));

        await cluster.RunAsync(
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
        Assert.Equal("goes,p2,stays,theirs", await SlotsAsync(cluster.Node(1)));
        await SyncedAsync(cluster.Node(1), cluster.Node(2));

        var report = await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        Assert.Contains(
            report.Plan!.Warnings.Select(FindingText.Of),
            warning => warning.StartsWith("logical slot stays of p1 does not go along", StringComparison.Ordinal)
        );
        Assert.Contains(
            report.Plan.Warnings.Select(FindingText.Of),
            warning => warning.StartsWith("physical slot theirs of p1 does not go along", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(
            report.Plan.Warnings.Select(FindingText.Of),
            warning =>
                warning.Contains(" goes ", StringComparison.Ordinal)
                && warning.Contains("slot goes", StringComparison.Ordinal)
        );

        await TestCluster.SqlAsync(cluster.Node(2), "INSERT INTO t VALUES (1)");
        Assert.NotEqual(
            "0",
            await TestCluster.SqlAsync(
                cluster.Node(2),
                "SELECT count(*) FROM pg_logical_slot_get_binary_changes('goes', NULL, NULL, 'proto_version', "
                    + "'1', 'publication_names', 'everything')"
            )
        );
        Assert.Contains("theirs", await SlotsAsync(cluster.Node(1)), StringComparison.Ordinal);
        Assert.Contains("stays", await SlotsAsync(cluster.Node(1)), StringComparison.Ordinal);
        await SyncedAsync(cluster.Node(2), cluster.Node(1));
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_slot_that_is_lost_while_its_node_is_copied_is_made_anew()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await TestCluster.SqlAsync(cluster.Node(1), "ALTER SYSTEM SET max_slot_wal_keep_size = '32MB'");
        await TestCluster.SqlAsync(cluster.Node(1), "SELECT pg_reload_conf()");
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
        await Host.UntilAsync(
            "p2's slot is lost",
            async () =>
            {
                foreach (
                    var statement in (string[])
                        ["SELECT pg_logical_emit_message(false, 't', 't')", "SELECT pg_switch_wal()", "CHECKPOINT"]
                )
                {
                    await TestCluster.SqlAsync(cluster.Node(1), statement);
                }

                return await TestCluster.SqlAsync(
                        cluster.Node(1),
                        "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'p2'"
                    ) == "lost";
            }
        );
        await Host.DockerAsync("unpause", job);
        await TestCluster.ReportAsync(remake);
        await TestCluster.SqlAsync(cluster.Node(1), "ALTER SYSTEM RESET max_slot_wal_keep_size");
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact]
    public async Task A_setting_raised_on_the_primary_first_is_told_with_the_way_that_does_not_end_the_standby()
    {
        TestedPostgres.Require(14, "a standby with less than it needs pauses");
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await TestCluster.SqlAsync(cluster.Node(1), "ALTER SYSTEM SET max_connections = 150");
        await Host.DockerAsync("restart", cluster.Node(1).Container);
        await Host.UntilAsync(
            "p2 can't replay",
            async () =>
                await Host.TryAsync(() => TestCluster.SqlAsync(cluster.Node(2), "SELECT pg_is_wal_replay_paused()"))
                == "t"
        );
        var finding = Assert.Single(
            (await cluster.InspectAsync()).Findings,
            finding => finding.Code is FindingCode.CapacityTooLow
        );
        Assert.Contains("ALTER SYSTEM SET max_connections = 150", finding.Hint!.Text, StringComparison.Ordinal);

        await Host.DockerAsync("kill", cluster.Node(1).Container); // the same where the primary can't be asked any more
        var refused = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            )
        );
        Assert.Contains("ALTER SYSTEM SET max_connections = 150", refused.Message, StringComparison.Ordinal);
        await TestCluster.SqlAsync(cluster.Node(2), "ALTER SYSTEM SET max_connections = 150");
        await Host.DockerAsync("restart", cluster.Node(2).Container);
        await Host.UntilAsync(
            "p2 answers",
            async () =>
                await Host.TryAsync(() => TestCluster.SqlAsync(cluster.Node(2), "SELECT pg_is_in_recovery()")) == "t"
        );
        await FailoverTests.FailOverAsync(cluster);
        await FailoverTests.FailBackAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_standby_that_ended_since_a_setting_was_raised_on_the_primary_first_is_remade()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await TestCluster.SqlAsync(cluster.Node(1), "ALTER SYSTEM SET max_connections = 150");
        await Host.DockerAsync("restart", cluster.Node(1).Container);
        await Host.UntilAsync(
            "p2 knows of it",
            async () =>
                (
                    await Host.TryDockerAsync(
                        "run",
                        "--rm",
                        "--network",
                        "none",
                        "-u",
                        "postgres",
                        "-v",
                        $"{cluster.Node(2).Container}:/pgflow",
                        "--entrypoint",
                        $"{TestedPostgres.Bin}/pg_controldata",
                        Host.Image,
                        "/pgflow/data"
                    )
                ).Output.Contains("max_connections setting:              150", StringComparison.Ordinal)
        );
        await Host.DockerAsync("restart", cluster.Node(2).Container);
        await Host.UntilAsync(
            "it is said why p2 does not start",
            async () =>
                (await cluster.InspectAsync()).Findings.Any(finding =>
                    finding is { Code: FindingCode.CapacityTooLow, Hint.Procedure: nameof(RemakeStandby) }
                )
        );
        await cluster.RunAsync(
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
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    /// <summary>A standby keeps its copy when somebody has read from the slot since.</summary>
    private static async Task SyncedAsync(NodeId primary, NodeId standby)
    {
        try
        {
            await Host.UntilAsync(
                $"the failover slot is on {standby}",
                async () =>
                {
                    await TestCluster.SqlAsync(
                        primary,
                        "SELECT pg_replication_slot_advance('goes', pg_log_standby_snapshot())"
                    );
                    return await Host.TryAsync(() =>
                            TestCluster.SqlAsync(
                                standby,
                                "SELECT synced AND NOT temporary FROM pg_replication_slots WHERE slot_name = 'goes'"
                            )
                        ) == "t";
                }
            );
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(await Host.DockerAsync("logs", "--tail", "20", standby.Container), e);
        }
    }

    private static Task<string> SlotsAsync(NodeId node) =>
        TestCluster.SqlAsync(node, "SELECT string_agg(slot_name, ',' ORDER BY slot_name) FROM pg_replication_slots");
}

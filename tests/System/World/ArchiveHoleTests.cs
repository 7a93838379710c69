using Temporalio.Client;

namespace PgFlow.SystemTests.World;

/// <summary>Whatever happens to the archive meanwhile, no complete segment of the live branch and its ancestors is
/// missing afterwards.</summary>
public sealed class ArchiveHoleTests(TemporalServer temporal)
{
    [Fact, Trait("Suite", "ci")]
    public async Task A_broken_archive_makes_no_hole_in_a_switchover_a_failover_a_failback_and_a_remake()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);

        // switchover: named in the plan, and by force goes on until the archive takes what the old primary kept
        await BreakAsync(cluster);
        await FillAsync(cluster.Node(1));
        await Host.UntilAsync(
            "the archiver fails",
            async () =>
                await TestCluster.SqlAsync(cluster.Node(1), "SELECT failed_count > 0 FROM pg_stat_archiver") == "t"
        );
        var refused = await TestCluster.FailureAsync(await StartSwitchoverAsync(cluster, force: false));
        Assert.Equal(FailureTypes.Refused, refused.Type);
        Assert.Contains("p1 can't archive 0", refused.Message, StringComparison.Ordinal);

        var switchover = await StartSwitchoverAsync(cluster, force: true);
        await TestCluster.StepAsync(switchover, "follow/p3", StepState.Done);
        Assert.Equal("false", await Host.DockerAsync("inspect", "-f", "{{.State.Running}}", cluster.Node(1).Container));
        await RepairAsync(cluster);
        await Blocked.FinishAsync(switchover);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
        await WholeAsync(cluster, cluster.Node(2));

        // failover: followers follow while the archive is broken
        await BreakAsync(cluster);
        await FillAsync(cluster.Node(2));
        await Host.UntilAsync(
            "p3 has received it",
            async () =>
                await TestCluster.SqlAsync(
                    cluster.Node(2),
                    "SELECT count(*) FROM pg_stat_replication WHERE application_name ~ '^p[13]$' AND flush_lsn "
                        + ">= pg_current_wal_flush_lsn()"
                ) == "2"
        );
        await Host.DockerAsync("kill", cluster.Node(2).Container);
        var failover = await cluster.StartAsync(
            (Failover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = NodeName.Of(1),
                    }
                )
        );
        await TestCluster.StepAsync(failover, "follow/p3", StepState.Done);
        await FillAsync(cluster.Node(1));
        await RepairAsync(cluster);
        await Blocked.FinishAsync(failover);
        await WholeAsync(cluster, cluster.Node(1));

        // failback and remake: nothing of what they replace is lost
        await FailoverTests.FailBackAsync(cluster, 2);
        await WholeAsync(cluster, cluster.Node(1));
        await cluster.RunAsync(
            (RemakeStandby procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(3),
                    }
                )
        );
        await cluster.HealthyAsync(cluster.Node(1), timeline: 3);
        await WholeAsync(cluster, cluster.Node(1));
    }

    private static Task<WorkflowHandle<Switchover, Report>> StartSwitchoverAsync(TestCluster cluster, bool force) =>
        cluster.StartAsync(
            (Switchover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = NodeName.Of(2),
                        Force = force,
                    }
                )
        );

    private static Task<string> BreakAsync(TestCluster cluster) =>
        InRepositoryAsync(cluster, "chmod 555 /repository/wal /repository/timelines");

    private static Task<string> RepairAsync(TestCluster cluster) =>
        InRepositoryAsync(cluster, "chmod 755 /repository/wal /repository/timelines");

    private static Task<string> InRepositoryAsync(TestCluster cluster, string command) =>
        Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "--label",
            $"pgflow.cluster={cluster.Name}",
            "-v",
            $"pgflow-{cluster.Name}-repository:/repository",
            "--entrypoint",
            "sh",
            Host.Image,
            "-c",
            command
        );

    private static async Task FillAsync(NodeId primary)
    {
        for (var segment = 0; segment < 3; segment++)
        {
            await TestCluster.SqlAsync(
                primary,
                "SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'fill', 'fill')"
            );
        }
    }

    [Fact]
    public async Task Of_a_slow_archiver_that_switchovers_kill_nothing_is_missing_and_nothing_is_left()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        foreach (var node in (NodeId[])[cluster.Node(1), cluster.Node(2)])
        {
            await Host.DockerAsync(
                "exec",
                "-u",
                "postgres",
                node.Container,
                "sh",
                "-ec",
                """
                cd /pgflow/bin
                sed 's|^said=.*dd if="$1" of="$part".*|head -c 9000000 "$1" > "$part"; sleep 2\n&|' \
                  archive > archive.slow
                chmod +x archive.slow
                mv archive.slow archive
                """
            );
        }

        for (var timeline = 2; timeline <= 5; timeline++)
        {
            var (old, next) = (cluster.Node(timeline % 2 == 0 ? 1 : 2), cluster.Node(timeline % 2 == 0 ? 2 : 1));
            for (var i = 0; i < 3; i++)
            {
                await TestCluster.SqlAsync(
                    old,
                    "SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'fill', 'fill')"
                );
            }

            await TestCluster.ReportAsync(
                await cluster.StartAsync(
                    (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
                )
            );
            await writer.MoreAsync();
            await cluster.HealthyAsync(next, timeline);
        }

        await WholeAsync(cluster, cluster.Node(1));
        Assert.Equal("", await HiddenAsync(cluster));
        Assert.Empty(await writer.LostAsync(cluster.Node(1)));
    }

    /// <summary>What the archive holds beside published files.</summary>
    private static Task<string> HiddenAsync(TestCluster cluster) =>
        Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            $"pgflow-{cluster.Name}-repository:/r:ro",
            "--entrypoint",
            "sh",
            Host.Image,
            "-c",
            "find /r/wal /r/timelines /r/ledger -name '.?*' -type f | sort"
        );

    /// <summary>All complete segments are there, once the primary's archiver has nothing to do any more.</summary>
    private static async Task WholeAsync(TestCluster cluster, NodeId primary)
    {
        await Host.UntilAsync(
            "nothing waits for the archiver",
            async () =>
                await TestCluster.SqlAsync(
                    primary,
                    "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
                ) == "0",
            seconds: 90
        );
        var archive = (await cluster.InspectAsync()).Archive!;
        Assert.Empty(archive.Gaps);
        Assert.Null(archive.Missing);
        Assert.DoesNotContain(
            (await cluster.TimelineAsync()).Findings,
            finding => finding.Code is FindingCode.WalMissing or FindingCode.HistoryMissing
        );
    }
}

namespace PgFlow.SystemTests.World;

/// <summary>A WAL summarizer that does not get on keeps no promotion waiting.</summary>
public sealed class SummarizerTests(TemporalServer temporal)
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Of_a_candidate_that_lacks_a_segment_is_said_and_begins_anew_before_the_promotion()
    {
        TestedPostgres.Require(17, "the WAL summarizer");
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await LoseSegmentAsync(p1, p2);
        await Host.UntilAsync(
            "it streams and is said to fail",
            async () => (await cluster.InspectAsync()).Findings is [{ Code: FindingCode.SummarizerFails }]
        );
        await TestCluster.SqlAsync(p1, "CREATE TABLE t AS SELECT 1 AS id");

        var backup = await cluster.RunAsync(
            (TakeBackup procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        Node = NodeName.Of(2),
                        Incremental = true,
                        By = "test",
                    }
                )
        );
        Assert.Contains(
            backup.Notes,
            note => note.StartsWith("a full backup, not an incremental one: ", StringComparison.Ordinal)
        );
        var report = await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );

        Assert.Contains(
            report.Plan!.Warnings.Select(FindingText.Of),
            warning => warning.Contains("WAL summarizer fails", StringComparison.Ordinal)
        );
        var promoted = Assert.Single(report.Steps, step => step.Id == "promote");
        Assert.True(promoted.Milliseconds < Most.TotalMilliseconds, $"promoted within {promoted.Milliseconds} ms");
        Assert.Equal("on", (await TestCluster.SqlAsync(p2, "SHOW summarize_wal")).Trim()); // the settings of a primary
        Assert.Equal("1", (await TestCluster.SqlAsync(p1, "SELECT count(*) FROM t")).Trim());
        Assert.False(await FailsAsync(p2));
    }

    [Fact]
    public async Task Of_a_standby_gets_well_by_a_repair_and_of_a_primary_before_its_stop_which_it_does_not_delay()
    {
        TestedPostgres.Require(17, "the WAL summarizer");
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await LoseSegmentAsync(p1, p2);
        await Host.UntilAsync(
            "it is said to fail",
            async () =>
                (await cluster.InspectAsync()).Findings
                    is [{ Code: FindingCode.SummarizerFails, Hint.Procedure: nameof(RepairCluster) }]
        );
        await cluster.RunAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        Assert.False(await FailsAsync(p2));

        await TestCluster.SqlAsync(p1, "ALTER SYSTEM SET wal_keep_size = '1GB'");
        await TestCluster.SqlAsync(p1, "SELECT pg_reload_conf()");
        await LoseSegmentAsync(p1, p1);
        await TestCluster.SqlAsync(p1, "ALTER SYSTEM RESET wal_keep_size");
        await TestCluster.SqlAsync(p1, "SELECT pg_reload_conf()");
        await Host.UntilAsync(
            "the standby streams again",
            async () => (await cluster.InspectAsync()).State is { Primaries: [{ Followers: [{ State: "streaming" }] }] }
        );
        var report = await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );

        var stopped = Assert.Single(
            report.Steps,
            step => step.Title.StartsWith($"{p1} stopped", StringComparison.Ordinal)
        );
        Assert.True(stopped.Milliseconds < Most.TotalMilliseconds, $"stopped within {stopped.Milliseconds} ms");
        Assert.False(await FailsAsync(p1));
        Assert.False(await FailsAsync(p2));
    }

    /// <summary>Whether it waits after an error; not at once where it has only begun.</summary>
    private static async Task<bool> FailsAsync(NodeId node) =>
        await Host.TryAsync(() =>
            TestCluster.SqlAsync(node, "SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'walsummarizer'")
        )
            is "WalSummarizerError";

    /// <summary>Takes from a node a segment that its summarizer has still to read, as when it comes over a fork by the
    /// archive.</summary>
    private static async Task LoseSegmentAsync(NodeId primary, NodeId node)
    {
        for (var segment = 0; segment < 4; segment++)
        {
            await TestCluster.SqlAsync(primary, "SELECT pg_logical_emit_message(true, 'test', 'x')");
            await TestCluster.SqlAsync(primary, "SELECT pg_switch_wal()");
        }

        await TestCluster.SqlAsync(primary, "CHECKPOINT");
        var position = await TestCluster.SqlAsync(primary, "SELECT pg_current_wal_flush_lsn()");
        if (node != primary)
        {
            await Host.UntilAsync(
                "it is replayed",
                async () =>
                    await TestCluster.SqlAsync(node, $"SELECT pg_last_wal_replay_lsn() >= '{position.Trim()}'") == "t"
            );
            await TestCluster.SqlAsync(node, "CHECKPOINT");
        }

        await Host.DockerAsync("stop", node.Container);
        await Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "-u",
            "postgres",
            "-v",
            $"{node.Container}:/pgflow",
            "--entrypoint",
            "sh",
            Host.Image,
            "-ec",
            "cd /pgflow/data/pg_wal; rm -f summaries/*; test $(ls | grep -c '^0000.\\{20\\}$') -ge 4; rm $(ls "
                + "| grep '^0000.\\{20\\}$' | sed -n 2p)"
        );
        await Host.DockerAsync("start", node.Container);
        await Host.UntilAsync("it fails", () => FailsAsync(node));
    }
}

using PgFlow.WorkflowTests;

namespace PgFlow.SystemTests.World;

/// <summary>A WAL summarizer that does not get on keeps no promotion waiting.</summary>
public sealed class SummarizerTests(TemporalServer temporal)
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(2);

    [Fact, Trait("Suite", "ci")]
    public async Task That_lacks_a_segment_is_said_and_switched_off_for_the_promotion()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await LoseSegmentAsync(p1, p2);
        await Host.UntilAsync("it fails", async () => await Host.TryAsync(() => TestCluster.SqlAsync(
            p2, "SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'walsummarizer'")) is "WalSummarizerError");
        await Host.UntilAsync("it streams and is said to fail", async () => (await cluster.InspectAsync()).Findings is [{ Code: FindingCode.SummarizerFails }]);
        await TestCluster.SqlAsync(p1, "CREATE TABLE t AS SELECT 1 AS id");

        var backup = await cluster.RunAsync((TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, Node = NodeName.Of(2), Incremental = true, By = "test" }));
        Assert.Contains(backup.Notes, note => note.StartsWith("a full backup, not an incremental one: ", StringComparison.Ordinal));
        var report = await cluster.RunAsync((Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }));

        Assert.Contains(report.Plan!.Warnings, warning => warning.Contains("WAL summarizer fails", StringComparison.Ordinal));
        var promoted = Assert.Single(report.Steps, step => step.Title == $"{p2} is promoted");
        Assert.True(promoted.Milliseconds < Most.TotalMilliseconds, $"promoted within {promoted.Milliseconds} ms");
        Assert.Equal("on", (await TestCluster.SqlAsync(p2, "SHOW summarize_wal")).Trim()); // the settings of a primary
        Assert.Equal("1", (await TestCluster.SqlAsync(p1, "SELECT count(*) FROM t")).Trim());
    }

    /// <summary>Takes from a standby a segment that its summarizer has still to read, as when it comes over a fork by the archive.</summary>
    private static async Task LoseSegmentAsync(NodeId primary, NodeId standby)
    {
        for (var segment = 0; segment < 4; segment++)
        {
            await TestCluster.SqlAsync(primary, "SELECT pg_logical_emit_message(true, 'test', 'x')");
            await TestCluster.SqlAsync(primary, "SELECT pg_switch_wal()");
        }

        await TestCluster.SqlAsync(primary, "CHECKPOINT");
        var position = await TestCluster.SqlAsync(primary, "SELECT pg_current_wal_flush_lsn()");
        await Host.UntilAsync("it is replayed", async () => await TestCluster.SqlAsync(standby, $"SELECT pg_last_wal_replay_lsn() >= '{position.Trim()}'") == "t");
        await TestCluster.SqlAsync(standby, "CHECKPOINT");
        await Host.DockerAsync("stop", standby.Container);
        await Host.DockerAsync(
            "run", "--rm", "--network", "none", "-u", "postgres", "-v", $"{standby.Container}:/pgflow", "--entrypoint", "sh", Host.Image, "-ec",
            "cd /pgflow/data/pg_wal; rm -f summaries/*; test $(ls | grep -c '^0000.\\{20\\}$') -ge 4; rm $(ls | grep '^0000.\\{20\\}$' | sed -n 2p)");
        await Host.DockerAsync("start", standby.Container);
    }
}

using System.Globalization;
using System.Text.RegularExpressions;

namespace PgFlow.SystemTests;

public sealed partial class FailoverTests(TemporalServer temporal)
{
    [Fact]
    public async Task Of_a_killed_primary_loses_nothing_that_the_standby_had_received_and_the_fenced_node_stays_harmless()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        await Host.DockerAsync("kill", cluster.Node(1).Container);

        var report = await FailOverAsync(cluster);
        await writer.MoreAsync();
        TestContext.Current.SendDiagnosticMessage(
            $"failover: {string.Join(", ", report.Steps.Select(step => $"{step.Title} {step.Milliseconds}"))}"
        );
        var said = report.Notes.Select(note => Loss().Match(note)).FirstOrDefault(match => match.Success);
        var lost = await writer.LostAsync(cluster.Node(2));
        // A commit that was written but neither sent nor acknowledged is one of those said, and none of the writer's.
        Assert.True(
            said is null
                ? report.Notes.Any(note => note.Contains("nothing was lost", StringComparison.Ordinal))
                    && lost.Length == 0
                : lost.Length <= int.Parse(said.Groups["commits"].Value, CultureInfo.InvariantCulture),
            $"{lost.Length} rows lost; {string.Join("; ", report.Notes)}"
        );

        // A person starts the fenced node by hand: it comes up, but as a standby.
        await Host.DockerAsync("start", cluster.Node(1).Container);
        await Host.UntilAsync(
            "the fenced node answers",
            async () => (await TryWriteAsync(cluster)).Contains("read-only", StringComparison.Ordinal)
        );

        await FailBackAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact, Trait("Suite", "world")]
    public async Task Of_a_primary_that_removed_wal_which_no_standby_has_does_not_say_that_nothing_was_lost()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, archive: ArchiveMode.Local);
        await Host.DockerAsync("pause", cluster.Node(2).Container);
        for (var segment = 0; segment < 5; segment++)
        {
            await TestCluster.SqlAsync(
                cluster.Node(1),
                "SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'lost', 'lost')"
            );
        }

        await TestCluster.SqlAsync(cluster.Node(1), "CHECKPOINT");
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            $"{cluster.Node(1).Container}:/n",
            "--entrypoint",
            "sh",
            Host.Image,
            "-c",
            "rm -f /n/data/pg_wal/0*"
        );
        await Host.DockerAsync("unpause", cluster.Node(2).Container);

        var report = await FailOverAsync(cluster);
        Assert.Contains(
            report.Notes,
            note => note.Contains("never received is unknown: the segment of 0/", StringComparison.Ordinal)
        );
    }

    [Fact, Trait("Suite", "world")]
    public async Task Of_three_nodes_lets_the_other_standby_follow_without_being_remade()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await Host.DockerAsync("kill", cluster.Node(1).Container);

        var report = await FailOverAsync(cluster);
        var winner = (await cluster.InspectAsync()).State.Primaries[0].Id;
        Assert.Single(report.Steps, step => step.Id.StartsWith("follow/", StringComparison.Ordinal));
        Assert.True(
            report.Steps[^1].Milliseconds < 4000,
            "the primary had no segment where it was left: pg_waldump waits 5 s for one"
        );

        await FailBackAsync(cluster);
        await cluster.HealthyAsync(winner, timeline: 2);
    }

    [Fact]
    public async Task Of_a_primary_that_hangs_is_not_delayed_by_it_nor_by_a_standby_that_hangs()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await Host.DockerAsync("pause", cluster.Node(1).Container);
        await Host.DockerAsync("pause", cluster.Node(3).Container);

        var report = await FailOverAsync(cluster);
        Assert.Contains(
            report.Plan!.Warnings.Select(FindingText.Of),
            warning => warning.Contains("p3", StringComparison.Ordinal)
        );
        var proven = report.Steps.Single(step => step.Id == "prove-endpoint");
        Assert.True(
            proven.StartedAt - report.StartedAt < TimeSpan.FromSeconds(6),
            $"{proven.StartedAt - report.StartedAt}"
        );

        await FailBackAsync(cluster);
        await FailBackAsync(cluster, 3);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact, Trait("Suite", "world")]
    public async Task Of_a_healthy_primary_is_refused_and_by_force_loses_nothing()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var refused = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            )
        );
        Assert.Equal(FailureTypes.Refused, refused.Type);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);

        await FailOverAsync(cluster, force: true);
        await FailBackAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_second_procedure_is_refused_and_told_who_holds_the_cluster()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var first = await cluster.StartAsync(
            (RemakeStandby procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "anna",
                        Node = NodeName.Of(2),
                    }
                )
        );
        await TestCluster.ActivityAsync(first, "CopyPrimary");

        var busy = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "bert" }),
                id: $"another-{cluster.Name}"
            )
        );
        Assert.Equal(FailureTypes.ClusterBusy, busy.Type);
        Assert.Contains(first.Id, busy.Message, StringComparison.Ordinal);
        Assert.Contains("anna", busy.Message, StringComparison.Ordinal);

        await TestCluster.ReportAsync(first);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    internal static Task<Report> FailOverAsync(TestCluster cluster, bool force = false) =>
        cluster.RunAsync(
            (Failover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Force = force,
                    }
                )
        );

    internal static Task<Report> FailBackAsync(TestCluster cluster, int node = 1) =>
        cluster.RunAsync(
            (Failback procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(node),
                    }
                )
        );

    [GeneratedRegex(@"with (?<commits>\d+) commits? that")]
    private static partial Regex Loss();

    private static async Task<string> TryWriteAsync(TestCluster cluster) =>
        (
            await Host.TryDockerAsync(
                "exec",
                "-u",
                "postgres",
                cluster.Node(1).Container,
                "sh",
                "-c",
                $"PATH=$PATH:{TestedPostgres.Bin} psql -XAtq -d app -c 'CREATE TABLE forbidden ()'"
            )
        ).Output;
}

namespace PgFlow.SystemTests;

public sealed class FailbackTests(TemporalServer temporal)
{
    [Fact, Trait("Suite", "world")]
    public async Task Without_the_wal_that_pg_rewind_needs_ends_with_a_new_copy_that_streams()
    {
        await using var cluster = await TestCluster.LostAsync(temporal.Client);
        await Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            $"{cluster.Node(1).Container}:/n",
            "-v",
            $"pgflow-{cluster.Name}-repository:/r",
            "--entrypoint",
            "sh",
            Host.Image,
            "-c",
            "rm -f /n/data/pg_wal/0* /r/wal/0*"
        );

        var report = await FailoverTests.FailBackAsync(cluster);
        Assert.Contains(report.Notes, note => note.Contains("made anew", StringComparison.Ordinal));
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact, Trait("Suite", "world")]
    public async Task Rewinds_a_node_whose_wal_a_recovery_linked()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var story = await Story.OfAsync(cluster, "A", "B");
        await story.RecoverAsync("A");
        var linked = (
            await Host.DockerAsync("exec", cluster.Node(1).Container, "find", "/pgflow/data/pg_wal", "-type", "l")
        ).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(linked);
        // As a standby has them that was itself rewound.
        await Host.DockerAsync([
            "exec",
            "-u",
            "postgres",
            cluster.Node(2).Container,
            "cp",
            .. linked.Select(link => $"/repository/wal/{link[^24..]}"),
            "/pgflow/data/pg_wal",
        ]);

        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await FailoverTests.FailOverAsync(cluster);
        var report = await FailoverTests.FailBackAsync(cluster);
        Assert.Contains(report.Notes, note => note.Contains("was rewound", StringComparison.Ordinal));
        await cluster.HealthyAsync(cluster.Node(2), timeline: 3);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_remade_standby_streams_and_nothing_that_was_set_aside_is_left()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
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
        var left = await Host.DockerAsync("exec", cluster.Node(2).Container, "ls", "/pgflow");
        Assert.DoesNotContain("aside", left, StringComparison.Ordinal);
        Assert.DoesNotContain("data.", left, StringComparison.Ordinal);
    }
}

namespace PgFlow.SystemTests;

/// <summary>How many standbys confirm a commit, changed and kept on real clusters.</summary>
public sealed class SynchronousReplicationTests(TemporalServer temporal)
{
    [Fact, Trait("Suite", "world")]
    public async Task Is_switched_on_and_off_on_a_running_primary_under_a_writer()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);

        await SetAsync(cluster, 1);
        await writer.MoreAsync();
        Assert.Equal("ANY 1 (p2)", await NamesAsync(cluster));
        Assert.Equal("quorum", (await cluster.InspectAsync()).State.Primaries[0].Followers[0].Sync);

        await SetAsync(cluster, 0);
        await writer.MoreAsync();
        Assert.Equal("", await NamesAsync(cluster));
        Assert.All((await cluster.InspectAsync()).State.Nodes, node => Assert.Equal(0, node.Quorum));
    }

    [Fact, Trait("Suite", "world")]
    public async Task Of_a_stopped_primary_is_found_when_it_starts()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await SetAsync(cluster, 1);
        var stopped = (await cluster.InspectAsync()).State.Find(NodeName.Of(1))!;
        Assert.Equal(NodeRole.Stopped, stopped.Role);
        Assert.Equal(
            ("ANY 1 (p2)", "", 1),
            (stopped.SynchronousStandbyNames, stopped.EarlierStandbyNames, stopped.Quorum)
        );
        var refused = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            )
        );
        Assert.Contains("without confirmation", refused.Message, StringComparison.Ordinal);

        await Host.DockerAsync("start", cluster.Node(1).Container);
        await FoundAsync(cluster, FindingCode.ConfirmationsUnproven);
        await Host.UntilAsync(
            "p2 streams again",
            async () => (await cluster.InspectAsync()).State.Primaries is [{ Followers: [{ State: "streaming" }] }]
        );
        await cluster.RunAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
        Assert.Equal("ANY 1 (p2)", await NamesAsync(cluster));
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE confirmed ()");
    }

    [Fact]
    public async Task Of_two_goes_along_through_switchover_failover_failback_and_remake()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await using var writer = await Writer.StartAsync(cluster);
        await SetAsync(cluster, 2);

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
        Assert.Equal("ANY 2 (p1, p3)", await NamesAsync(cluster));
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);

        await Host.DockerAsync("kill", cluster.Node(2).Container);
        await FailoverTests.FailOverAsync(cluster);
        await writer.MoreAsync();
        var primary = (await cluster.InspectAsync()).State.Primaries[0].Id;
        await FoundAsync(cluster, FindingCode.FewerConfirm);

        await FailoverTests.FailBackAsync(cluster, 2);
        var follower = primary == cluster.Node(1) ? cluster.Node(3) : cluster.Node(1);
        Assert.Equal(
            primary == cluster.Node(1) ? "ANY 2 (p2, p3)" : "ANY 2 (p1, p2)",
            (await cluster.HealthyAsync(primary, timeline: 3)).Primaries[0].SynchronousStandbyNames
        );

        var remake = await cluster.StartAsync(
            (RemakeStandby procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = follower.Name,
                    }
                )
        );
        await TestCluster.ActivityAsync(remake, "CopyPrimary");
        await writer.MoreAsync(); // no commit waits for the one that is away
        await TestCluster.ReportAsync(remake);
        await cluster.HealthyAsync(primary, timeline: 3);
        Assert.Empty(await writer.LostAsync(primary));
    }

    internal static Task<Report> SetAsync(TestCluster cluster, int quorum) =>
        cluster.RunAsync(
            (SetSynchronousReplication procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Quorum = quorum,
                    }
                )
        );

    internal static async Task<string> NamesAsync(TestCluster cluster) =>
        Assert.Single((await cluster.InspectAsync()).State.Primaries).SynchronousStandbyNames;

    internal static Task FoundAsync(TestCluster cluster, FindingCode code) =>
        Host.UntilAsync(
            $"the finding {code}",
            async () => (await cluster.InspectAsync()).Findings.Any(finding => finding.Code == code)
        );
}

using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>Real clusters grow and shrink.</summary>
public sealed class MembershipTests(TemporalServer temporal)
{
    [Fact]
    public async Task One_node_grows_to_three_and_shrinks_to_one_under_a_writer()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var (p1, p2, p3) = (cluster.Node(1), cluster.Node(2), cluster.Node(3));
        await TestCluster.SqlAsync(p1, "SELECT pg_create_physical_replication_slot('theirs')");
        await TestCluster.SqlAsync(p1, "ALTER SYSTEM SET work_mem = '5MB'");
        await using var writer = await Writer.StartAsync(cluster);
        await AddAsync(cluster);
        await AddAsync(cluster);
        await QuorumAsync(cluster, 2);
        var grown = await cluster.HealthyAsync(p1, timeline: 1);
        Assert.Equal([p1, p2, p3], grown.Nodes.Select(node => node.Id));
        Assert.All(grown.Nodes, node => Assert.Equal([p1.Name, p2.Name, p3.Name], node.Members));
        Assert.Equal("ANY 2 (p2, p3)", grown.Primaries[0].SynchronousStandbyNames);
        Assert.Equal("5MB", (await TestCluster.SqlAsync(p3, "SHOW work_mem")).Trim());
        await writer.MoreAsync();

        // Somebody removes one by hand: it is missed, and made again by the way that there is.
        await QuorumAsync(cluster, 0);
        await Host.DockerAsync("rm", "-f", p3.Container);
        await Host.DockerAsync("volume", "rm", p3.Container);
        Assert.Contains(
            (await cluster.InspectAsync()).Findings,
            finding =>
                finding is { Code: FindingCode.ContainerMissing, Hint.Procedure: nameof(RepairCluster) }
                && finding.Node == p3
        );
        await cluster.RunAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await QuorumAsync(cluster, 1);
        await cluster.HealthyAsync(p1, timeline: 1);
        TestContext.Current.SendDiagnosticMessage($"longest gap while it grew: {writer.Outage}");
        Assert.True(writer.Outage < TimeSpan.FromSeconds(5), $"{writer.Outage} without a commit");

        var refused = await TestCluster.FailureAsync(await StartRemovalAsync(cluster, 1));
        Assert.Equal((FailureTypes.Refused, "p1 is the primary"), (refused.Type, refused.Message));
        await cluster.RunAsync(
            (Switchover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = p2.Name,
                    }
                )
        );
        await RemoveAsync(cluster, 1);
        await writer.MoreAsync();
        Assert.Equal("ANY 1 (p3)", (await cluster.HealthyAsync(p2, timeline: 2)).Primaries[0].SynchronousStandbyNames);

        // Of this one only the volume is left.
        await QuorumAsync(cluster, 0);
        await Host.DockerAsync("rm", "-f", p3.Container);
        await RemoveAsync(cluster, 3);
        await writer.MoreAsync();
        Assert.Equal([p2], (await cluster.HealthyAsync(p2, timeline: 2)).Nodes.Select(node => node.Id));
        Assert.Equal("", await TestCluster.SqlAsync(p2, "SELECT slot_name FROM pg_replication_slots"));
        Assert.Equal([p2.Container], await NamedAsync(cluster, "ps", "-a", "{{.Names}}"));
        Assert.Equal(
            [p2.Container, $"pgflow-{cluster.Name}-repository"],
            await NamedAsync(cluster, "volume", "ls", "{{.Name}}")
        );
        Assert.Empty(await writer.LostAsync(p2));
        TestContext.Current.SendDiagnosticMessage($"longest gap in all: {writer.Outage}");
    }

    [Fact, Trait("Suite", "world")]
    public async Task Of_a_cancelled_addition_nothing_is_left_and_what_only_a_removed_node_archived_can_be_recovered()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1, archive: ArchiveMode.Local);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await TestCluster.SqlAsync(p1, "CREATE TABLE kept AS SELECT 1 AS row");
        await cluster.RunAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Name = "early",
                    }
                )
        );
        await TestCluster.SqlAsync(p1, "DROP TABLE kept");

        var cancelled = await StartAdditionAsync(cluster);
        await TestCluster.ActivityAsync(cancelled, "CopyPrimary");
        await cancelled.CancelAsync();
        await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(() => cancelled.GetResultAsync());
        Assert.Equal([p1.Container], await NamedAsync(cluster, "ps", "-a", "{{.Names}}"));
        Assert.Equal("", await TestCluster.SqlAsync(p1, "SELECT slot_name FROM pg_replication_slots"));
        Assert.Equal([p1], (await cluster.HealthyAsync(p1, timeline: 1)).Nodes.Select(node => node.Id));

        await AddAsync(cluster);
        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await RemoveAsync(cluster, 1);
        await cluster.HealthyAsync(p2, timeline: 2);
        await cluster.RunAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        ToPoint = "early",
                    }
                )
        );
        Assert.Equal("1", (await TestCluster.SqlAsync(p2, "SELECT row FROM kept")).Trim());
        await cluster.HealthyAsync(p2, timeline: 3);
    }

    private static Task<WorkflowHandle<AddStandby, Report>> StartAdditionAsync(TestCluster cluster) =>
        cluster.StartAsync((AddStandby procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }));

    private static async Task AddAsync(TestCluster cluster) =>
        await TestCluster.ReportAsync(await StartAdditionAsync(cluster));

    private static Task<WorkflowHandle<RemoveNode, Report>> StartRemovalAsync(TestCluster cluster, int node) =>
        cluster.StartAsync(
            (RemoveNode procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(node),
                    }
                )
        );

    private static async Task RemoveAsync(TestCluster cluster, int node) =>
        await TestCluster.ReportAsync(await StartRemovalAsync(cluster, node));

    private static Task<Report> QuorumAsync(TestCluster cluster, int quorum) =>
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

    /// <summary>What Docker has under the cluster's names, but for jobs that are about to go.</summary>
    private static async Task<IEnumerable<string>> NamedAsync(
        TestCluster cluster,
        string of,
        string all,
        string format
    ) =>
        (await Host.DockerAsync(of, all, "--filter", $"name=pgflow-{cluster.Name}-", "--format", format))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(name => !name.Contains("-job-", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
}

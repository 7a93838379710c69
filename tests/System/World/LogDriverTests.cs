using System.Linq.Expressions;

namespace PgFlow.SystemTests.World;

/// <summary>A Docker daemon that keeps no log of a container unless it is asked to.</summary>
[Trait("Suite", "own-docker")]
public sealed class LogDriverTests(TemporalServer temporal)
{
    [Fact]
    public async Task A_cluster_is_made_backed_up_verified_rewound_and_recovered()
    {
        await using var daemon = await OwnDocker.WithAsync("log-driver", "none");
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        Assert.Equal("none", await LogDriverAsync(cluster.Node(1)));

        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE word (w text); INSERT INTO word VALUES ('A')");
        await RunAsync(
            cluster,
            (TakeBackup procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Incremental = true,
                    }
                )
        );
        await RunAsync(
            cluster,
            (VerifyBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await FailoverTests.FailOverAsync(cluster);
        await RunAsync(
            cluster,
            (Failback procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(1),
                    }
                )
        );
        await RunAsync(
            cluster,
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

        Assert.Equal("A", (await TestCluster.SqlAsync(cluster.Node(2), "SELECT w FROM word")).Trim());
        await cluster.HealthyAsync(cluster.Node(2), timeline: 3);
    }

    /// <summary>It succeeds, and nothing was tried again for want of a log.</summary>
    private static async Task RunAsync<T>(TestCluster cluster, Expression<Func<T, Task<Report>>> run)
    {
        var procedure = await cluster.StartAsync(run);
        await TestCluster.ReportAsync(procedure);
        var failures = (await procedure.FetchHistoryAsync())
            .Events.Select(happened => happened.ActivityTaskStartedEventAttributes?.LastFailure?.Message)
            .OfType<string>();
        Assert.DoesNotContain(failures, why => why.Contains("logging driver", StringComparison.Ordinal));
    }

    private static Task<string> LogDriverAsync(NodeId node) =>
        Host.DockerAsync("inspect", "-f", "{{.HostConfig.LogConfig.Type}}", node.Container);
}

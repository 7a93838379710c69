namespace PgFlow.SystemTests;

public sealed class ImageTests(TemporalServer temporal)
{
    [Fact]
    public async Task An_image_like_the_official_one_works_and_leaves_no_anonymous_volume()
    {
        Assert.SkipWhen(Host.OfficialLikeImage is null, "PGFLOW_TEST_OFFICIAL_LIKE_IMAGE names no image");
        var before = await VolumesAsync();
        await using (var cluster = await TestCluster.CreateAsync(temporal.Client, image: Host.OfficialLikeImage))
        {
            await Host.DockerAsync("kill", cluster.Node(1).Container);
            await FailoverTests.FailOverAsync(cluster);
            await FailoverTests.FailBackAsync(cluster);
            await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
            await cluster.RunAsync(
                (DestroyCluster procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Approve = false,
                        }
                    )
            );
            Assert.Empty(await Host.DockerAsync("ps", "-aq", "--filter", $"label=pgflow.cluster={cluster.Name}"));
        }

        Assert.Empty((await VolumesAsync()).Except(before));
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_cluster_is_made_once_and_a_difference_is_refused()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var asked = new InitClusterInput
        {
            Cluster = cluster.Name,
            By = "test",
            Nodes = 1,
            Image = Host.Image,
            ExternalNetwork = cluster.Network,
            Vip = cluster.Vip,
        };
        var other = asked with { Nodes = 2 };
        var again = await cluster.RunAsync((InitCluster procedure) => procedure.RunAsync(asked));
        Assert.Contains("nothing was done", again.Summary, StringComparison.Ordinal);
        var refused = await TestCluster.FailureAsync(
            await cluster.StartAsync((InitCluster procedure) => procedure.RunAsync(other))
        );
        Assert.Equal(FailureTypes.Refused, refused.Type);
        Assert.Contains("nodes is 1, not 2", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<string[]> VolumesAsync() =>
        (await Host.DockerAsync("volume", "ls", "-q")).Split('\n').Where(name => name.Length == 64).ToArray();
}

using static PgFlow.SystemTests.SynchronousReplicationTests;

namespace PgFlow.SystemTests.World;

/// <summary>Standbys that are lost while commits wait for them.</summary>
public sealed class ConfirmationTests(TemporalServer temporal)
{
    [Fact]
    public async Task Of_two_of_two_a_lost_standby_is_said_and_a_smaller_number_lets_the_commits_go_on()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await SetAsync(cluster, 2);
        Assert.Equal("ANY 2 (p2, p3)", await NamesAsync(cluster));

        await Host.DockerAsync("kill", cluster.Node(3).Container);
        var waiting = TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE waits ()");
        await FoundAsync(cluster, FindingCode.CommitsWait);
        Assert.False(waiting.IsCompleted);
        var refused = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (SetSynchronousReplication procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Quorum = 2,
                        }
                    )
            )
        );
        Assert.Equal(FailureTypes.Refused, refused.Type);
        Assert.Contains("only p2 can", refused.Message, StringComparison.Ordinal);

        await SetAsync(cluster, 1);
        await waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal("ANY 1 (p2)", await NamesAsync(cluster));
        Assert.Equal(1, (await cluster.InspectAsync()).State.Find(NodeName.Of(3))!.Quorum);

        await FailoverTests.FailBackAsync(cluster, 3);
        Assert.Equal("ANY 1 (p2, p3)", await NamesAsync(cluster));
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_failover_without_one_that_may_have_confirmed_is_proven_by_two_of_two_only(int quorum)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await SetAsync(cluster, quorum);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE confirmed ()");
        await Host.DockerAsync("rm", "-f", cluster.Node(3).Container);
        await Host.DockerAsync("volume", "rm", cluster.Node(3).Container);
        await Host.DockerAsync("kill", cluster.Node(1).Container);

        if (quorum == 1)
        {
            var refused = await TestCluster.FailureAsync(
                await cluster.StartAsync(
                    (Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
                )
            );
            Assert.Equal(FailureTypes.Refused, refused.Type);
            Assert.Contains("commits that only p3 confirmed may be lost", refused.Message, StringComparison.Ordinal);
        }

        var report = await FailoverTests.FailOverAsync(cluster, force: quorum == 1);
        Assert.Equal(
            quorum == 1,
            report.Notes.Any(note => note.StartsWith("commits that only p3 confirmed", StringComparison.Ordinal))
        );
        Assert.Equal("0", await TestCluster.SqlAsync(cluster.Node(2), "SELECT count(*) FROM confirmed"));
    }
}

namespace PgFlow.SystemTests.World;

/// <summary>Somebody runs <c>docker start</c> on a node that a procedure has stopped.</summary>
public sealed class StartedByHandTests(TemporalServer temporal)
{
    [Fact]
    public async Task An_old_primary_that_somebody_starts_before_the_undo_is_the_primary_again_after_it()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (old, candidate) = (cluster.Node(1), cluster.Node(2));
        var switchover = await SwitchoverTests.StandsAtProofAsync(cluster);
        await Host.UntilAsync(
            "p1 has ended",
            async () => await Host.DockerAsync("inspect", "-f", "{{.State.Running}}", old.Container) == "false"
        );
        await Host.DockerAsync("start", old.Container);

        Assert.Equal(FailureTypes.Unchanged, (await TestCluster.FailureAsync(switchover)).Type);
        await TestCluster.SqlAsync(candidate, "SELECT pg_wal_replay_resume()");
        await Host.UntilAsync("p2 streams again", async () => (await cluster.InspectAsync()).Healthy);
        await cluster.HealthyAsync(old, timeline: 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_standby_that_somebody_starts_while_a_recovery_stands_follows_after_it(bool approved)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var recovery = await cluster.StartAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Latest = true,
                        Inspect = true,
                    }
                )
        );
        await RecoveryTests.InspectingAsync(recovery);
        await Host.DockerAsync("start", cluster.Node(2).Container);

        if (approved)
        {
            await recovery.ExecuteUpdateAsync("approve", [new Approval(null, "test")]);
            await TestCluster.ReportAsync(recovery);
        }
        else
        {
            await recovery.ExecuteUpdateAsync("reject", [new Rejection("test", "enough")]);
            Assert.Equal(FailureTypes.Refused, (await TestCluster.FailureAsync(recovery)).Type);
        }

        await cluster.HealthyAsync(cluster.Node(1), timeline: approved ? 2 : 1);
    }
}

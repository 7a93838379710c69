using System.Diagnostics;

namespace PgFlow.SystemTests.World;

/// <summary>A node that a procedure needs ends in its middle, as when somebody kills it, or as Docker's daemon leaves
/// it when it was restarted.</summary>
public sealed class NodeDeathTests(TemporalServer temporal)
{
    [Fact]
    [Trait("Suite", "ci")]
    public async Task The_candidate_of_a_switchover_dies_after_the_old_primary_stopped_and_clients_write_again_at_once()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        var switchover = await SwitchoverTests.StandsAtProofAsync(cluster);
        await Host.DockerAsync("kill", cluster.Node(2).Container);

        var killed = Stopwatch.StartNew();
        await writer.MoreAsync();
        Assert.True(
            killed.Elapsed < TimeSpan.FromSeconds(20),
            $"clients could write again {killed.Elapsed} after the candidate's end"
        );
        var failure = await TestCluster.FailureAsync(switchover);
        Assert.Equal(FailureTypes.Unchanged, failure.Type);
        Assert.Contains("p2 has ended", failure.Message, StringComparison.Ordinal);
        Assert.Empty(await writer.LostAsync(cluster.Node(1)));
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1); // the undo needed p2 running, and started it
        TestContext.Current.SendDiagnosticMessage(
            $"written again {killed.Elapsed.TotalMilliseconds:0} ms after the candidate's end; outage "
                + $"{writer.Outage.TotalMilliseconds:0} ms"
        );
    }

    [Fact]
    public async Task The_winner_of_a_failover_that_Docker_stopped_after_the_fence_is_started_and_promoted()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await Host.DockerAsync("update", "--restart", "no", cluster.Node(2).Container);
        var failover = await cluster.StartAsync(
            (Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.ActivityAsync(failover, "TakeVirtualIp");
        await Host.DockerAsync("kill", cluster.Node(2).Container);

        await TestCluster.ReportAsync(failover);
        await FailoverTests.FailBackAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_recovery_that_stands_at_its_inspection_proves_the_approved_state_again()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE word (w text); INSERT INTO word VALUES ('A')");
        await cluster.RunAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Name = "a",
                    }
                )
        );
        await TestCluster.SqlAsync(cluster.Node(1), "INSERT INTO word VALUES ('B')");
        var recovery = await cluster.StartAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        ToPoint = "a",
                        Inspect = true,
                    }
                )
        );
        await RecoveryTests.InspectingAsync(recovery, seconds: 120);
        await Host.DockerAsync("kill", cluster.Node(1).Container);

        await recovery.ExecuteUpdateAsync("approve", [new Approval(null, "test")]);
        await TestCluster.ReportAsync(recovery);
        Assert.Equal("A", (await TestCluster.SqlAsync(cluster.Node(1), "SELECT string_agg(w, ',') FROM word")).Trim());
        await cluster.HealthyAsync(cluster.Node(1), timeline: 2);
    }

    [Fact]
    public async Task The_old_primary_of_a_switchover_that_ends_while_it_begins_to_follow_is_started_again()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var switchover = await cluster.StartAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.ActivityAsync(switchover, "ProveStreaming");
        await Host.DockerAsync("kill", cluster.Node(1).Container);

        await TestCluster.ReportAsync(switchover);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }
}

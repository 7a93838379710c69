using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.SystemTests;

/// <summary>A cluster from its making to its removal. With PGFLOW_WRITE_GOLDEN=1 the histories are kept for
/// tests/Workflow to replay.</summary>
public sealed class LifeTests(TemporalServer temporal)
{
    // CI runs it on PostgreSQL 13; there is a test of each of its procedures on the others
    [Fact, Trait("Suite", "world")]
    public async Task Of_a_cluster_with_every_procedure_in_turn()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, golden: "real/InitCluster-succeeded");
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));

        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }),
            golden: "real/Switchover-succeeded"
        );
        await cluster.HealthyAsync(p2, timeline: 2);
        await Host.DockerAsync("kill", p2.Container);
        await cluster.RunAsync(
            (Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }),
            golden: "real/Failover-succeeded"
        );
        await cluster.RunAsync(
            (Failback procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = p2.Name,
                    }
                ),
            golden: "real/Failback-succeeded"
        );
        Assert.Matches(
            "00000002[0-9A-F]{16}.tail.p2",
            await Host.DockerAsync("exec", p1.Container, "ls", "/repository/wal")
        ); // it crashed before its first checkpoint
        await cluster.HealthyAsync(p1, timeline: 3);
        await cluster.RunAsync(
            (RemakeStandby procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = p2.Name,
                    }
                ),
            golden: "real/RemakeStandby-succeeded"
        );
        await cluster.HealthyAsync(p1, timeline: 3, golden: "real/InspectCluster-succeeded");
        await cluster.RunAsync(
            (DestroyCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Approve = false,
                    }
                ),
            golden: "real/DestroyCluster-succeeded"
        );
        Assert.Empty(await Host.DockerAsync("ps", "-aq", "--filter", $"label=pgflow.cluster={cluster.Name}"));
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_switchover_that_is_cancelled_while_the_old_primary_stops_is_undone()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        var switchover = await cluster.StartAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.ActivityAsync(switchover, "StopPostgres");
        await switchover.CancelAsync();

        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => switchover.GetResultAsync());
        Assert.IsType<CanceledFailureException>(failed.InnerException);
        await Golden.KeepAsync("real/Switchover-cancelled", switchover);
        await writer.MoreAsync();
        Assert.Empty(await writer.LostAsync(cluster.Node(1)));
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_switchover_that_is_blocked_after_the_promotion_goes_on_when_it_is_mended()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var held = await HeldSession.OpenAsync(cluster, cluster.Node(1));
        var switchover = await cluster.StartAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.ActivityAsync(switchover, "StopPostgres");
        await TestCluster.SqlAsync(cluster.Node(2), "ALTER SYSTEM SET primary_slot_name = 'somebody'");
        await held.LetGoAsync();
        await TestCluster.StepAsync(switchover, "synchronous-standbys", StepState.Blocked);

        await TestCluster.SqlAsync(cluster.Node(2), "ALTER SYSTEM RESET primary_slot_name");
        await switchover.ExecuteUpdateAsync("resolve", [new Resolution(ResolveAction.Retry, "test")]);
        await TestCluster.ReportAsync(switchover, golden: "real/Switchover-blocked");
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact, Trait("Suite", "world")]
    public async Task An_init_with_an_address_that_is_not_on_the_network_leaves_nothing()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var other = ClusterName.Parse($"{cluster.Name}-b");
        var elsewhere = await InitAsync("192.0.2.1");
        Assert.Equal(FailureTypes.Refused, (await TestCluster.FailureAsync(elsewhere)).Type);
        await Golden.KeepAsync("real/InitCluster-undone", elsewhere);

        var given = await TestCluster.FailureAsync(await InitAsync($"{cluster.Subnet}.200"));
        Assert.Equal(FailureTypes.Refused, given.Type);
        Assert.Contains($"lies in the ip-range of {cluster.Network}", given.Message, StringComparison.Ordinal);
        Assert.Empty(await Host.DockerAsync("network", "ls", "-q", "--filter", $"label=pgflow.cluster={other}"));

        Task<WorkflowHandle<InitCluster, Report>> InitAsync(string vip) =>
            cluster.StartAsync(
                (InitCluster procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = other,
                            By = "test",
                            Image = Host.Image,
                            ExternalNetwork = cluster.Network,
                            Vip = vip,
                        }
                    )
            );
    }
}

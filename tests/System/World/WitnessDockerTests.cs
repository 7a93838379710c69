using Temporalio.Client;

namespace PgFlow.SystemTests.World;

/// <summary>Docker's daemon is restarted, or killed and started again, while the witness looks.</summary>
[Trait("Suite", "own-docker")]
public sealed class WitnessDockerTests(TemporalServer temporal)
{
    [Fact]
    public async Task A_daemon_that_is_restarted_is_no_reason_for_a_failover()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var witness = await WitnessTests.WatchAsync(temporal.Client, cluster, failback: false);
        await OwnDocker.RestartAsync("TERM");
        await QuietAsync(witness);

        await WitnessTests.WellAsync(witness, cluster.Node(1));
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    /// <summary>It stops all nodes, and starts none of them again.</summary>
    [Fact]
    public async Task Nor_is_one_that_was_killed_which_a_person_is_told()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var witness = await WitnessTests.WatchAsync(temporal.Client, cluster, failback: false);
        await OwnDocker.RestartAsync("KILL");
        await QuietAsync(witness);
        await WitnessTests.DecidedAsync(witness, WitnessAction.Alerted);

        await cluster.RunAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await WitnessTests.WellAsync(witness, cluster.Node(1));
    }

    /// <summary>For longer than the 10 s that the witness gives the daemon.</summary>
    private static async Task QuietAsync(WorkflowHandle witness)
    {
        await Task.Delay(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        await WitnessTests.HasNotActedAsync(witness);
    }
}

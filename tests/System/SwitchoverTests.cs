using Npgsql;
using Temporalio.Client;

namespace PgFlow.SystemTests;

public sealed class SwitchoverTests(TemporalServer temporal)
{
    [Fact]
    public async Task Under_load_no_acknowledged_row_is_lost_and_all_three_nodes_stream_without_a_rewind()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await using var writer = await Writer.StartAsync(cluster);

        var report = await cluster.RunAsync(
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
        await writer.MoreAsync();

        Assert.Empty(await writer.LostAsync(cluster.Node(2)));
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
        TestContext.Current.SendDiagnosticMessage($"switchover: outage {writer.Outage.TotalMilliseconds:0} ms");
        Assert.True(writer.Outage < TimeSpan.FromSeconds(3), $"outage {writer.Outage.TotalMilliseconds:0} ms");
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_standby_that_hangs_meanwhile_follows_as_soon_as_it_runs_again()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        var switchover = await cluster.StartAsync(
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
        await TestCluster.ActivityAsync(switchover, "PromoteStandby");
        await Host.DockerAsync("pause", cluster.Node(3).Container);
        await cluster.WorkedOnAsync(switchover, "LeaveEndpoint", attempt: 2);
        await Host.DockerAsync("unpause", cluster.Node(3).Container);

        await TestCluster.ReportAsync(switchover);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_cluster_with_a_local_archive_goes_there_and_back()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, archive: ArchiveMode.Local);
        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await cluster.HealthyAsync(cluster.Node(1), timeline: 3);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_stop_that_takes_longer_than_was_allowed_is_undone_and_one_that_does_not_succeeds()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (old, candidate) = (cluster.Node(1), cluster.Node(2));

        var (type, _, message) = await TestCluster.FailureAsync(await HoldAsync(stopWithin: 5, held: 8));
        Assert.Equal(FailureTypes.Unchanged, type);
        Assert.Contains("p1 has not ended 5 s after its fast stop", message, StringComparison.Ordinal);
        await cluster.HealthyAsync(old, timeline: 1);

        await TestCluster.ReportAsync(await HoldAsync(stopWithin: 120, held: 25)); // one attempt had 20 s before
        await cluster.HealthyAsync(candidate, timeline: 2);

        async Task<WorkflowHandle<Switchover, Report>> HoldAsync(int stopWithin, int held)
        {
            await using var session = await HeldSession.OpenAsync(cluster, old);
            var switchover = await cluster.StartAsync(
                (Switchover procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            StopWithinSeconds = stopWithin,
                        }
                    )
            );
            await TestCluster.ActivityAsync(switchover, "StopPostgres");
            await Task.Delay(TimeSpan.FromSeconds(held), TestContext.Current.CancellationToken);
            await session.LetGoAsync();
            return switchover;
        }
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_synchronous_cluster_stays_synchronous()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, sync: true);
        await using var writer = await Writer.StartAsync(cluster);
        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await writer.MoreAsync();

        Assert.Empty(await writer.LostAsync(cluster.Node(2)));
        var state = await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
        Assert.Equal("ANY 1 (p1)", state.Primaries[0].SynchronousStandbyNames);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_standby_that_hangs_is_refused_and_by_force_left_out_without_delay()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await Host.DockerAsync("pause", cluster.Node(3).Container);

        var refused = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            )
        );
        Assert.Equal(FailureTypes.Refused, refused.Type);
        Assert.Contains("p3", refused.Message, StringComparison.Ordinal);

        await using var writer = await Writer.StartAsync(cluster);
        var report = await cluster.RunAsync(
            (Switchover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = NodeName.Of(2),
                        Force = true,
                    }
                )
        );
        await writer.MoreAsync();
        Assert.Contains(
            report.Plan!.Warnings.Select(FindingText.Of),
            warning => warning.Contains("p3", StringComparison.Ordinal)
        );
        Assert.True(writer.Outage < TimeSpan.FromSeconds(5), $"outage {writer.Outage.TotalMilliseconds:0} ms");

        await cluster.RunAsync(
            (Failback procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(3),
                    }
                )
        );
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    /// <summary>One of p1's role to p2 that stands between p1's stop and the proof: p2 never has all that p1
    /// wrote.</summary>
    internal static async Task<WorkflowHandle<Switchover, Report>> StandsAtProofAsync(TestCluster cluster)
    {
        var switchover = await cluster.StartAsync(
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
        await TestCluster.ActivityAsync(switchover, "WriteSettings");
        // open already: from here to the stop it is a fraction of a second
        await using var session = await cluster.OpenAsync(cluster.Node(2));
        await TestCluster.ActivityAsync(switchover, "MarkStandby");
        await using var pause = new NpgsqlCommand("SELECT pg_wal_replay_pause()", session);
        await pause.ExecuteNonQueryAsync();
        await TestCluster.ActivityAsync(switchover, "ProveShutdownReplayed");
        return switchover;
    }
}

using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.SystemTests.World;

/// <summary>After each procedure every node is what it should be: <see cref="TestCluster.HealthyAsync"/> asks PgFlow,
/// and Docker beside it.</summary>
public sealed class ExpectedNodeTests(TemporalServer temporal)
{
    [Fact]
    public async Task After_a_recovery_and_in_a_clone_the_primary_is_restarted_by_Docker()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await cluster.RunAsync(
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
        await cluster.HealthyAsync(p1, timeline: 2);

        await using var clone = await cluster.SiblingAsync();
        await clone.RunAsync(
            (CloneCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = clone.Name,
                        From = cluster.Name,
                        By = "test",
                        Latest = true,
                        ExternalNetwork = clone.Network,
                        Vip = clone.Vip,
                    }
                )
        );
        await clone.HealthyAsync(clone.Node(1), timeline: 3);

        // What the policy is for: PostgreSQL crashes, nobody is there.
        await Host.DockerAsync(
            "exec",
            "-u",
            "0",
            p1.Container,
            "sh",
            "-c",
            "kill -9 $(head -1 /pgflow/data/postmaster.pid)"
        );
        await Host.UntilAsync(
            "the primary is back",
            async () => (await cluster.InspectAsync()).State.Find(p1.Name) is { Role: NodeRole.Primary }
        );
        await Host.UntilAsync("its standby streams", async () => (await cluster.InspectAsync()).Healthy);
        Assert.Equal("unless-stopped", (await cluster.InspectAsync()).State.Find(p2.Name)!.RestartPolicy);
    }

    [Fact]
    public async Task After_role_changes_and_what_was_undone_every_node_has_its_place()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));

        await UndoneAsync(
            await cluster.StartAsync(
                (RemakeStandby procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Node = p2.Name,
                        }
                    )
            ),
            "CopyPrimary"
        );
        await cluster.HealthyAsync(p1, timeline: 1);

        await LoseSlotAsync(p1, p2);
        await UndoneAsync(
            await cluster.StartAsync(
                (Failback procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Node = p2.Name,
                        }
                    )
            ),
            "SalvageWal"
        );
        var standby = (await cluster.InspectAsync()).State.Find(p2.Name)!;
        Assert.Equal(
            (NodeRole.Standby, "unless-stopped", EndpointRole.ReadOnly),
            (standby.Role, standby.RestartPolicy, standby.Endpoint)
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
                )
        );
        await cluster.HealthyAsync(p1, timeline: 1);

        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await cluster.HealthyAsync(p2, timeline: 2);
        await Host.DockerAsync("kill", p2.Container);
        await cluster.RunAsync(
            (Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );

        // A fenced node stays fenced when what should have remade it is undone.
        await UndoneAsync(
            await cluster.StartAsync(
                (RemakeStandby procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Node = p2.Name,
                        }
                    )
            ),
            "CopyPrimary"
        );
        var fenced = (await cluster.InspectAsync()).State.Find(p2.Name)!;
        Assert.Equal(("no", true, EndpointRole.None), (fenced.RestartPolicy, fenced.StandbySignal, fenced.Endpoint));

        await cluster.RunAsync(
            (Failback procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = p2.Name,
                    }
                )
        );
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
                )
        );
        await cluster.HealthyAsync(p1, timeline: 3);
    }

    /// <summary>The standby doesn't stream any more.</summary>
    private static async Task LoseSlotAsync(NodeId primary, NodeId standby)
    {
        await Host.DockerAsync("pause", standby.Container);
        await TestCluster.SqlAsync(
            primary,
            $"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{standby.Name}'"
        );
        await Host.UntilAsync(
            "the slot is dropped",
            async () =>
                await Host.TryAsync(() =>
                    TestCluster.SqlAsync(primary, $"SELECT pg_drop_replication_slot('{standby.Name}')")
                )
                    is not null
        );
        await Host.DockerAsync("unpause", standby.Container);
    }

    /// <summary>Cancelled while an activity of that type works; it ends as cancelled, with the cluster as it
    /// was.</summary>
    private static async Task UndoneAsync(WorkflowHandle handle, string during)
    {
        await TestCluster.ActivityAsync(handle, during);
        await handle.CancelAsync();
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync());
        Assert.IsType<CanceledFailureException>(failed.InnerException);
    }
}

namespace PgFlow.SystemTests;

public sealed class TablespaceTests(TemporalServer temporal)
{
    [Fact, Trait("Suite", "world")]
    public async Task Are_refused_before_anything_is_touched_and_a_recovery_never_overwrites_one()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        foreach (var node in (NodeId[])[p1, p2])
        {
            await Host.DockerAsync(
                "exec",
                "-u",
                "root",
                node.Container,
                "sh",
                "-c",
                "mkdir /fast && chown postgres /fast"
            );
        }

        await TestCluster.SqlAsync(p1, "CREATE TABLESPACE fast LOCATION '/fast'");
        await TestCluster.SqlAsync(p1, "CREATE TABLE t TABLESPACE fast AS SELECT 42 AS id");
        await TestCluster.SqlAsync(p1, "CHECKPOINT");
        var before = await cluster.SnapshotAsync();
        foreach (var dryRun in (bool[])[true, false])
        {
            await RefusedAsync(
                await cluster.StartAsync(
                    (TakeBackup procedure) =>
                        procedure.RunAsync(
                            new()
                            {
                                Cluster = cluster.Name,
                                By = "test",
                                DryRun = dryRun,
                            }
                        )
                )
            );
            await RefusedAsync(
                await cluster.StartAsync(
                    (RecoverCluster procedure) =>
                        procedure.RunAsync(
                            new()
                            {
                                Cluster = cluster.Name,
                                By = "test",
                                Latest = true,
                                DryRun = dryRun,
                            }
                        )
                )
            );
            await RefusedAsync(
                await cluster.StartAsync(
                    (RemakeStandby procedure) =>
                        procedure.RunAsync(
                            new()
                            {
                                Cluster = cluster.Name,
                                By = "test",
                                Node = p2.Name,
                                DryRun = dryRun,
                            }
                        )
                )
            );
        }

        Assert.Equal(before, await cluster.SnapshotAsync());
        Assert.Contains(
            "(fast)",
            FindingText.Of(Assert.Single((await cluster.InspectAsync()).Findings)),
            StringComparison.Ordinal
        );

        // Nobody can be asked: the data itself tells, before it is replaced.
        await Host.DockerAsync("kill", p1.Container, p2.Container);
        var blind = await cluster.StartAsync(
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
        Assert.Contains("tablespaces", (await TestCluster.FailureAsync(blind)).Message, StringComparison.Ordinal);
        await Host.DockerAsync("start", p1.Container, p2.Container);
        await Host.UntilAsync(
            "p1 answers",
            async () => await Host.TryAsync(() => TestCluster.SqlAsync(p1, "SELECT id FROM t")) == "42"
        );

        await TestCluster.SqlAsync(p1, "ALTER TABLE ALL IN TABLESPACE fast SET TABLESPACE pg_default");
        await TestCluster.SqlAsync(p1, "DROP TABLESPACE fast");
        await cluster.RunAsync(
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
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
        Assert.Equal("42", await TestCluster.SqlAsync(p2, "SELECT id FROM t"));
        await cluster.HealthyAsync(p1, timeline: 2);
    }

    private static async Task RefusedAsync(Temporalio.Client.WorkflowHandle procedure)
    {
        var (type, _, message) = await TestCluster.FailureAsync(procedure);
        Assert.Equal(FailureTypes.Refused, type);
        Assert.Contains("tablespaces of its own (fast)", message, StringComparison.Ordinal);
    }
}

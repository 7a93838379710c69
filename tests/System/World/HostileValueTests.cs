namespace PgFlow.SystemTests.World;

/// <summary>Whatever comes from outside is never part of a program.</summary>
public sealed class HostileValueTests(TemporalServer temporal)
{
    [Fact, Trait("Suite", "ci")]
    public async Task A_workflow_ID_that_is_a_program_is_not_run()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);

        await TestCluster.ReportAsync(
            await cluster.StartAsync(
                (TakeBackup procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Annotation = "$(touch /repository/annotated)",
                        }
                    ),
                $"b-{cluster.Name}'; touch /repository/pwned; '"
            )
        );
        await TestCluster.ReportAsync(
            await cluster.StartAsync(
                (CreateRestorePoint procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Name = "one",
                        }
                    ),
                $"$(touch /repository/pwned) `touch /repository/pwned` {cluster.Name}"
            )
        );

        Assert.Equal(
            ["backups", "ledger", "timelines", "wal"],
            (await Host.DockerAsync("exec", cluster.Node(1).Container, "ls", "/repository"))
                .Split('\n')
                .Where(name => name is not "index")
        );
    }
}

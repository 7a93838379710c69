using System.Diagnostics;

namespace PgFlow.SystemTests.World;

/// <summary>A cluster with a past of many years.</summary>
public sealed class LongPastTests(TemporalServer temporal)
{
    private const int MostOfPayload = 256 * 1024;

    [Fact]
    public async Task Of_20000_restore_points_and_1000_backups_is_read_within_seconds_and_goes_through_Temporal()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        await NameAsync(cluster, "first");
        await MultiplyAsync(cluster);

        await WithinAsync(15, async () => Assert.True((await cluster.InspectAsync()).Healthy));
        await WithinAsync(
            15,
            async () =>
            {
                var branch = Assert.Single((await cluster.TimelineAsync()).Branches);
                Assert.Equal(
                    (1001, 20001),
                    (branch.Backups.Count + branch.OlderBackups, branch.RestorePoints.Count + branch.OlderRestorePoints)
                );
            }
        );
        await WithinAsync(20, () => NameAsync(cluster, "last"));
        var again = await cluster.StartAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        Name = "many-17",
                        By = "test",
                    }
                )
        );
        Assert.Equal(FailureTypes.Refused, (await TestCluster.FailureAsync(again)).Type);
        await WithinAsync(
            20,
            () =>
                SmallAsync(
                    cluster,
                    (RecoverCluster procedure) =>
                        procedure.RunAsync(
                            new()
                            {
                                Cluster = cluster.Name,
                                By = "test",
                                ToPoint = "last",
                                DryRun = true,
                            }
                        )
                )
        );
        await WithinAsync(
            20,
            () =>
                SmallAsync(
                    cluster,
                    (TakeBackup procedure) =>
                        procedure.RunAsync(
                            new()
                            {
                                Cluster = cluster.Name,
                                By = "test",
                                Keep = 1,
                                DryRun = true,
                            }
                        )
                )
        );
        await SmallAsync(
            cluster,
            (TakeBackup procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Keep = 1,
                    }
                )
        );
        Assert.Single(Assert.Single((await cluster.TimelineAsync()).Branches).Backups);
    }

    /// <summary>Runs a procedure none of whose events is more than Temporal takes without a complaint.</summary>
    private static async Task SmallAsync<T>(
        TestCluster cluster,
        System.Linq.Expressions.Expression<Func<T, Task<Report>>> run
    )
    {
        var handle = await cluster.StartAsync(run);
        await TestCluster.ReportAsync(handle);
        Assert.All(
            (await handle.FetchHistoryAsync()).Events,
            happened =>
                Assert.True(
                    happened.CalculateSize() < MostOfPayload,
                    $"{happened.EventType}: {happened.CalculateSize()} bytes"
                )
        );
    }

    private static Task NameAsync(TestCluster cluster, string name) =>
        SmallAsync(
            cluster,
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        Name = name,
                        By = "test",
                    }
                )
        );

    private static async Task WithinAsync(int seconds, Func<Task> act)
    {
        var clock = Stopwatch.StartNew();
        await act();
        Assert.True(clock.Elapsed.TotalSeconds < seconds, $"{clock.Elapsed.TotalSeconds:0.0} s");
    }

    /// <summary>Puts copies of the only restore point and of the only backup's description into the
    /// repository.</summary>
    private static Task<string> MultiplyAsync(TestCluster cluster) =>
        Host.DockerAsync(
            "exec",
            "-u",
            "postgres",
            cluster.Node(1).Container,
            "sh",
            "-ec",
            """
            cd /repository/ledger
            point=$(cat *-restore-point-first.json | tr -d '\n')
            awk -v point="$point" 'BEGIN {
              for (i = 1; i <= 20000; i++) {
                text = point; sub(/first/, "many-" i, text)
                file = sprintf("20250101T%02d%02d%02d.000Z-restore-point-many-%d.json",
                  i / 3600, i / 60 % 60, i % 60, i)
                print text > file; close(file)
              }
            }'
            cd ../backups
            newest=$(ls -d *-full)
            for i in $(seq 1000 1999); do
              mkdir "20250101T00${i}Z-full"
              sed "s/$newest/20250101T00${i}Z-full/" "$newest/backup.json" > "20250101T00${i}Z-full/backup.json"
            done
            """
        );
}

namespace PgFlow.SystemTests;

/// <summary>A primary without a standby has all procedures that need none.</summary>
public sealed class SingleNodeTests(TemporalServer temporal)
{
    [Theory]
    [InlineData(ArchiveMode.External)]
    [InlineData(ArchiveMode.Local, Traits = ["Suite", "world"])]
    public async Task Goes_back_to_a_backup_a_restore_point_and_a_time_and_into_another_cluster(ArchiveMode archive)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1, archive: archive);
        var story = await Story.OfAsync(cluster, "A");
        await cluster.RunAsync(
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        var backup = (await cluster.TimelineAsync()).Branches[0].Backups.MaxBy(backup => backup.StoppedAt)!;
        await story.WriteAsync("B");
        await cluster.RunAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Name = "before-c",
                    }
                )
        );
        await story.WriteAsync("C");

        await story.RecoverAsync(new() { ToBackup = backup.Id }, "A"); // opens timeline 2
        await story.WriteAsync("D");
        await story.RecoverAsync(new() { ToPoint = "before-c" }, "B"); // opens 3
        await story.RecoverAsync("C"); // only timeline 1 had it; opens 4
        await story.RecoverAsync("D"); // only timeline 2 had it; opens 5

        await using var clone = await cluster.SiblingAsync();
        await clone.RunAsync(
            (CloneCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = clone.Name,
                        From = cluster.Name,
                        By = "test",
                        ToBackup = backup.Id,
                        ExternalNetwork = clone.Network,
                        Vip = clone.Vip,
                    }
                )
        );
        Assert.Single((await clone.InspectAsync()).State.Nodes);
        Assert.Equal("A", await RecoveryTests.WordsAsync(clone.Node(1)));
        var (code, said) = await PgFlowProgram.RunAsync(temporal.Client, "timeline", $"{clone.Name}", "--check");
        Assert.True(code == 0, said);
        await story.IsAsync("D");
    }
}

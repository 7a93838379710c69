namespace PgFlow.SystemTests.World;

/// <summary>A position from before a password was rotated is as good as any other.</summary>
public sealed class RotationTests(TemporalServer temporal)
{
    [Fact]
    public async Task A_recovery_and_a_clone_to_before_a_rotation_succeed()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var story = await Story.OfAsync(cluster, "before");
        await RotateAsync(cluster);
        await story.WriteAsync("after");
        Assert.Contains((await cluster.InspectAsync()).Findings, finding => finding.Code is FindingCode.RolesChanged);

        await story.RecoverAsync("before");

        await using var sibling = await cluster.SiblingAsync();
        await cluster.RunAsync(
            (CloneCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = sibling.Name,
                        From = cluster.Name,
                        By = "test",
                        ToTime = story.TimeOf("before"),
                        ExternalNetwork = sibling.Network,
                        Vip = sibling.Vip,
                    }
                )
        );
        await sibling.HealthyAsync(sibling.Node(1), timeline: 3);
    }

    /// <summary>As an administrator does it who knows of no tool: in the database; and PgFlow's own file says another
    /// thing again.</summary>
    private static async Task RotateAsync(TestCluster cluster)
    {
        foreach (var role in (string[])["pgflow", "replicator", "pgflow_proof", "app"])
        {
            await BrokenLogin.SqlAsync(cluster.Node(1), $"ALTER ROLE {role} PASSWORD 'rotated'");
        }

        var file = Path.Combine(WorkerProcess.Secrets, $"{cluster.Name}.pgpass");
        await File.WriteAllLinesAsync(file, (await File.ReadAllLinesAsync(file)).Select(line => $"{line}f"));
    }
}

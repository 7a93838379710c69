namespace PgFlow.SystemTests;

/// <summary>Other images and settings on real clusters, one node after another.</summary>
public sealed class UpdateTests(TemporalServer temporal)
{
    [Fact]
    public async Task Max_connections_and_the_image_change_under_a_writer_with_one_switchovers_outage()
    {
        var image = $"pgflow-test-update-{Guid.NewGuid():N}"[..28];
        var id = await TagAnotherAsync(image);
        try
        {
            await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3, sync: true);
            await using var writer = await Writer.StartAsync(cluster);

            var updated = await UpdateAsync(
                cluster,
                new()
                {
                    Image = image,
                    Set = ["max_connections=150"],
                    To = NodeName.Of(2),
                }
            );
            await writer.MoreAsync();
            TestContext.Current.SendDiagnosticMessage($"longest gap: {writer.Outage}");
            Assert.Single(updated.Steps, step => step.Id == "stop");
            Assert.True(writer.Outage < TimeSpan.FromSeconds(10), $"{writer.Outage}");
            var primary = cluster.Node(2);
            Assert.Empty(await writer.LostAsync(primary));
            var state = await cluster.HealthyAsync(primary, timeline: 2);
            Assert.Equal("ANY 1 (p1, p3)", state.Primaries[0].SynchronousStandbyNames);
            Assert.All(state.Nodes, node => Assert.Equal(id, node.Image));
            Assert.Equal(image, state.Spec!.Image);
            await UsedAsync(cluster, "max_connections", "150");

            // the tag moves: nodes keep their image, and what comes after it does too
            await Host.DockerAsync("tag", Host.Image, image);
            var planned = await UpdateAsync(cluster, new() { Set = ["work_mem=8MB"], DryRun = true });
            Assert.Contains(planned.Plan!.Warnings, warning => warning.Code is FindingCode.ImageMoved);
            Assert.DoesNotContain(planned.Plan.Steps, step => step.Id == "stop");
            await UpdateAsync(cluster, new() { Set = ["work_mem=8MB"] });
            await UsedAsync(cluster, "work_mem", "8MB");
            await cluster.HealthyAsync(primary, timeline: 2);

            // who joins is as the primary is, and the role goes on with all names
            await cluster.RunAsync(
                (AddStandby procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            );
            state = await cluster.HealthyAsync(primary, timeline: 2);
            Assert.Equal(4, state.Nodes.Count);
            Assert.All(state.Nodes, node => Assert.Equal((id, 4), (node.Image, node.Members.Count)));
            await UsedAsync(cluster, "max_connections", "150");
            await UsedAsync(cluster, "work_mem", "8MB");
        }
        finally
        {
            await Host.TryDockerAsync("rmi", "-f", image, id);
        }
    }

    [Fact, Trait("Suite", "world")]
    public async Task Less_max_connections_goes_to_the_primary_first_and_what_is_taken_back_is_as_before()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await UpdateAsync(cluster, new() { Set = ["max_connections=60"] });
        await UsedAsync(cluster, "max_connections", "60");
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);

        await UpdateAsync(cluster, new() { Reset = ["max_connections"] });
        await UsedAsync(cluster, "max_connections", "100");
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_standby_that_does_not_come_up_with_a_setting_goes_back()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (type, report, message) = await TestCluster.FailureAsync(
            await StartAsync(cluster, new() { Set = ["shared_preload_libraries=no_such_library"] })
        );
        Assert.Equal(FailureTypes.Unchanged, type);
        Assert.Contains("no_such_library", message, StringComparison.Ordinal);
        Assert.Contains(report!.Steps, step => step.Id == "undo/update/p2" && step.State is StepState.Done);
        await UsedAsync(cluster, "shared_preload_libraries", "");
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact, Trait("Suite", "world")]
    public async Task What_ALTER_SYSTEM_left_waiting_is_shown_and_brought_about()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await UpdateAsync(cluster, new() { Set = ["work_mem=8MB"] });
        foreach (var number in (int[])[1, 2])
        {
            await TestCluster.SqlAsync(cluster.Node(number), "ALTER SYSTEM SET work_mem = '16MB'");
            await TestCluster.SqlAsync(cluster.Node(number), "ALTER SYSTEM SET max_worker_processes = 12");
            await TestCluster.SqlAsync(cluster.Node(number), "SELECT pg_reload_conf()");
        }

        await Host.UntilAsync(
            "the waiting restarts are shown",
            async () =>
                (await cluster.InspectAsync()).Findings.Count(finding => finding.Code is FindingCode.RestartPending)
                == 2
        );
        await UpdateAsync(cluster, new());
        await UsedAsync(cluster, "max_worker_processes", "12");
        await UsedAsync(cluster, "work_mem", "16MB");
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    /// <summary>Another image with the same PostgreSQL.</summary>
    /// <returns>Its ID.</returns>
    private static async Task<string> TagAnotherAsync(string image)
    {
        var container = await Host.DockerAsync("create", "--label", "pgflow-test", Host.Image, "postgres");
        var id = await Host.DockerAsync("commit", "-c", $"LABEL pgflow-test={image}", container, image);
        await Host.DockerAsync("rm", "-v", container);
        return id;
    }

    private static async Task UsedAsync(TestCluster cluster, string setting, string value)
    {
        foreach (var node in (await cluster.InspectAsync()).State.Nodes)
        {
            Assert.Equal(value, await TestCluster.SqlAsync(node.Id, $"SHOW {setting}"));
        }
    }

    private static async Task<Report> UpdateAsync(TestCluster cluster, UpdateClusterInput input) =>
        await TestCluster.ReportAsync(await StartAsync(cluster, input));

    private static Task<Temporalio.Client.WorkflowHandle<UpdateCluster, Report>> StartAsync(
        TestCluster cluster,
        UpdateClusterInput input
    )
    {
        var named = input with { Cluster = cluster.Name, By = "test" };
        return cluster.StartAsync((UpdateCluster procedure) => procedure.RunAsync(named));
    }
}

using PgFlow.WorkflowTests;

namespace PgFlow.SystemTests;

/// <summary>A worker is killed in the middle; the end is that of an undisturbed run.</summary>
public sealed class CrashTests(TemporalServer temporal)
{
    [Theory]
    [InlineData("CompareStandbys")] // directly after the fence
    [InlineData("PromoteStandby")]
    [InlineData("MeasureLoss")]
    public async Task A_failover_whose_worker_is_killed_goes_on_with_the_next_one(string activity)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        var failover = await cluster.StartAsync((Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }));
        await TestCluster.ActivityAsync(failover, activity);
        cluster.Worker.Kill9();

        cluster.StartWorker();
        await TestCluster.ReportAsync(failover);
        await FailoverTests.FailBackAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_failback_whose_worker_is_killed_during_pg_rewind_goes_on_and_nobody_can_start_the_half_rewound_node()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await FailoverTests.FailOverAsync(cluster);

        var failback = await cluster.StartAsync((Failback procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }));
        await TestCluster.ActivityAsync(failback, "RewindData");
        cluster.Worker.Kill9();
        await Host.TryDockerAsync("start", cluster.Node(1).Container);
        Assert.DoesNotContain("f", (await Host.TryDockerAsync(
            "exec", "-u", "postgres", cluster.Node(1).Container, "sh", "-c", "PATH=$PATH:/usr/lib/postgresql/17/bin psql -XAtq -c 'SELECT pg_is_in_recovery()'")).Output.Split('\n'));
        await Host.TryDockerAsync("kill", cluster.Node(1).Container);

        cluster.StartWorker();
        await TestCluster.ReportAsync(failback);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task With_a_second_worker_a_procedure_goes_on_within_five_seconds()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        var failover = await cluster.StartAsync((Failover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }));
        await TestCluster.ActivityAsync(failover, "PromoteStandby");
        var first = cluster.Worker;
        var second = cluster.StartWorker();
        first.Kill9();
        var killed = DateTimeOffset.UtcNow;

        var report = await TestCluster.ReportAsync(failover);
        var proven = report.Steps.Single(step => step.Title.Contains("commit through the endpoint", StringComparison.Ordinal));
        Assert.True(proven.StartedAt - killed < TimeSpan.FromSeconds(5), $"went on {proven.StartedAt - killed} after the kill");
    }
}

using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>A worker is killed within an activity that is held open; another attempt does it, and the end is that of an
/// undisturbed run.</summary>
public sealed class CrashTests(TemporalServer temporal)
{
    [Theory]
    [InlineData("FenceNode", 1, "archive")] // a fast stop ends only when the last segment is archived
    [InlineData("PromoteStandby", 2, "restore")] // a promotion first looks for more WAL
    public async Task A_failover_whose_worker_is_killed_goes_on_with_the_next_one(
        string activity,
        int node,
        string program
    )
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var held = await HeldProgram.HoldAsync(cluster.Node(node), program);
        var failover = await FailOverByForceAsync(cluster);
        await cluster.WorkedOnAsync(failover, activity);
        cluster.Worker.Kill9();

        var next = cluster.StartWorker();
        await held.ReleaseAsync();
        await TestCluster.ReportAsync(failover);
        await TestCluster.RedoneAsync(failover, activity, next);
        await FailoverTests.FailBackAsync(cluster);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task A_failback_whose_worker_is_killed_during_pg_rewind_goes_on_and_nobody_can_start_the_half_rewound_node()
    {
        await using var cluster = await TestCluster.LostAsync(temporal.Client);
        var failback = await FailBackAsync(cluster);
        var job = await cluster.OnJobAsync("rewind", "pause");
        await cluster.WorkedOnAsync(failback, "RewindData");
        cluster.Worker.Kill9();
        await Host.TryDockerAsync("start", cluster.Node(1).Container);
        Assert.DoesNotContain(
            "f",
            (
                await Host.TryDockerAsync(
                    "exec",
                    "-u",
                    "postgres",
                    cluster.Node(1).Container,
                    "sh",
                    "-c",
                    $"PATH=$PATH:{TestedPostgres.Bin} psql -XAtq -c 'SELECT pg_is_in_recovery()'"
                )
            ).Output.Split('\n')
        );
        await Host.TryDockerAsync("kill", cluster.Node(1).Container);

        var next = cluster.StartWorker();
        await Host.DockerAsync("unpause", job);
        await TestCluster.ReportAsync(failback);
        await TestCluster.RedoneAsync(failback, "RewindData", next);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_failback_whose_job_is_killed_repeats_it()
    {
        await using var cluster = await TestCluster.LostAsync(temporal.Client);
        var failback = await FailBackAsync(cluster);
        await cluster.OnJobAsync("rewind", "kill");
        await TestCluster.ReportAsync(failback);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    [Fact]
    public async Task With_a_second_worker_a_procedure_goes_on_within_five_seconds()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var held = await HeldProgram.HoldAsync(cluster.Node(2), "restore");
        var failover = await FailOverByForceAsync(cluster);
        await cluster.WorkedOnAsync(failover, "PromoteStandby");
        var first = cluster.Worker;
        var second = cluster.StartWorker();
        first.Kill9();
        var killed = DateTime.UtcNow;

        await held.ReleaseAsync();
        await TestCluster.ReportAsync(failover);
        var redone = await TestCluster.RedoneAsync(failover, "PromoteStandby", second);
        Assert.True(redone - killed < TimeSpan.FromSeconds(5), $"done {redone - killed} after the kill");
    }

    private static Task<WorkflowHandle<Failover, Report>> FailOverByForceAsync(TestCluster cluster) =>
        cluster.StartAsync(
            (Failover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Force = true,
                    }
                )
        );

    private static Task<WorkflowHandle<Failback, Report>> FailBackAsync(TestCluster cluster) =>
        cluster.StartAsync(
            (Failback procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(1),
                    }
                )
        );
}

/// <summary>A program of a node that waits, whenever PostgreSQL calls it, until it is released.</summary>
internal sealed class HeldProgram : IAsyncDisposable
{
    private readonly NodeId _node;

    private HeldProgram(NodeId node) => _node = node;

    public static async Task<HeldProgram> HoldAsync(NodeId node, string program)
    {
        await Host.DockerAsync(
            "exec",
            "-u",
            "postgres",
            node.Container,
            "sh",
            "-c",
            $"""
            set -e
            touch /pgflow/hold
            cd /pgflow/bin
            echo '#!/bin/sh' > {program}.held
            echo 'while [ -e /pgflow/hold ]; do sleep 0.1; done' >> {program}.held
            echo 'exec /pgflow/bin/{program}.real "$@"' >> {program}.held
            chmod +x {program}.held
            cp -p {program} {program}.real
            mv {program}.held {program}
            """
        );
        return new(node);
    }

    /// <remarks>By the volume: the node may have ended by now, and a job that salvages its WAL must not wait for
    /// ever.</remarks>
    public Task ReleaseAsync() => Host.DockerAsync(Release);

    /// <summary>Also after a failure: a node that waits could not be removed quickly.</summary>
    public async ValueTask DisposeAsync() => await Host.TryDockerAsync(Release);

    private string[] Release =>
        [
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            $"{_node.Container}:/pgflow",
            "--entrypoint",
            "rm",
            Host.Image,
            "-f",
            "/pgflow/hold",
        ];
}

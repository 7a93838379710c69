namespace PgFlow.SystemTests.World;

/// <summary>What is missing of a cluster is seen, and comes back by <c>pgflow repair</c>.</summary>
public sealed class RepairTests(TemporalServer temporal)
{
    [Fact]
    public async Task Of_what_a_prune_took_from_a_cluster()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, sync: true);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await TestCluster.SqlAsync(p1, "CREATE TABLE kept AS SELECT 1 AS row");
        await Host.DockerAsync("kill", p1.Container);
        await FailoverTests.FailOverAsync(cluster);

        // docker container prune: the fenced node's container.
        await Host.DockerAsync("rm", "-v", p1.Container);
        await FoundAsync(cluster, FindingCode.ContainerMissing);
        await RepairAsync(cluster);
        await cluster.HealthyAsync(p2, timeline: 2);

        // docker network prune, while all are stopped.
        await Host.DockerAsync("stop", p1.Container, p2.Container);
        await Host.TryDockerAsync(
            "network",
            "disconnect",
            "-f",
            $"pgflow-{cluster.Name}-internal",
            Environment.MachineName
        );
        await Host.DockerAsync("network", "rm", $"pgflow-{cluster.Name}-internal");
        await FoundAsync(cluster, FindingCode.ResourceMissing);
        await RepairAsync(cluster);
        await cluster.HealthyAsync(p2, timeline: 2);

        // The standby with its volume.
        await Host.DockerAsync("rm", "-f", p1.Container);
        await Host.DockerAsync("volume", "rm", p1.Container);
        await FoundAsync(cluster, FindingCode.ContainerMissing);
        var report = await RepairAsync(cluster);
        Assert.Contains(report.Notes, note => note.Contains("new copy", StringComparison.Ordinal));
        var state = await cluster.HealthyAsync(p2, timeline: 2);

        Assert.Equal("1", (await TestCluster.SqlAsync(p1, "SELECT row FROM kept")).Trim());
        Assert.Equal("ANY 1 (p1)", state.Find(p2.Name)!.SynchronousStandbyNames);
    }

    [Fact]
    public async Task Of_nodes_that_are_out_of_their_place()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        Assert.Contains("nothing was done", (await RepairAsync(cluster)).Summary, StringComparison.Ordinal);

        await Host.DockerAsync("update", "--restart", "no", p1.Container);
        await FoundAsync(cluster, FindingCode.NotRestarted);
        await Host.DockerAsync("network", "disconnect", cluster.Network, p2.Container);
        await FoundAsync(cluster, FindingCode.OffReadOnlyEndpoint);
        await Host.DockerAsync("network", "disconnect", cluster.Network, p1.Container);
        await FoundAsync(cluster, FindingCode.EndpointMisplaced);

        await RepairAsync(cluster);
        await cluster.HealthyAsync(p1, timeline: 1);
        await Host.DockerAsync("rm", "-f", p1.Container);
        await Host.DockerAsync(
            "run",
            "-d",
            "--network",
            "none",
            "--name",
            p1.Container,
            "--entrypoint",
            "sleep",
            Host.Image,
            "600"
        );
        var before = await UntouchedAsync(p1);
        var refused = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            )
        );
        Assert.Contains($"container {p1.Container}: not PgFlow's", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await UntouchedAsync(p1));

        // The other way on: the standby takes over, the old primary comes back to it.
        await Host.DockerAsync("rm", "-f", p1.Container);
        await FailoverTests.FailOverAsync(cluster);
        await RepairAsync(cluster);
        await cluster.HealthyAsync(p2, timeline: 2);
    }

    [Fact, Trait("Suite", "ci")]
    public async Task Of_a_standby_that_a_terminated_switchover_left_refusing_clients()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var p2 = cluster.Node(2);
        await InNodeAsync(p2, @"printf '# caf\351\r\n' >> /pgflow/pg_hba.conf"); // in no encoding of ours
        var before = await HbaAsync();
        var client = await ClientSessions.OpenAsync(cluster, await ClientsTests.AddressAsync(cluster, p2), count: 1);
        var backend = (
            await TestCluster.SqlAsync(
                p2,
                "SELECT pid FROM pg_stat_activity WHERE usename = 'app' ORDER BY backend_start LIMIT 1"
            )
        ).Trim();

        // A session that does not end holds the switchover for 2 s between its refusal of clients and the address that
        // it takes away.
        await InNodeAsync(p2, $"kill -STOP {backend}");
        var refused = InNodeAsync(p2, "until grep -q refuses /pgflow/pg_hba.conf; do sleep 0.01; done");
        var switchover = await cluster.StartAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await refused.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await switchover.TerminateAsync();
        // the permission of an attempt holds for so long
        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        await InNodeAsync(p2, $"kill -CONT {backend}");
        await client.RequireEndedAsync("the session goes on and learns that it is to end");
        await FoundAsync(cluster, FindingCode.ClientsRefused);

        await RepairAsync(cluster);
        Assert.Equal(before, await HbaAsync());
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);

        Task<string> HbaAsync() => Host.DockerAsync("exec", p2.Container, "od", "-c", "/pgflow/pg_hba.conf");
        static Task<string> InNodeAsync(NodeId node, string script) =>
            Host.DockerAsync("exec", "-u", "postgres", node.Container, "sh", "-c", script);
    }

    [Fact]
    public async Task Of_a_synchronous_primary_that_asks_nobody()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, sync: true);
        var p1 = cluster.Node(1);
        await Host.DockerAsync(
            "exec",
            "-u",
            "postgres",
            p1.Container,
            "sed",
            "-i",
            "s/^synchronous_standby_names = .*/synchronous_standby_names = ''/",
            "/pgflow/pgflow.conf"
        );
        await TestCluster.SqlAsync(p1, "SELECT pg_reload_conf()");
        await FoundAsync(cluster, FindingCode.SynchronousStandbysDiffer);

        await RepairAsync(cluster);
        Assert.Equal(
            "ANY 1 (p2)",
            (await cluster.HealthyAsync(p1, timeline: 1)).Find(p1.Name)!.SynchronousStandbyNames
        );
    }

    private static Task<Report> RepairAsync(TestCluster cluster) =>
        cluster.RunAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );

    /// <summary>A container that somebody else gave a node's name, and the node's data beside it.</summary>
    private static async Task<string> UntouchedAsync(NodeId node)
    {
        var container = await Host.DockerAsync(
            "inspect",
            "-f",
            "{{.Id}} {{.State.StartedAt}} {{.HostConfig.RestartPolicy.Name}} {{json .NetworkSettings.Networks}}",
            node.Container
        );
        var changes = (await Host.DockerAsync("diff", node.Container)).Split('\n').Order(StringComparer.Ordinal);
        return $"{container} {string.Join(' ', changes)} {await TestCluster.ContentAsync(node.Container)}";
    }

    private static async Task FoundAsync(TestCluster cluster, FindingCode code)
    {
        var findings = (await cluster.InspectAsync()).Findings;
        Assert.True(
            findings.Any(finding => finding.Code == code),
            $"no {code}: {string.Join("; ", findings.Select(FindingText.Of))}"
        );
    }
}

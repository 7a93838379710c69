using System.Globalization;
using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>The witness on a real cluster: it fails over when the primary is down, and at no other time.</summary>
public sealed class WitnessTests(TemporalServer temporal)
{
    /// <summary>More than the witness needs for any verdict but that Docker was away.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(8);

    [Fact]
    public async Task Fails_over_when_the_primarys_container_is_killed_and_loses_no_acknowledged_row_but_those_it_names()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var witness = await WatchAsync(cluster, failback: true);
        await using var writer = await Writer.StartAsync(cluster);
        await Host.DockerAsync("kill", cluster.Node(1).Container);

        await writer.MoreAsync();
        Tell(writer);
        var started = await DecidedAsync(witness, WitnessAction.FailedOver);
        var report = await temporal.Client.GetWorkflowHandle(started.WorkflowId!).GetResultAsync<Report>();
        Assert.StartsWith("p1 is down by both signs: ", report.Reason, StringComparison.Ordinal);
        var lost = await writer.LostAsync(cluster.Node(2));
        Assert.True(
            lost.Length == 0 || !report.Notes.Any(note => note.Contains("nothing was lost", StringComparison.Ordinal)),
            $"{lost.Length} rows lost; {string.Join("; ", report.Notes)}"
        );

        var back = await DecidedAsync(witness, WitnessAction.FailedBack);
        await temporal.Client.GetWorkflowHandle(back.WorkflowId!).GetResultAsync<Report>();
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
        await witness.ExecuteUpdateAsync("stop", [new WitnessOrder("test")]);
    }

    [Fact, Trait("Suite", "world")]
    public async Task Leaves_a_primary_alone_whose_server_was_killed_and_that_Docker_starts_again()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var witness = await WatchAsync(cluster);
        await using var writer = await Writer.StartAsync(cluster);
        await KillServerAsync(cluster.Node(1));

        await writer.MoreAsync();
        Tell(writer);
        await Task.Delay(Quiet, TestContext.Current.CancellationToken);
        await HasNotActedAsync(witness);
        Assert.Empty(await writer.LostAsync(cluster.Node(1)));
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact, Trait("Suite", "world")]
    public async Task Says_and_does_nothing_else_when_the_primary_is_paused_or_can_not_be_reached()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var witness = await WatchAsync(cluster);
        await Host.DockerAsync("pause", cluster.Node(1).Container);
        var paused = await DecidedAsync(witness, WitnessAction.Alerted);
        Assert.Contains("somebody has paused its container", paused.Summary, StringComparison.Ordinal);
        await Task.Delay(Quiet, TestContext.Current.CancellationToken);
        await HasNotActedAsync(witness);
        await Host.DockerAsync("unpause", cluster.Node(1).Container);
        await WellAsync(witness, cluster.Node(1));

        await Host.DockerAsync("network", "disconnect", cluster.Network, cluster.Node(1).Container);
        await Host.UntilAsync(
            "an alert",
            async () =>
                (await StatusAsync(witness))
                    .Decisions[^1]
                    .Summary.Contains("no node holds the virtual IP", StringComparison.Ordinal)
        );
        await Task.Delay(Quiet, TestContext.Current.CancellationToken);
        await HasNotActedAsync(witness);
        var (code, said) = await PgFlowProgram.RunAsync(temporal.Client, "witness", $"{cluster.Name}", "status");
        Assert.Equal(0, code);
        Assert.Contains("p1 can't be reached: somebody has paused its container", said, StringComparison.Ordinal);
    }

    [Fact, Trait("Suite", "world")]
    public async Task Does_nothing_while_it_is_paused_and_goes_on_when_its_worker_was_killed()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var witness = await WatchAsync(cluster);
        await PgFlowProgram.RunAsync(temporal.Client, "witness", $"{cluster.Name}", "pause", "--reason", "a test");
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await Task.Delay(Quiet, TestContext.Current.CancellationToken);
        await HasNotActedAsync(witness);
        await Host.DockerAsync("start", cluster.Node(1).Container);
        await PgFlowProgram.RunAsync(temporal.Client, "witness", $"{cluster.Name}", "resume");
        await WellAsync(witness, cluster.Node(1));

        cluster.Worker.Kill9();
        cluster.StartWorker();
        await Host.DockerAsync("kill", cluster.Node(1).Container); // while nobody looks
        var started = await DecidedAsync(witness, WitnessAction.FailedOver);
        await temporal.Client.GetWorkflowHandle(started.WorkflowId!).GetResultAsync<Report>();
        await WellAsync(witness, cluster.Node(2));
    }

    [Fact, Trait("Suite", "world")]
    public async Task Leaves_a_switchover_alone_and_ends_with_its_cluster()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var witness = await WatchAsync(cluster);
        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await WellAsync(witness, cluster.Node(2));
        await HasNotActedAsync(witness);

        var report = await cluster.RunAsync(
            (DestroyCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Approve = false,
                    }
                )
        );
        Assert.Equal([$"witness {witness.Id} has ended"], report.Notes);
        await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(() => witness.GetResultAsync());
    }

    [Fact, Trait("Suite", "world")]
    public async Task Says_that_a_standby_is_gone_and_when_it_is_back()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var witness = await WatchAsync(cluster);
        await Host.DockerAsync("stop", cluster.Node(2).Container);
        var found = await DecidedAsync(witness, WitnessAction.Found, seconds: 120);
        Assert.StartsWith($"{cluster.Node(2)} ", found.Summary, StringComparison.Ordinal);
        var (_, said) = await PgFlowProgram.RunAsync(temporal.Client, "witness", $"{cluster.Name}", "status");
        Assert.Contains($"pgflow failback {cluster.Name} p2", said, StringComparison.Ordinal);

        await Host.DockerAsync("start", cluster.Node(2).Container);
        await DecidedAsync(witness, WitnessAction.Passed, seconds: 120);
        await Host.UntilAsync("nothing is wrong", async () => (await StatusAsync(witness)).Findings.Count == 0, 120);
        await HasNotActedAsync(witness);
    }

    /// <summary>How long clients can't write: PGFLOW_WITNESS_KILLS containers of the primary are killed, and half as
    /// many servers.</summary>
    [Fact, Trait("Suite", "world")]
    public async Task Clients_write_again_within_five_seconds_whatever_of_the_primary_is_killed()
    {
        var kills = int.Parse(
            Environment.GetEnvironmentVariable("PGFLOW_WITNESS_KILLS") ?? "1",
            CultureInfo.InvariantCulture
        );
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var writer = await Writer.StartAsync(cluster);
        var (containers, servers) = (new List<double>(), new List<double>());
        for (var kill = 1; kill <= kills; kill++)
        {
            // a witness of its own for each, since the last failover was within 10 min
            var witness = await WatchAsync(cluster, failback: true);
            var primary = await PrimaryAsync(cluster);
            if (kill % 2 == 0)
            {
                servers.Add(await OutageAsync(writer, () => KillServerAsync(primary)));
            }

            primary = await PrimaryAsync(cluster);
            containers.Add(await OutageAsync(writer, () => Host.DockerAsync("kill", primary.Container)));
            if (await PrimaryAsync(cluster) != primary)
            {
                var back = await DecidedAsync(witness, WitnessAction.FailedBack);
                await temporal.Client.GetWorkflowHandle(back.WorkflowId!).GetResultAsync<Report>();
            }

            await witness.ExecuteUpdateAsync("stop", [new WitnessOrder("test")]);
            await witness.GetResultAsync();
        }

        Tell("containers", containers);
        Tell("servers", servers);
        TestContext.Current.SendDiagnosticMessage(
            string.Join(", ", containers.Concat(servers).Select(outage => $"{outage:0.00}"))
        );
        Assert.All(containers.Concat(servers), outage => Assert.InRange(outage, 0, 5));
    }

    [Fact, Trait("Suite", "world")]
    public async Task Commits_wait_for_nobody_after_a_time_until_the_standby_streams_again()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, sync: true);
        var witness = await WatchAsync(temporal.Client, cluster, failback: false, fallBackAfterSeconds: 5);
        await using var writer = await Writer.StartAsync(cluster);
        await Host.DockerAsync("kill", cluster.Node(2).Container);
        await DemandIsAsync("");
        await writer.MoreAsync();
        Tell(writer);
        var change = await DecidedAsync(witness, WitnessAction.SetConfirmations);
        var report = await temporal.Client.GetWorkflowHandle(change.WorkflowId!).GetResultAsync<Report>();
        Assert.StartsWith("commits on p1 wait for confirmations", report.Reason, StringComparison.Ordinal);

        await Host.DockerAsync("start", cluster.Node(2).Container);
        await DemandIsAsync("ANY 1 (p2)"); // a minute after it streams
        await Host.UntilAsync("all is well", async () => (await cluster.InspectAsync()).Healthy);
        Assert.Empty(await writer.LostAsync(cluster.Node(1)));

        Task DemandIsAsync(string demand) =>
            Host.UntilAsync(
                $"'{demand}' is demanded",
                async () => await TestCluster.SqlAsync(cluster.Node(1), "SHOW synchronous_standby_names") == demand,
                seconds: 120
            );
    }

    /// <summary>For PGFLOW_WITNESS_MINUTES, or a quarter of one, with a worker that is killed again and again.</summary>
    [Fact, Trait("Suite", "world")]
    public async Task A_busy_host_and_workers_that_die_are_no_reason_for_a_failover()
    {
        var minutes = double.Parse(
            Environment.GetEnvironmentVariable("PGFLOW_WITNESS_MINUTES") ?? "0.25",
            CultureInfo.InvariantCulture
        );
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var witness = await WatchAsync(cluster);
        await using var writer = await Writer.StartAsync(cluster);
        using var over = new CancellationTokenSource(TimeSpan.FromMinutes(minutes));
        var burning = Enumerable
            .Range(0, 2 * Environment.ProcessorCount)
            .Select(_ => Task.Factory.StartNew(() => Burn(over.Token), TaskCreationOptions.LongRunning))
            .ToList();
        while (!over.IsCancellationRequested)
        {
            await writer.MoreAsync();
            cluster.Worker.Kill9();
            cluster.StartWorker();
            await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(30), over.Token));
        }

        await Task.WhenAll(burning);
        await WellAsync(witness, cluster.Node(1));
        await HasNotActedAsync(witness);
        foreach (var decision in (await StatusAsync(witness)).Decisions)
        {
            TestContext.Current.SendDiagnosticMessage($"{decision.At:HH:mm:ss} {decision.Action} {decision.Summary}");
        }

        Assert.Empty(await writer.LostAsync(cluster.Node(1)));
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    private static void Burn(CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            Thread.SpinWait(1000);
        }
    }

    private Task<WorkflowHandle> WatchAsync(TestCluster cluster, bool failback = false) =>
        WatchAsync(temporal.Client, cluster, failback);

    internal static async Task<WorkflowHandle> WatchAsync(
        ITemporalClient client,
        TestCluster cluster,
        bool failback,
        int? fallBackAfterSeconds = null
    )
    {
        var witness = await client.StartWorkflowAsync(
            (WatchCluster workflow) =>
                workflow.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Failback = failback,
                        FallBackAfterSeconds = fallBackAfterSeconds,
                    }
                ),
            new(WatchCluster.IdOf(cluster.Name), "pgflow")
        );
        await DecidedAsync(witness, WitnessAction.Watching);
        return witness;
    }

    /// <summary>The time without an acknowledged row that something costs.</summary>
    private static async Task<double> OutageAsync(Writer writer, Func<Task> harm)
    {
        writer.ForgetOutage();
        await harm();
        await writer.MoreAsync();
        await writer.MoreAsync(); // what was acknowledged before the harm counts for the first
        return writer.Outage.TotalSeconds;
    }

    private static async Task<NodeId> PrimaryAsync(TestCluster cluster) =>
        (await cluster.InspectAsync()).State.Primaries.Single().Id;

    /// <summary>As the kernel does when it has no memory left: Docker did not ask for it, and starts the container
    /// again.</summary>
    private static async Task KillServerAsync(NodeId node) =>
        await Host.DockerAsync(
            "exec",
            "-u",
            "0",
            node.Container,
            "sh",
            "-c",
            "kill -9 $(head -1 /pgflow/data/postmaster.pid)"
        );

    internal static Task<WitnessStatus> StatusAsync(WorkflowHandle witness) =>
        witness.QueryAsync<WitnessStatus>("witness", []);

    internal static async Task HasNotActedAsync(WorkflowHandle witness) =>
        Assert.DoesNotContain(
            (await StatusAsync(witness)).Decisions,
            decision => decision.Action is WitnessAction.FailedOver
        );

    internal static Task WellAsync(WorkflowHandle witness, NodeId primary) =>
        Host.UntilAsync(
            $"{primary} is well",
            async () =>
                (await StatusAsync(witness)).Verdict is { Finding: WitnessFinding.Well } verdict
                && verdict.Primary == primary.Name
        );

    internal static async Task<WitnessDecision> DecidedAsync(
        WorkflowHandle witness,
        WitnessAction action,
        int seconds = 60
    )
    {
        WitnessDecision? found = null;
        await Host.UntilAsync(
            $"the witness has {PgFlowText.Word(action)}",
            async () =>
                (found = (await StatusAsync(witness)).Decisions.LastOrDefault(decision => decision.Action == action))
                    is not null,
            seconds
        );
        return found!;
    }

    private static void Tell(Writer writer) => Tell("outage", [writer.Outage.TotalSeconds]);

    private static void Tell(string what, List<double> seconds)
    {
        List<double> sorted = [.. seconds.Order()];
        TestContext.Current.SendDiagnosticMessage(
            sorted.Count == 0
                ? $"{what}: none"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{what}: {sorted.Count}, median {sorted[sorted.Count / 2]:0.00} s, worst {sorted[^1]:0.00} s"
                )
        );
    }
}

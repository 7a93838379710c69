using System.Text.Json;

namespace PgFlow.SystemTests;

/// <summary>What the worker program says to those who watch it: log, metrics, traces.</summary>
public sealed class ObservabilityTests(TemporalServer temporal)
{
    [Fact]
    public async Task A_switchover_can_be_read_in_the_log_scraped_and_followed_as_a_trace()
    {
        using var collector = new OtlpReceiver();
        var metrics = $"127.0.0.1:{Scrape.FreePort()}";
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        cluster.Worker.Kill9();
        var worker = cluster.StartWorker(
            arguments: ["--log", "json", "--log-level", "debug", "--metrics", metrics],
            environment: collector.Environment
        );

        var report = await SwitchOverAsync(cluster);
        var of = ("cluster", $"{cluster.Name}");
        Assert.Equal(1, await Scrape.ValueAsync(metrics, "pgflow_node_role", of, ("node", "p2"), ("role", "primary")));
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
        await TestCluster.FailureAsync(
            await temporal.Client.StartWorkflowAsync(
                (InspectCluster procedure) => procedure.RunAsync(new() { Cluster = ClusterName.Parse("nobody") }),
                new($"InspectCluster-nobody-{Guid.NewGuid():N}", "pgflow")
            )
        );

        AssertLog(worker.Lines, cluster, report);
        await AssertMetricsAsync(metrics, cluster);
        await AssertOpenAsync(metrics, cluster);
        await AssertTraceAsync(collector, report);
    }

    [Fact, Trait("Suite", "world")]
    public async Task Metrics_are_sent_where_they_are_not_served()
    {
        using var collector = new GrpcSink();
        using var worker = WorkerProcess.Start(
            temporal.Client,
            arguments: [],
            environment: ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Endpoint)
        );
        var refused = await temporal.Client.StartWorkflowAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = ClusterName.Parse("nobody"), By = "test" }),
            new($"Switchover-nobody-{Guid.NewGuid():N}", "pgflow")
        );
        Assert.Equal(FailureTypes.Refused, (await TestCluster.FailureAsync(refused)).Type);

        await Host.UntilAsync("metrics come", () => Task.FromResult(collector.Has("pgflow_procedures_total")));
    }

    private static Task<Report> SwitchOverAsync(TestCluster cluster) =>
        cluster.RunAsync(
            (Switchover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = NodeName.Of(2),
                    }
                )
        );

    private static void AssertLog(IReadOnlyCollection<string> log, TestCluster cluster, Report report)
    {
        var lines = log.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var promoted = lines.Single(line =>
            Is(line, "Activity", "PromoteStandby") && !line.TryGetProperty("@l", out _)
        );
        var step = report.Steps.Single(step => step.Id == "promote");
        Assert.Equal(
            ($"{cluster.Name}", "p2", "Switchover", step.Number, 1, report.WorkflowId),
            (
                promoted.GetProperty("Cluster").GetString(),
                promoted.GetProperty("Node").GetString(),
                promoted.GetProperty("Procedure").GetString(),
                promoted.GetProperty("Step").GetInt32(),
                promoted.GetProperty("Attempt").GetInt32(),
                promoted.GetProperty("WorkflowId").GetString()
            )
        );
        Assert.True(promoted.GetProperty("Milliseconds").GetInt64() > 0);
        var looks = lines.Where(line => Is(line, "Activity", "ObserveCluster")).ToList();
        Assert.NotEmpty(looks);
        Assert.All(looks, look => Assert.True(Is(look, "@l", "Debug")));
        Assert.Contains(lines, line => Is(line, "Outcome", "succeeded") && Is(line, "Procedure", "Switchover"));
        // said once, and not by the SDK with its stack trace too
        Assert.Single(lines, line => Is(line, "Activity", "InspectArchive") && Is(line, "@l", "Warning"));
        Assert.DoesNotContain(lines, line => Is(line, "@mt", "Completing activity {ActivityType} as failed"));
        TestContext.Current.SendDiagnosticMessage(
            string.Join(
                '\n',
                lines
                    .Where(line => line.TryGetProperty("Milliseconds", out _))
                    .Select(line => $"{line.GetProperty("@mt")} {line.GetProperty("Milliseconds")} {line}"[..300])
            )
        );
    }

    private static bool Is(JsonElement line, string name, string value) =>
        line.TryGetProperty(name, out var found)
        && found.ValueKind is JsonValueKind.String
        && found.GetString() == value;

    private static async Task AssertMetricsAsync(string metrics, TestCluster cluster)
    {
        var of = ("cluster", $"{cluster.Name}");
        Assert.Equal(1, await ValueAsync("pgflow_procedures_total", of, ("procedure", "Switchover")));
        var outage = await ValueAsync("pgflow_procedure_outage_seconds_sum", of, ("procedure", "Switchover"));
        Assert.InRange(outage!.Value, 0.05, 30);
        Assert.InRange((await ValueAsync("pgflow_replication_lag_bytes", of, ("node", "p1")))!.Value, 0, 1 << 24);
        Assert.NotNull(await ValueAsync("pgflow_archive_backlog_bytes", of, ("node", "p2")));
        Assert.NotNull(await ValueAsync("pgflow_last_backup_timestamp_seconds", of));
        Assert.NotNull(await ValueAsync("temporal_worker_task_slots_available", ("worker_type", "WorkflowWorker")));

        Task<double?> ValueAsync(string name, params (string, string)[] labels) =>
            Scrape.ValueAsync(metrics, name, labels);
    }

    private async Task AssertOpenAsync(string metrics, TestCluster cluster)
    {
        await PgFlowProgram.RunAsync(temporal.Client, "witness", $"{cluster.Name}", "start");
        await PgFlowProgram.RunAsync(temporal.Client, "witness", $"{cluster.Name}", "pause");
        var waiting = await cluster.StartAsync(
            (Switchover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Approve = true,
                    }
                )
        );
        await Host.UntilAsync("it is counted", () => IsAsync("waitingForApproval", 1));
        Assert.True(await IsAsync("paused", 1));
        await waiting.CancelAsync();
        await PgFlowProgram.RunAsync(temporal.Client, "witness", $"{cluster.Name}", "stop");
        await Host.UntilAsync("it is no longer counted", () => IsAsync("waitingForApproval", 0));
        var counted = await Scrape.ValueAsync(metrics, "pgflow_procedures_observed_timestamp_seconds");
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - counted!.Value, -1, 60);

        async Task<bool> IsAsync(string state, double count) =>
            await Scrape.ValueAsync(metrics, "pgflow_procedures_open", ("cluster", $"{cluster.Name}"), ("state", state))
            == count;
    }

    private static async Task AssertTraceAsync(OtlpReceiver collector, Report report)
    {
        var trace = report.RunId.Replace("-", "", StringComparison.Ordinal);
        await Host.UntilAsync(
            "the trace has come",
            () => Task.FromResult(Spans().Any(span => span.Name == "Switchover"))
        );
        var spans = Spans();
        var byId = spans.ToDictionary(span => span.SpanId);
        var promoted = spans.First(span => span.Name == "PromoteStandby");
        Assert.Equal("step promote", byId[promoted.ParentId].Name);
        Assert.Equal("Switchover", byId[byId[promoted.ParentId].ParentId].Name);
        var below = spans.Where(span => span.ParentId == promoted.SpanId).ToList();
        Assert.Contains(below, span => span.Text.Contains("db.query.text", StringComparison.Ordinal));
        Assert.Contains(spans, span => span.Name == "docker Containers.KillContainer");
        Assert.All(spans, span => Assert.DoesNotContain("SCRAM-SHA-256$", span.Text, StringComparison.Ordinal));
        TestContext.Current.SendDiagnosticMessage(
            string.Join('\n', spans.GroupBy(span => span.Name).Select(group => $"{group.Count(), 4} {group.Key}"))
        );

        List<OtlpReceiver.Span> Spans() => [.. collector.Spans.Where(span => span.TraceId == trace)];
    }
}

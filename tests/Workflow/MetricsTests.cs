using Temporalio.Client;
using Temporalio.Worker;

namespace PgFlow.WorkflowTests;

/// <summary>Every end is counted once, whoever replays it later.</summary>
public sealed class MetricsTests(TemporalServer server)
{
    private readonly Scrape _metrics = Scrape.Start();

    [Fact]
    public async Task A_success_is_counted_with_its_duration_and_its_outage()
    {
        await using var world = await StartAsync();
        var report = await world.SucceedAsync("Switchover");

        (string, string)[] labels =
        [
            ("procedure", "Switchover"),
            ("outcome", "succeeded"),
            ("cluster", $"{world.Cluster}"),
        ];
        Assert.Equal(1, await _metrics.ValueAsync("pgflow_procedures_total", labels));
        Assert.Equal(1, await _metrics.ValueAsync("pgflow_procedure_duration_seconds_count", labels));
        Assert.Equal(1, await _metrics.ValueAsync("pgflow_procedure_outage_seconds_count", labels));
        var outage = await _metrics.ValueAsync("pgflow_procedure_outage_seconds_sum", labels);
        Assert.InRange(outage!.Value, 0.001, report.Took.TotalSeconds);
        Assert.Equal(
            1,
            await _metrics.ValueAsync("pgflow_procedure_outage_seconds_bucket", [.. labels, ("le", "3600")])
        );
    }

    [Fact]
    public async Task An_undone_stop_was_an_outage_too_and_a_refusal_was_none()
    {
        await using var world = await StartAsync();
        world.Hands.Fail("ProveShutdownReplayed p2");
        await world.FailAsync("Switchover");
        world.Hands.Crash("p2");
        await world.FailAsync("Switchover");

        Assert.Equal(1, await _metrics.ValueAsync("pgflow_procedure_outage_seconds_count", ("outcome", "unchanged")));
        Assert.Equal(1, await _metrics.ValueAsync("pgflow_procedures_total", ("outcome", "refused")));
        Assert.Null(await _metrics.ValueAsync("pgflow_procedure_outage_seconds_count", ("outcome", "refused")));
    }

    [Fact]
    public async Task A_replay_counts_nothing()
    {
        await using var world = await StartAsync();
        var handle = await world.StartAsync("Switchover");
        await handle.GetResultAsync();
        await world.ReplaceWorkerAsync();
        await handle.QueryAsync<ProcedureProgress>("progress", []);
        var replayer = new WorkflowReplayerOptions
        {
            DataConverter = PgFlowJson.Converter,
            Runtime = _metrics.Runtime,
            Interceptors = [new ProcedureInterceptor()],
        };
        Array.ForEach(TestEnvironment.AllWorkflows, type => replayer.AddWorkflow(type));
        var history = await handle.FetchHistoryAsync();
        await new WorkflowReplayer(replayer).ReplayWorkflowAsync(
            history,
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.Equal(1, await _metrics.ValueAsync("pgflow_procedures_total", ("outcome", "succeeded")));
    }

    private async Task<TestEnvironment> StartAsync() =>
        TestEnvironment.Start(
            await TemporalClient.ConnectAsync(
                new(server.Client.Connection.Options.TargetHost!)
                {
                    DataConverter = PgFlowJson.Converter,
                    Runtime = _metrics.Runtime,
                }
            )
        );
}

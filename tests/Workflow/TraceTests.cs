using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;

namespace PgFlow.WorkflowTests;

/// <summary>A run is one trace, whichever workers took part in it.</summary>
public sealed class TraceTests(TemporalServer server) : IDisposable
{
    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ActivityListener _listener = new();

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task A_run_is_a_tree_of_procedure_steps_and_activities()
    {
        await using var world = Start();
        var handle = await world.StartAsync("Switchover");
        var report = await handle.GetResultAsync<Report>();

        AssertTree(report, SpansOf(report));
        var procedure = Assert.Single(SpansOf(report), span => span.OperationName == "Switchover");
        Assert.Equal(report.RunId.Replace("-", "", StringComparison.Ordinal), procedure.TraceId.ToHexString());
        Assert.Equal((report.EndedAt - report.StartedAt).TotalMilliseconds, procedure.Duration.TotalMilliseconds, 1.0);
        Assert.Equal(
            (ActivityStatusCode.Ok, handle.Id),
            (procedure.Status, procedure.GetTagItem("temporalWorkflowID"))
        );
    }

    [Fact]
    public async Task Another_worker_goes_on_with_the_same_trace()
    {
        await using var world = Start();
        var gate = world.InMemory.Hold("PromoteStandby p2");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await world.ReplaceWorkerAsync();
        gate.Open();
        var report = await handle.GetResultAsync<Report>();

        AssertTree(report, SpansOf(report));
        Assert.Equal(report.Steps.Count, SpansOf(report).Count(IsStep));
        Assert.Equal(
            [ActivityStatusCode.Error, ActivityStatusCode.Ok],
            SpansOf(report)
                .Where(span => span.OperationName == "PromoteStandby")
                .Select(span => span.Status)
                .Order()
                .Reverse()
        );
    }

    [Fact]
    public async Task What_failed_says_why()
    {
        await using var world = Start();
        world.InMemory.FailTimes("WriteSettings p2", 1, "no space left");
        var report = await world.SucceedAsync("Switchover");

        var failed = SpansOf(report)
            .Single(span => span is { OperationName: "WriteSettings", Status: ActivityStatusCode.Error });
        Assert.Equal(("no space left", 1), (failed.StatusDescription, failed.GetTagItem("pgflow.attempt")));
    }

    private static bool IsStep(Activity span) => span.OperationName.StartsWith("step ", StringComparison.Ordinal);

    private static void AssertTree(Report report, List<Activity> spans)
    {
        var root = Assert.Single(spans, span => span.OperationName == report.Procedure);
        Assert.Equal(default, root.ParentSpanId);
        var steps = spans.Where(IsStep).ToDictionary(span => span.SpanId);
        Assert.Equal(report.Steps.Select(step => $"step {step.Id}"), steps.Values.Select(span => span.OperationName));
        Assert.All(steps.Values, step => Assert.Equal(root.SpanId, step.ParentSpanId));
        Assert.All(
            spans.Where(span => span != root && !IsStep(span)),
            span =>
                Assert.Equal(
                    span.GetTagItem("pgflow.step"),
                    span.ParentSpanId == root.SpanId ? null : steps[span.ParentSpanId].GetTagItem("pgflow.step")
                )
        );
        var promoted = spans.Last(span => span.OperationName == "PromoteStandby");
        Assert.Equal("step promote", steps[promoted.ParentSpanId].OperationName);
    }

    private List<Activity> SpansOf(Report report) =>
        [.. _spans.Where(span => span.TraceId == ProcedureTrace.ParentOf(report.RunId, null).TraceId)];

    private TestEnvironment Start()
    {
        _listener.ShouldListenTo = source => source.Name == "PgFlow";
        _listener.Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded;
        _listener.ActivityStopped = _spans.Enqueue;
        ActivitySource.AddActivityListener(_listener);
        return TestEnvironment.Start(server, interceptors: LogLines.ActivitiesOf(NullLoggerFactory.Instance));
    }
}

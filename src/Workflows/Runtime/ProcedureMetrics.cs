using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>What a procedure adds to its worker's metrics: never in a replay, since
/// <see cref="Workflow.MetricMeter"/> knows.</summary>
public static class ProcedureMetrics
{
    private const string Seconds = "s";

    /// <summary>The bounds of the histograms, by name.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyCollection<double>> Buckets { get; } =
        new Dictionary<string, IReadOnlyCollection<double>>
        {
            ["pgflow_procedure_duration_seconds"] = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400],
            ["pgflow_procedure_outage_seconds"] = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 3600],
        };

    internal static void Ended(Report report)
    {
        var meter = Workflow.MetricMeter;
        KeyValuePair<string, object>[] tags =
        [
            new("cluster", report.Cluster.ToString()),
            new("procedure", report.Procedure),
            new("outcome", PgFlowText.Word(report.Outcome)),
        ];
        meter.CreateCounter<long>("pgflow_procedures_total", null, "Procedures that have ended.").Add(1, tags);
        meter
            .CreateHistogram<double>(
                "pgflow_procedure_duration_seconds",
                Seconds,
                "How long procedures worked, without the time in which they waited for a person."
            )
            .Record(report.Took.TotalSeconds, tags);
        if (report.OutageMilliseconds is { } outage)
        {
            meter
                .CreateHistogram<double>(
                    "pgflow_procedure_outage_seconds",
                    Seconds,
                    "From the step that keeps clients from writing to the proof that they can write again."
                )
                .Record(outage / 1000.0, tags);
        }
    }

    /// <summary>How long clients could not write because of a procedure.</summary>
    /// <param name="steps">What it did.</param>
    /// <param name="step">The step that keeps them from writing; its undo lets them again.</param>
    /// <returns>Null where it never came to that step, or nothing has proven the end.</returns>
    public static TimeSpan? OutageOf(IReadOnlyList<StepReport> steps, string? step)
    {
        ArgumentNullException.ThrowIfNull(steps);
        var from = steps.FirstOrDefault(done => done.Id == step)?.StartedAt;
        var proof = steps.FirstOrDefault(done =>
            (done.Id == Procedure.ProofStep || done.Id == $"undo/{step}") && done.State is StepState.Done
        );
        return proof?.StartedAt + TimeSpan.FromMilliseconds(proof?.Milliseconds ?? 0) - from;
    }
}

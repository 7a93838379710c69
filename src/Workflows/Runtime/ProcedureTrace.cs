using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>A run of a procedure as a trace: the procedure, its steps, their activities, and what these call.</summary>
/// <remarks>
/// A span of a procedure may begin in one worker and end in another, so nobody holds it open: its ID follows from the
/// run, and it is written as a whole when the procedure ends. The trace's ID is the run's, without hyphens.
/// </remarks>
public static class ProcedureTrace
{
    /// <summary>Costs nothing as long as nobody listens.</summary>
    public static ActivitySource Source { get; } = new("PgFlow");

    /// <summary>What an activity's span belongs to.</summary>
    /// <param name="runId">The run of the procedure.</param>
    /// <param name="step">The number of the step; null for what is done outside of steps.</param>
    public static ActivityContext ParentOf(string runId, int? step) =>
        new(TraceOf(runId), SpanOf(runId, step), ActivityTraceFlags.Recorded, isRemote: true);

    internal static void Ended(Report report)
    {
        if (!Source.HasListeners() || Workflow.Unsafe.IsReplaying)
        {
            return;
        }

        try
        {
            Write(report);
        }
        catch (Exception e)
        {
            ProcedureLog.NoTrace(e); // it keeps no procedure from its end
        }
    }

    /// <summary>Writes the spans of a procedure and of its steps.</summary>
    internal static void Write(Report report)
    {
        using (var procedure = Begin(report, step: null, report.Procedure, report.StartedAt))
        {
            procedure?.SetTag("pgflow.cluster", report.Cluster.ToString());
            procedure?.SetTag("pgflow.outcome", PgFlowText.Word(report.Outcome));
            procedure?.SetTag("temporalWorkflowID", report.WorkflowId);
            procedure?.SetTag("temporalRunID", report.RunId);
            procedure?.SetStatus(
                report.Outcome is ProcedureStatus.Succeeded or ProcedureStatus.Planned
                    ? ActivityStatusCode.Ok
                    : ActivityStatusCode.Error,
                report.Summary
            );
            procedure?.SetEndTime(report.EndedAt.UtcDateTime);
        }

        foreach (var step in report.Steps)
        {
            var began = step.StartedAt ?? report.StartedAt;
            using var span = Begin(report, step.Number, $"step {step.Id}", began);
            span?.SetTag("pgflow.step", step.Number);
            span?.SetTag("pgflow.step.title", step.Title);
            span?.SetTag("pgflow.step.after_point_of_no_return", step.AfterPointOfNoReturn);
            span?.SetStatus(
                step.State is StepState.Done ? ActivityStatusCode.Ok : ActivityStatusCode.Error,
                step.Error ?? PgFlowText.Word(step.State)
            );
            span?.SetEndTime((began + TimeSpan.FromMilliseconds(step.Milliseconds ?? 0)).UtcDateTime);
        }
    }

    private static Activity? Begin(Report report, int? step, string name, DateTimeOffset at)
    {
        var parent = step is null ? default : ParentOf(report.RunId, step: null);
        var span = Source.StartActivity(ActivityKind.Internal, parent, startTime: at, name: name);
        if (span is not null)
        {
            SpanIdOf(span) = SpanOf(report.RunId, step).ToHexString();
            TraceIdOf(span) = TraceOf(report.RunId).ToHexString();
        }

        return span;
    }

    private static ActivityTraceId TraceOf(string runId) =>
        ActivityTraceId.CreateFromString(
            Guid.TryParse(runId, out var run) ? run.ToString("N") : Convert.ToHexStringLower(HashOf(runId)[..16])
        );

    private static ActivitySpanId SpanOf(string runId, int? step) =>
        ActivitySpanId.CreateFromString(Convert.ToHexStringLower(HashOf($"{runId}/{step}")[..8]));

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    // .NET has no other way to say which ID a span has.
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_spanId")]
    private static extern ref string? SpanIdOf(Activity span);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_traceId")]
    private static extern ref string? TraceIdOf(Activity span);
}

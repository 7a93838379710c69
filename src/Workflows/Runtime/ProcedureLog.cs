using Microsoft.Extensions.Logging;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>What a procedure says in its worker's log: never in a replay, since <see cref="Workflow.Logger"/>
/// knows.</summary>
internal static partial class ProcedureLog
{
    /// <summary>It waits for a person, or works back.</summary>
    public static void State(ClusterName? cluster, ProcedureStatus outcome)
    {
        var (info, state) = (Workflow.Info, PgFlowText.Word(outcome));
        LogState(Workflow.Logger, info.WorkflowType, cluster, state, info.WorkflowId);
    }

    public static void Blocked(ClusterName? cluster, StepReport step)
    {
        var info = Workflow.Info;
        LogBlocked(Workflow.Logger, info.WorkflowType, cluster, step.Number, step.Title, step.Error, info.WorkflowId);
    }

    public static void Ended(Report report)
    {
        var level = report.Outcome is ProcedureStatus.Succeeded or ProcedureStatus.Planned
            ? LogLevel.Information
            : LogLevel.Warning;
        var (outcome, took) = (PgFlowText.Word(report.Outcome), (long)report.Took.TotalMilliseconds);
        var summary = PgFlowText.SummaryOf(report);
        LogEnded(
            Workflow.Logger,
            level,
            report.Procedure,
            report.Cluster,
            outcome,
            took,
            summary,
            report.By,
            report.WorkflowId
        );
    }

    public static void NoTrace(Exception why) => LogNoTrace(Workflow.Logger, why);

    public static void NotRecorded(Exception why) => LogNotRecorded(Workflow.Logger, why);

    public static void NotNotified(Exception why) => LogNotNotified(Workflow.Logger, why);

    [LoggerMessage(205, LogLevel.Warning, "a decision of the witness could not be written into the ledger")]
    private static partial void LogNotRecorded(ILogger logger, Exception why);

    [LoggerMessage(204, LogLevel.Warning, "where this procedure is could not be told to those who want to know")]
    private static partial void LogNotNotified(ILogger logger, Exception why);

    [LoggerMessage(203, LogLevel.Warning, "this procedure could not be traced")]
    private static partial void LogNoTrace(ILogger logger, Exception why);

    [LoggerMessage(200, LogLevel.Information, "{Procedure} {Cluster}: {Outcome} ({WorkflowId})")]
    private static partial void LogState(
        ILogger logger,
        string procedure,
        ClusterName? cluster,
        string outcome,
        string workflowId
    );

    [LoggerMessage(
        201,
        LogLevel.Warning,
        "{Procedure} {Cluster}: blocked until a person decides: step {Step}: {Title}: {Why} ({WorkflowId})"
    )]
    private static partial void LogBlocked(
        ILogger logger,
        string procedure,
        ClusterName? cluster,
        int step,
        string title,
        string? why,
        string workflowId
    );

    [LoggerMessage(
        EventId = 202,
        Message = "{Procedure} {Cluster}: {Outcome} in {Milliseconds} ms: {Summary} (asked for by {By}, {WorkflowId})"
    )]
    private static partial void LogEnded(
        ILogger logger,
        LogLevel level,
        string procedure,
        ClusterName cluster,
        string outcome,
        long milliseconds,
        string summary,
        string by,
        string workflowId
    );
}

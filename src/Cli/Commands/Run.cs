using System.Text.Json.Serialization;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PgFlow.Cli.Commands;

/// <summary>One run of a procedure, as a list shows it.</summary>
/// <param name="WorkflowId">Its workflow.</param>
/// <param name="Procedure">The procedure.</param>
/// <param name="Cluster">The cluster.</param>
/// <param name="Outcome">Where it is, or how it ended.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="EndedAt">When it ended.</param>
/// <param name="Primary">The primary after it, where it moved the role.</param>
/// <param name="Timeline">The timeline after it, where it opened one.</param>
/// <param name="Reason">Why, in the words of who asked; the beginning of it.</param>
internal sealed record Run(
    string WorkflowId,
    string Procedure,
    string? Cluster,
    string Outcome,
    string? By,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    string? Primary,
    long? Timeline,
    string? Reason
)
{
    /// <summary>It changed nothing, and was not to.</summary>
    [JsonIgnore]
    public bool IsIdle => Outcome is "planned" or "refused" or "clusterBusy";

    public static Run Of(WorkflowExecution execution)
    {
        var found = execution.TypedSearchAttributes;
        return new(
            execution.Id,
            execution.WorkflowType,
            Get(Attributes.Cluster),
            OutcomeOf(execution.Status, Get(Attributes.Outcome)),
            Get(Attributes.RequestedBy),
            execution.StartTime,
            execution.CloseTime,
            Get(Attributes.Primary),
            found.ContainsKey(Attributes.Timeline) ? found.Get(Attributes.Timeline) : null,
            Get(Attributes.Reason) is { Length: > 0 } reason ? reason : null
        );

        string? Get(Temporalio.Common.SearchAttributeKey<string> key) => found.ContainsKey(key) ? found.Get(key) : null;
    }

    /// <summary>What a procedure wrote of itself, except where Temporal ended it.</summary>
    private static string OutcomeOf(WorkflowExecutionStatus status, string? written) =>
        status switch
        {
            WorkflowExecutionStatus.Terminated => "terminated",
            WorkflowExecutionStatus.TimedOut => "timedOut",
            _ => written ?? PgFlowText.Word(status),
        };
}

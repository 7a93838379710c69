using Temporalio.Activities;

namespace PgFlow.Activities;

/// <summary>One attempt at an activity, as logs and traces name it.</summary>
/// <param name="Activity">The activity's type.</param>
/// <param name="Subject">What it is about; null where that is no cluster.</param>
/// <param name="Step">The step that it belongs to; null for what is done outside of steps.</param>
/// <param name="Number">The how manieth attempt it is.</param>
/// <param name="Procedure">The procedure's workflow type.</param>
/// <param name="WorkflowId">Its workflow.</param>
/// <param name="RunId">The run of that workflow.</param>
internal sealed record Attempt(
    string Activity,
    Subject? Subject,
    StepMark? Step,
    int Number,
    string Procedure,
    string WorkflowId,
    string RunId
)
{
    /// <summary>What is known of it, by the names that logs have for it.</summary>
    public IReadOnlyDictionary<string, object> Fields { get; } =
        new (string Name, object? Value)[]
        {
            ("Activity", Activity),
            ("Cluster", Subject?.Cluster.ToString()),
            ("Node", Subject?.Node?.ToString()),
            ("Procedure", Procedure),
            ("Step", Step?.Number),
            ("Title", Step?.Title),
            ("Attempt", Number),
            ("WorkflowId", WorkflowId),
            ("RunId", RunId),
        }
            .Where(field => field.Value is not null)
            .ToDictionary(field => field.Name, field => field.Value!);

    public static Attempt Of(ActivityInfo info, object?[] arguments, StepMark? step) =>
        new(
            info.ActivityType,
            Workflows.Activities.Subject.Of(arguments),
            step,
            info.Attempt,
            info.WorkflowType ?? "",
            info.WorkflowId ?? "",
            info.WorkflowRunId ?? ""
        );

    /// <inheritdoc/>
    public override string ToString() =>
        (Subject is null ? Activity : $"{Activity} {Subject}") + (Number > 1 ? $", attempt {Number}" : "");
}

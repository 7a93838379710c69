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
            Activities.Subject.Of(arguments),
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

/// <summary>What an activity is about.</summary>
/// <param name="Cluster">A cluster.</param>
/// <param name="Node">The node there; null for all of it.</param>
internal sealed record Subject(ClusterName Cluster, NodeName? Node = null)
{
    /// <summary>What an activity with these arguments is about; null where they do not say.</summary>
    public static Subject? Of(object?[] arguments) =>
        arguments switch
        {
            [ClusterName, ClusterName to] => new(to),
            [ClusterName cluster, ..] => new(cluster),
            [NodeId node, ..] => Of(node),
            [IReadOnlyList<NodeId> and [var node, ..], ..] => new(node.Cluster),
            [ClusterSpec spec] => new(spec.Cluster),
            [WantedNetworks wanted] => new(wanted.Cluster),
            [NodeSettings settings] => Of(settings.Node),
            [BackupOrder order] => Of(order.Source),
            [TimelineOpened { Node: { } node }] => Of(node),
            [Report report] => new(report.Cluster),
            _ => null,
        };

    /// <inheritdoc/>
    public override string ToString() => Node is { } node ? $"{Cluster}/{node}" : Cluster.ToString();

    private static Subject Of(NodeId node) => new(node.Cluster, node.Name);
}

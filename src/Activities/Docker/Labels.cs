using Temporalio.Activities;

namespace PgFlow.Activities.Docker;

/// <summary>The labels on everything that belongs to a cluster. They are the inventory: no other database says what
/// exists.</summary>
internal static class Labels
{
    public const string Cluster = "pgflow.cluster";
    public const string Node = "pgflow.node";
    public const string Host = "pgflow.host";
    public const string RoleAtCreation = "pgflow.role-at-creation";

    /// <summary>The workflow that made it, by its ID, which another one may have later.</summary>
    public const string CreatedBy = "pgflow.created-by";

    /// <summary>The first run of that workflow. A retry, and a run after a reset, know their own by it; an undo removes
    /// nothing else.</summary>
    public const string CreatedIn = "pgflow.created-in";

    /// <summary>What the cluster was made as, in JSON; on volumes too, so that the cluster is known for as long as it
    /// has one.</summary>
    public const string Spec = "pgflow.spec";

    /// <summary>On job containers: what the job is, so that a retry finds it.</summary>
    public const string Job = "pgflow.job";

    /// <summary>On job containers: the run of that workflow.</summary>
    public const string Run = "pgflow.run";

    /// <summary>The labels of everything that this workflow makes for a cluster.</summary>
    public static async Task<Dictionary<string, string>> OfAsync(
        ClusterName cluster,
        params IEnumerable<(string Label, string Value)> others
    ) =>
        new(others.Select(label => KeyValuePair.Create(label.Label, label.Value)))
        {
            [Cluster] = cluster.ToString(),
            [CreatedBy] = ActivityExecutionContext.Current.Info.WorkflowId ?? "",
            [CreatedIn] = await FirstRun.ShortAsync(),
        };

    /// <summary>Whether this workflow made what carries these labels.</summary>
    public static async Task<bool> AreOfThisWorkflowAsync(IDictionary<string, string>? labels) =>
        labels is not null && labels.TryGetValue(CreatedIn, out var run) && run == await FirstRun.ShortAsync();

    /// <summary>Whether what carries these labels belongs to a cluster.</summary>
    public static bool AreOf(ClusterName cluster, IDictionary<string, string>? labels) =>
        labels is not null && labels.TryGetValue(Cluster, out var owner) && owner == cluster.ToString();

    /// <summary>A filter for one value of a label.</summary>
    public static Dictionary<string, IDictionary<string, bool>> Filter(
        params IEnumerable<(string Label, object? Value)> labels
    ) =>
        new()
        {
            ["label"] = labels.ToDictionary(
                label => label.Value is null ? label.Label : $"{label.Label}={label.Value}",
                _ => true
            ),
        };
}

namespace PgFlow.Activities;

/// <summary>The labels on everything that belongs to a cluster. They are the inventory: no other database says what exists.</summary>
internal static class Labels
{
    public const string Cluster = "pgflow.cluster";
    public const string Node = "pgflow.node";
    public const string RoleAtCreation = "pgflow.role-at-creation";

    /// <summary>What the cluster was made as, in JSON.</summary>
    public const string Spec = "pgflow.spec";

    /// <summary>On job containers: what the job is, so that a retry finds it.</summary>
    public const string Job = "pgflow.job";

    /// <summary>On job containers: the workflow run that they belong to.</summary>
    public const string Run = "pgflow.run";

    /// <summary>A filter for one value of a label.</summary>
    public static Dictionary<string, IDictionary<string, bool>> Filter(params IEnumerable<(string Label, object? Value)> labels) => new()
    {
        ["label"] = labels.ToDictionary(label => label.Value is null ? label.Label : $"{label.Label}={label.Value}", _ => true),
    };
}

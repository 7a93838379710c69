namespace PgFlow.Workflows.Values;

/// <summary>A node of a cluster; written as the node's name alone.</summary>
/// <param name="Cluster">Its cluster.</param>
/// <param name="Name">Its name there.</param>
public readonly record struct NodeId(ClusterName Cluster, NodeName Name)
{
    /// <summary>The name of its container and of its volume.</summary>
    public string Container => $"pgflow-{Cluster}-{Name}";

    /// <inheritdoc/>
    public override string ToString() => Name.ToString();
}

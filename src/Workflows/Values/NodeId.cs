using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Values;

/// <summary>A node of a cluster; written as the node's name alone.</summary>
/// <param name="Cluster">Its cluster.</param>
/// <param name="Name">Its name there.</param>
/// <param name="Host">The Docker host that has its container and its volume.</param>
public readonly record struct NodeId(
    ClusterName Cluster,
    NodeName Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] HostName Host = default
)
{
    /// <summary>The first nodes of a cluster, where nobody says on which host they live.</summary>
    public static IEnumerable<NodeId> First(ClusterName cluster, int count) =>
        Enumerable.Range(1, count).Select(number => new NodeId(cluster, NodeName.Of(number)));

    /// <summary>A node is the same wherever its container lives.</summary>
    public bool Equals(NodeId other) => Cluster == other.Cluster && Name == other.Name;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Cluster, Name);

    /// <summary>The name of its container and of its volume.</summary>
    public string Container => $"pgflow-{Cluster}-{Name}";

    /// <inheritdoc/>
    public override string ToString() => Name.ToString();
}

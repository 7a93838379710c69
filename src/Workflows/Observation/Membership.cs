namespace PgFlow.Workflows.Observation;

/// <summary>Which nodes a cluster is meant to have. Each node has them all in its settings, so that one that is gone is
/// missed, and not forgotten.</summary>
internal static class Membership
{
    /// <summary>By the settings of the primary, which runs or which clients reached last: a node that was absent when
    /// they were changed has the earlier ones. Where those are not known, whoever any node names; where none does,
    /// those that are there.</summary>
    /// <param name="there">Every node of which a container or a volume is there.</param>
    public static IReadOnlyList<NodeName> Of(IReadOnlyCollection<NodeState> there)
    {
        if (ClusterIntent.PrimaryOf(there) is { Members: { Count: > 0 } members })
        {
            return members;
        }

        List<NodeName> named = [.. there.SelectMany(node => node.Members).Distinct().Order()];
        return named.Count > 0 ? named : [.. Names(there)];
    }

    /// <summary>Whether a node is one of the cluster's. One that runs is, whatever the settings say: it was promoted by
    /// hand, perhaps, and a removed one is fenced before it is forgotten.</summary>
    public static bool Includes(this IReadOnlyList<NodeName> members, NodeState node) =>
        members.Contains(node.Id.Name) || node.Role is not (NodeRole.Stopped or NodeRole.Missing);

    /// <summary>The names of nodes.</summary>
    public static IEnumerable<NodeName> Names(IEnumerable<NodeState> nodes) =>
        nodes.Select(node => node.Id.Name).Order();

    /// <summary>What is there of nodes that the cluster is not meant to have: their removal ended half-way.</summary>
    public static IReadOnlyList<NodeId> LeftoversOf(ClusterState state) =>
        [
            .. InitClusterInput
                .AllNames.Select(name => new NodeId(state.Cluster, name))
                .Where(node =>
                    state.Find(node.Name) is null
                    && Under(node, state).Any(resource => resource.State is ResourceState.Labelled)
                ),
        ];

    /// <summary>Whether there is a container or a volume under the name of a node, whosever it is.</summary>
    /// <param name="node">The node.</param>
    /// <param name="state">Its cluster.</param>
    /// <param name="kind">Which of them; either where that does not matter.</param>
    public static bool IsThere(NodeId node, ClusterState state, ResourceKind? kind = null) =>
        Under(node, state).Any(resource => kind is null || resource.Kind == kind);

    private static IEnumerable<Resource> Under(NodeId node, ClusterState state) =>
        state.Resources.Where(resource =>
            resource.Name == node.Container && resource is { State: not ResourceState.Missing, Uses: null }
        );
}

using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Procedures;

/// <summary>How a node that confirms commits is let go.</summary>
/// <param name="Node">The node.</param>
/// <param name="Streams">Whether it streams.</param>
/// <param name="Confirmations">How many confirm without it.</param>
internal sealed record Lift(
    NodeId Node,
    [property: JsonIgnore] bool Streams, // it may be away for a moment: no other decision
    int Confirmations
)
{
    /// <summary>Null where the primary does not ask the node, and all that it confirmed is proven to be on
    /// others.</summary>
    public static Lift? Of(NodeId node, NodeState primary, ClusterIntent intent) =>
        primary.Demands.Any(demand => demand.MayBeGivenBy(node.Name))
            ? new(
                node,
                primary.Streaming.Contains(node.Name),
                primary.Demand.Next(intent.Quorum, [.. primary.Streaming], [node.Name]).Confirmations
            )
            : null;

    /// <summary>What only the node has confirmed is on those that are asked from now on, before its data goes. They are
    /// as many as the plan says: one that is away for a moment is waited for.</summary>
    public Task BeginAsync(NodeSettings primary) =>
        Nodes.DemandConfirmationsAsync(primary, [Node.Name], least: Confirmations);

    /// <summary>The node is asked again, as soon as it streams where it did.</summary>
    public async Task EndAsync(NodeSettings primary)
    {
        if (Streams)
        {
            await Nodes.ProveStreamingAsync(Node, primary.Node);
        }

        await Nodes.DemandConfirmationsAsync(primary);
    }

    /// <summary>A plan's warning, where fewer confirm than are meant to.</summary>
    public IEnumerable<Finding> Warnings(NodeId primary, ClusterIntent intent, string until = "") =>
        Confirmations < intent.Quorum
            ? [new(FindingCode.FewerConfirm, primary, $"{ExpectedNode.FewerThan(intent, Confirmations)}{until}")]
            : [];
}

using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>Who confirms commits from now on, where a node that was asked to goes away.</summary>
/// <param name="Others">The other standbys that stream.</param>
/// <param name="Streams">Whether the node itself streamed.</param>
internal sealed record Lift(IReadOnlyList<NodeId> Others, bool Streams)
{
    /// <summary>Null where the node is not asked to.</summary>
    public static Lift? Of(NodeState node, NodeState primary, ClusterState state)
    {
        List<NodeId> streaming =
        [
            .. state.Standbys.Where(standby => !Checks.ReplicationIssues(standby, primary).Any()).Select(one => one.Id),
        ];
        return primary.Demand.Nodes.Contains(node.Id.Name)
            ? new([.. streaming.Where(other => other != node.Id)], streaming.Contains(node.Id))
            : null;
    }

    /// <summary>What only the node has confirmed is on those that are asked from now on, before its data
    /// goes.</summary>
    public async Task BeginAsync(NodeId primary, ClusterIntent intent)
    {
        await ProveAsync(); // while it still confirms: one that is behind keeps no client waiting
        await Nodes.ConfigureAsync(intent.Primary(primary, Others));
        await ProveAsync(); // what it confirmed meanwhile

        Task ProveAsync() =>
            Workflow.WhenAllAsync(Others.Select(other => Nodes.ProveStreamingAsync(other, primary)).ToList());
    }

    /// <summary>The node is asked again, as soon as it streams where it did.</summary>
    public async Task EndAsync(NodeId node, NodeSettings primary)
    {
        if (Streams)
        {
            await Nodes.ProveStreamingAsync(node, primary.Node);
        }

        await Nodes.ConfigureAsync(primary);
    }

    /// <summary>A plan's warning, where fewer confirm than are meant to.</summary>
    public IEnumerable<Finding> Warnings(NodeId primary, ClusterIntent intent, string until = "") =>
        Others.Count < intent.Quorum
            ? [new(FindingCode.FewerConfirm, primary, $"{ExpectedNode.FewerThan(intent, Others.Count)}{until}")]
            : [];
}

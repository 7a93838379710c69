namespace PgFlow.Workflows.Procedures;

/// <summary>What stands in every procedure that changes who follows whom.</summary>
internal static class Replication
{
    /// <summary>Lets a node, running as a standby or stopped and ready to be one, follow <paramref name="primary"/>,
    /// and proves it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="primary">Who has a slot for it already.</param>
    /// <param name="timeline">The branch that the primary writes: PostgreSQL reads its number at a start only, so a
    /// running standby of another one leaves its clients and is restarted.</param>
    /// <param name="intent">What the cluster is meant to be.</param>
    public static async Task AttachAsync(NodeId node, NodeId primary, Timeline timeline, ClusterIntent intent)
    {
        await Endpoints.LeaveAsync(node);
        await Nodes.ConfigureAsync(intent.Standby(node, primary, timeline));
        await Nodes.StartAsync(node);
        await Nodes.SetSlotsAsync(node, []);
        await Nodes.ProveStreamingAsync(node, primary);
        await Endpoints.OfferReadOnlyAsync(node);
    }

    /// <summary>Gives a stopped node a fresh copy of <paramref name="primary"/>. A step of its own: every step may be
    /// repeated, and the node runs as soon as it follows.</summary>
    public static async Task CloneAsync(NodeId node, NodeId primary)
    {
        await DataDirectories.CopyAsync(node, primary);
        await DataDirectories.SwapAsync(node);
    }
}

/// <summary>What a cluster is meant to be, whoever is the primary.</summary>
/// <param name="Synchronous">A commit waits for one standby.</param>
/// <param name="ReadOnly">No transaction may write.</param>
internal sealed record ClusterIntent(bool Synchronous, bool ReadOnly)
{
    /// <summary>As the primary has it in its settings; where none answers, as any node that was asked has it: what
    /// was absent when it was changed has the earlier one.</summary>
    public static ClusterIntent Of(ClusterState state) => Of(state.Nodes);

    /// <inheritdoc cref="Of(ClusterState)"/>
    public static ClusterIntent Of(IReadOnlyCollection<NodeState> nodes) =>
        nodes.Any(node => node is { Role: NodeRole.Primary, Unread: [] })
            ? OfAny(nodes.Where(node => node.Role is NodeRole.Primary))
            : OfAny(nodes);

    private static ClusterIntent OfAny(IEnumerable<NodeState> nodes) =>
        nodes.Aggregate(
            new ClusterIntent(Synchronous: false, ReadOnly: false),
            (intent, node) => new(intent.Synchronous || node.Synchronous, intent.ReadOnly || node.ReadOnly)
        );

    /// <summary>Settings of the primary, of whom <paramref name="standbys"/> can confirm commits now.</summary>
    public NodeSettings Primary(NodeId node, IEnumerable<NodeId> standbys) =>
        new(
            node,
            Upstream: null,
            Synchronous,
            Synchronous ? [.. standbys.Select(standby => standby.Name).Distinct().Order()] : [],
            ReadOnly
        );

    /// <summary>Settings of a node that replays up to a target, follows nobody and confirms to nobody.</summary>
    public NodeSettings Recovering(NodeId node, ResolvedTarget target) =>
        new(
            node,
            Upstream: null,
            Synchronous,
            [],
            ReadOnly,
            new(target.Timeline, target.EndOfBranch ? null : target.End)
        );

    /// <summary>Settings of a standby.</summary>
    public NodeSettings Standby(NodeId node, NodeId primary, Timeline timeline) =>
        new(node, primary.Name, Synchronous, [], ReadOnly, Timeline: timeline);
}

using System.Text.Json.Serialization;

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
/// <param name="Quorum">How many standbys confirm each commit; 0 where replication is asynchronous.</param>
/// <param name="ReadOnly">No transaction may write.</param>
internal sealed record ClusterIntent(int Quorum, bool ReadOnly)
{
    /// <summary>Its nodes.</summary>
    [JsonIgnore] // a plan's decision names the nodes that it is about
    public IReadOnlyList<NodeName> Members { get; init; } = [];

    /// <summary>As the nodes have it in their settings.</summary>
    public static ClusterIntent Of(ClusterState state) => Of(state.Nodes);

    /// <summary>As the primary has it in its settings: what was absent when it was changed has the earlier one. Where
    /// that is not known, as any node that was asked has it, and of numbers the greatest, by which nothing is
    /// lost.</summary>
    /// <param name="nodes">All nodes that the cluster is meant to have.</param>
    /// <param name="primary">The primary, where that is decided; else the one that runs, or that clients reached
    /// last.</param>
    public static ClusterIntent Of(IReadOnlyCollection<NodeState> nodes, NodeState? primary = null)
    {
        var running = nodes.Where(node => node.Role is NodeRole.Primary).ToList();
        primary ??= PrimaryOf(nodes);
        var asked = running.Exists(node => node.Unread.Count == 0) ? running : nodes;
        return new(primary?.Quorum ?? nodes.Max(node => node.Quorum) ?? 0, asked.Any(node => node.ReadOnly))
        {
            Members = [.. Membership.Names(nodes)],
        };
    }

    /// <summary>The primary that runs, or that clients reached last; null where that is not known.</summary>
    internal static NodeState? PrimaryOf(IReadOnlyCollection<NodeState> nodes) =>
        nodes.Where(node => node.Role is NodeRole.Primary).ToList() is [var only]
            ? only
            : nodes.FirstOrDefault(node => node is { Endpoint: EndpointRole.ReadWrite, Role: not NodeRole.Standby });

    /// <summary>What a cluster of as many nodes can be of it.</summary>
    public ClusterIntent Within(int nodes) => this with { Quorum = Math.Min(Quorum, nodes - 1) };

    /// <summary>Settings of the primary.</summary>
    /// <param name="node">The primary.</param>
    /// <param name="demand">Of whom its commits demand confirmation; where none is given, of nobody until
    /// <see cref="INodeActivities.DemandConfirmationsAsync"/> has found out who can.</param>
    public NodeSettings Primary(NodeId node, Demand? demand = null) =>
        new(node, Upstream: null, Quorum, demand?.ToString() ?? "", ReadOnly) { Members = Members };

    /// <summary>Settings of a node that becomes the primary: as soon as it is, a commit waits for whoever follows it
    /// first.</summary>
    public NodeSettings NewPrimary(NodeId node, IEnumerable<NodeId> followers) =>
        Primary(node, Demand.Of(Math.Min(Quorum, 1), followers.Select(follower => follower.Name)));

    /// <summary>Settings of a node that replays up to a target, follows nobody and confirms to nobody.</summary>
    public NodeSettings Recovering(NodeId node, ResolvedTarget target) =>
        Primary(node) with
        {
            Recovery = new(target.Timeline, target.EndOfBranch ? null : target.End),
        };

    /// <summary>Settings of a standby.</summary>
    public NodeSettings Standby(NodeId node, NodeId primary, Timeline timeline) =>
        Primary(node) with
        {
            Upstream = primary.Name,
            Timeline = timeline,
        };
}

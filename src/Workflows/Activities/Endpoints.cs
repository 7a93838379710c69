using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>How clients reach a cluster: the virtual IP under <c>CLUSTER-rw</c>, and the standbys under
/// <c>CLUSTER-ro</c>.</summary>
public interface IEndpointActivities
{
    /// <summary>Post-condition: the node, and no other, holds the virtual IP, and admits clients.</summary>
    /// <param name="node">The node.</param>
    /// <param name="from">The one that holds it and has shut down: what is left of it is killed.</param>
    [Activity]
    Task MoveEndpointAsync(NodeId node, NodeId? from = null);

    /// <summary>Post-condition: the node holds nothing on the external network.</summary>
    [Activity]
    Task LeaveEndpointAsync(NodeId node);

    /// <summary>Post-condition: clients find the node under the standbys' alias.</summary>
    [Activity]
    Task OfferReadOnlyAsync(NodeId node);

    /// <summary>Commits through the virtual IP from a third container, as a client does, and finds the commit on
    /// <paramref name="primary"/>.</summary>
    [Activity]
    Task ProveEndpointAsync(NodeId primary);
}

internal static class Endpoints
{
    public static Task MoveAsync(NodeId node, NodeId? from = null) =>
        ActivityCall.ChangeAsync(
            (IEndpointActivities activities) => activities.MoveEndpointAsync(node, from),
            $"Virtual IP to {node}"
        );

    public static Task LeaveAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IEndpointActivities activities) => activities.LeaveEndpointAsync(node),
            $"{node}: off the external network"
        );

    public static Task OfferReadOnlyAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IEndpointActivities activities) => activities.OfferReadOnlyAsync(node),
            $"{node}: offered to readers as {node.Cluster}-ro"
        );

    public static Task ProveAsync(NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IEndpointActivities activities) => activities.ProveEndpointAsync(primary),
            $"A commit through the virtual IP arrives on {primary}"
        );
}

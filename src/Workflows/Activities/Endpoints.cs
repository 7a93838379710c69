using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>How clients reach a cluster: the virtual IP under <c>CLUSTER-rw</c>, and the standbys under
/// <c>CLUSTER-ro</c>.</summary>
public interface IEndpointActivities
{
    /// <summary>Post-condition: the node does not hold the virtual IP.</summary>
    /// <param name="node">The node.</param>
    /// <param name="hasShutDown">What is left of it is killed, if it does.</param>
    [Activity]
    Task ReleaseVirtualIpAsync(NodeId node, bool hasShutDown);

    /// <summary>Post-condition: the node holds the virtual IP, and admits clients. Docker refuses while another holds
    /// it.</summary>
    [Activity]
    Task TakeVirtualIpAsync(NodeId node);

    /// <summary>Post-condition: the node holds nothing on the external network.</summary>
    [Activity]
    Task LeaveEndpointAsync(NodeId node);

    /// <summary>Post-condition: clients find the node under the standbys' alias.</summary>
    [Activity]
    Task OfferReadOnlyAsync(NodeId node);

    /// <summary>Post-condition: the clients' sessions that began before the node last read its settings have
    /// ended.</summary>
    [Activity]
    Task EndSessionsAsync(NodeId primary);

    /// <summary>Begins a transaction through the virtual IP, as a client does, and finds whether it may
    /// write.</summary>
    /// <returns>Roles and databases with a setting of their own that says otherwise.</returns>
    [Activity]
    Task<IReadOnlyList<string>> ProveReadOnlyAsync(NodeId primary, bool isOn);

    /// <summary>Commits through the virtual IP from a third container, as a client does, and finds the commit on
    /// <paramref name="primary"/>.</summary>
    [Activity]
    Task ProveEndpointAsync(NodeId primary);
}

internal static class Endpoints
{
    /// <summary>Gives the virtual IP to a node; the one that holds it gives it up first.</summary>
    /// <param name="node">The node.</param>
    /// <param name="from">Who holds it; null where nobody does.</param>
    /// <param name="hasShutDown">Whether that one has.</param>
    public static async Task MoveAsync(NodeId node, NodeId? from, bool hasShutDown = false)
    {
        if (from is { } holder && holder != node)
        {
            await ReleaseAsync(holder, hasShutDown);
        }

        await TakeAsync(node);
    }

    public static Task TakeAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IEndpointActivities activities) => activities.TakeVirtualIpAsync(node),
            $"Virtual IP to {node}"
        );

    private static Task ReleaseAsync(NodeId node, bool hasShutDown) =>
        ActivityCall.ChangeAsync(
            (IEndpointActivities activities) => activities.ReleaseVirtualIpAsync(node, hasShutDown),
            $"Virtual IP not on {node}"
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

    public static Task EndSessionsAsync(NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IEndpointActivities activities) => activities.EndSessionsAsync(primary),
            $"{primary}: end the clients' sessions"
        );

    public static Task<IReadOnlyList<string>> ProveReadOnlyAsync(NodeId primary, bool isOn) =>
        ActivityCall.ChangeAsync(
            (IEndpointActivities activities) => activities.ProveReadOnlyAsync(primary, isOn),
            $"A transaction through the virtual IP is {(isOn ? "read-only" : "read-write")}"
        );

    public static Task ProveAsync(NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IEndpointActivities activities) => activities.ProveEndpointAsync(primary),
            $"A commit through the virtual IP arrives on {primary}"
        );
}

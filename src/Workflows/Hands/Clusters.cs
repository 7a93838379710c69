using Temporalio.Activities;

namespace PgFlow.Workflows;

/// <summary>Looks at clusters, makes and removes their parts.</summary>
public interface IClusterSteps
{
    /// <summary>The cluster as it is, and everything that there is under its names; each node for itself: one that
    /// can't be asked is unreachable, not an error.</summary>
    [Activity]
    Task<ClusterState> ObserveClusterAsync(ClusterName cluster);

    /// <summary>What is in an image. Refuses one without PostgreSQL 13 to 18.</summary>
    [Activity]
    Task<PostgresInstallation> InspectImageAsync(ClusterName cluster, string image);

    /// <summary>Post-condition: both networks are there, as asked for or with a free private subnet. Refuses one that
    /// this workflow did not make.</summary>
    [Activity]
    Task<CreatedNetworks> CreateNetworksAsync(WantedNetworks wanted);

    /// <summary>Post-condition: the volumes, the secrets, and the containers of all nodes are there; no container runs.
    /// Refuses one that this workflow did not make.</summary>
    [Activity]
    Task CreateNodesAsync(ClusterSpec spec);

    /// <summary>Post-condition: <paramref name="cluster"/> has the passwords of <paramref name="source"/>.</summary>
    [Activity]
    Task ShareSecretsAsync(ClusterName source, ClusterName cluster);

    /// <summary>Post-condition: the node holds a new database with checksums, PgFlow's own roles, the role <c>app</c>
    /// and the database <c>app</c>.</summary>
    [Activity]
    Task InitializeDatabaseAsync(NodeId node);

    /// <summary>Post-condition: PgFlow's own roles are on the primary as its secrets say, whatever users did to them or
    /// an old copy of the data has of them.</summary>
    [Activity]
    Task SetRolesAsync(NodeId primary);

    /// <summary>Post-condition: whatever was missing of the cluster's networks, volumes and containers is there again;
    /// a new container does not run, and what was there is as it was.</summary>
    [Activity]
    Task RecreateMissingAsync(ClusterSpec spec);

    /// <summary>Post-condition: nothing is left that this workflow made for the cluster; everything else is as it
    /// was.</summary>
    [Activity]
    Task TakeBackCreatedAsync(ClusterName cluster);

    /// <summary>Post-condition: nothing that carries the cluster's label is left, nor its secrets; what is foreign
    /// stays.</summary>
    [Activity]
    Task RemoveClusterAsync(ClusterName cluster);

    /// <summary>Post-condition: none of this procedure's job containers, and no set-aside data directory, is
    /// left.</summary>
    [Activity]
    Task TidyUpAsync(ClusterName cluster);
}

/// <summary>The networks that InitCluster was asked for.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="Subnet">The internal network's subnet; null for a free one.</param>
/// <param name="ExternalNetwork">An existing network; null for one of its own.</param>
/// <param name="Vip">The virtual IP; null for a free one.</param>
public sealed record WantedNetworks(ClusterName Cluster, string? Subnet, string? ExternalNetwork, string? Vip);

/// <summary>The networks that there are.</summary>
/// <param name="Subnet">The internal network's subnet.</param>
/// <param name="ExternalNetwork">The clients' network.</param>
/// <param name="Vip">The virtual IP.</param>
public sealed record CreatedNetworks(string Subnet, string ExternalNetwork, string Vip)
{
    /// <summary>Docker gives all addresses of that network away: another container may get the virtual IP while no node
    /// holds it.</summary>
    public bool VipAtRisk { get; init; }

    internal IEnumerable<string> Notes =>
        VipAtRisk
            ?
            [
                $"network {ExternalNetwork} has no ip-range: Docker may give {Vip} to another container while no node "
                    + "holds it; make the network with an ip-range that leaves it out",
            ]
            : [];
}

internal static class Clusters
{
    public static Task<ClusterState> ObserveAsync(ClusterName cluster) =>
        Hand.QueryAsync((IClusterSteps hand) => hand.ObserveClusterAsync(cluster), $"Look at {cluster}");

    public static Task<PostgresInstallation> InspectImageAsync(ClusterName cluster, string image) =>
        Hand.ChangeAsync((IClusterSteps hand) => hand.InspectImageAsync(cluster, image), $"What is in {image}?");

    public static Task<CreatedNetworks> CreateNetworksAsync(WantedNetworks wanted) =>
        Hand.ChangeAsync((IClusterSteps hand) => hand.CreateNetworksAsync(wanted), $"Networks of {wanted.Cluster}");

    public static Task CreateNodesAsync(ClusterSpec spec) =>
        Hand.ChangeAsync(
            (IClusterSteps hand) => hand.CreateNodesAsync(spec),
            $"Volumes and containers of {spec.Nodes} nodes"
        );

    public static Task ShareSecretsAsync(ClusterName source, ClusterName cluster) =>
        Hand.ChangeAsync(
            (IClusterSteps hand) => hand.ShareSecretsAsync(source, cluster),
            $"{cluster}: the passwords of {source}"
        );

    public static Task InitializeAsync(NodeId node) =>
        Hand.ChangeAsync(
            (IClusterSteps hand) => hand.InitializeDatabaseAsync(node),
            $"{node}: initdb with checksums, roles, database app",
            Duration.Long
        );

    public static Task RecreateAsync(ClusterSpec spec) =>
        Hand.ChangeAsync(
            (IClusterSteps hand) => hand.RecreateMissingAsync(spec),
            $"What is missing of {spec.Cluster}: networks, volumes, containers"
        );

    public static Task TakeBackAsync(ClusterName cluster) =>
        Hand.ChangeAsync(
            (IClusterSteps hand) => hand.TakeBackCreatedAsync(cluster),
            $"Remove what was made for {cluster}"
        );

    public static Task SetRolesAsync(NodeId primary) =>
        Hand.ChangeAsync((IClusterSteps hand) => hand.SetRolesAsync(primary), $"{primary}: PgFlow's own roles");

    public static Task RemoveAsync(ClusterName cluster) =>
        Hand.ChangeAsync(
            (IClusterSteps hand) => hand.RemoveClusterAsync(cluster),
            $"Remove all that belongs to {cluster}"
        );

    public static Task TidyUpAsync(ClusterName cluster) =>
        Hand.ChangeAsync(
            (IClusterSteps hand) => hand.TidyUpAsync(cluster),
            $"Remove jobs and set-aside data directories of {cluster}"
        );
}

using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>Looks at clusters, makes and removes their parts.</summary>
public interface IClusterActivities
{
    /// <summary>The cluster as it is on one Docker host, and everything that there is under its names; each node for
    /// itself: one that can't be asked is unreachable, not an error.</summary>
    /// <remarks>One call for all: a failover waits for it.</remarks>
    [Activity]
    Task<ClusterState> ObserveClusterAsync(ClusterName cluster);

    /// <summary>What is in an image. Refuses one without PostgreSQL 13 to 18.</summary>
    [Activity]
    Task<PostgresInstallation> InspectImageAsync(ClusterName cluster, string image);

    /// <summary>Post-condition: both networks are there, as asked for or with a free private subnet. Refuses one that
    /// this workflow did not make.</summary>
    [Activity]
    Task<CreatedNetworks> CreateNetworksAsync(WantedNetworks wanted);

    /// <summary>Post-condition: the repository's volume and the secrets are there. Refuses those that this workflow did
    /// not make.</summary>
    [Activity]
    Task CreateRepositoryAsync(ClusterSpec spec);

    /// <summary>Post-condition: the node's volume and container are there; it does not run. Refuses those that this
    /// workflow did not make.</summary>
    [Activity]
    Task CreateNodeAsync(NodeId node, ClusterSpec spec);

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

    /// <summary>Post-condition: whatever was missing of the cluster's networks, and its repository's volume, are there
    /// again; what was there is as it was.</summary>
    [Activity]
    Task RecreateRepositoryAsync(ClusterSpec spec);

    /// <summary>Post-condition: whatever was missing of the node's volume and container is there again; a new container
    /// does not run, and what was there is as it was.</summary>
    [Activity]
    Task RecreateNodeAsync(NodeId node, ClusterSpec spec);

    /// <summary>Post-condition: the stopped node's container is of the spec's image, on the volume that it had; a new
    /// one does not run.</summary>
    [Activity]
    Task ReplaceContainerAsync(NodeId node, ClusterSpec spec);

    /// <summary>Post-condition: nothing is left that this workflow made for the node; everything else is as it
    /// was.</summary>
    [Activity]
    Task TakeBackNodeAsync(NodeId node);

    /// <summary>Post-condition: nothing is left that this workflow made for the cluster; everything else is as it
    /// was.</summary>
    [Activity]
    Task TakeBackClusterAsync(ClusterName cluster);

    /// <summary>Post-condition: the node's container, its volume and what used it are gone; what is foreign
    /// stays.</summary>
    [Activity]
    Task RemoveNodeAsync(NodeId node);

    /// <summary>Post-condition: nothing that carries the cluster's label is left, nor its secrets; what is foreign
    /// stays.</summary>
    [Activity]
    Task RemoveClusterAsync(ClusterName cluster);

    /// <summary>Post-condition: none of this procedure's job containers is left.</summary>
    [Activity]
    Task RemoveJobsAsync(ClusterName cluster);

    /// <summary>Post-condition: no set-aside data directory of the node is left.</summary>
    [Activity]
    Task TidyUpNodeAsync(NodeId node);
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
        ActivityCall.QueryAsync(
            (IClusterActivities activities) => activities.ObserveClusterAsync(cluster),
            $"Inspect {cluster}"
        );

    public static Task<PostgresInstallation> InspectImageAsync(ClusterName cluster, string image) =>
        ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.InspectImageAsync(cluster, image),
            $"What is in {image}?",
            Duration.Long // it may have to be pulled
        );

    public static Task<CreatedNetworks> CreateNetworksAsync(WantedNetworks wanted) =>
        ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.CreateNetworksAsync(wanted),
            $"Networks of {wanted.Cluster}"
        );

    public static async Task CreateNodesAsync(ClusterSpec spec, IEnumerable<NodeId> nodes)
    {
        await ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.CreateRepositoryAsync(spec),
            $"Repository and secrets of {spec.Cluster}"
        );
        await ForEachAsync(nodes, node => CreateNodeAsync(node, spec));
    }

    public static Task CreateNodeAsync(NodeId node, ClusterSpec spec) =>
        ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.CreateNodeAsync(node, spec),
            $"{node}: volume and container"
        );

    public static Task ShareSecretsAsync(ClusterName source, ClusterName cluster) =>
        ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.ShareSecretsAsync(source, cluster),
            $"{cluster}: the passwords of {source}"
        );

    public static Task InitializeAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.InitializeDatabaseAsync(node),
            $"{node}: initdb with checksums, roles, database app",
            Duration.Long
        );

    public static async Task RecreateAsync(ClusterSpec spec, IEnumerable<NodeId> nodes)
    {
        await ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.RecreateRepositoryAsync(spec),
            $"What is missing of {spec.Cluster}: networks, repository"
        );
        await ForEachAsync(nodes, node => RecreateNodeAsync(node, spec));
    }

    public static Task RecreateNodeAsync(NodeId node, ClusterSpec spec) =>
        ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.RecreateNodeAsync(node, spec),
            $"{node}: what is missing of volume and container"
        );

    public static Task ReplaceContainerAsync(NodeId node, ClusterSpec spec) =>
        ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.ReplaceContainerAsync(node, spec),
            $"{node}: container of {spec.Image}"
        );

    public static async Task TakeBackAsync(ClusterName cluster, IEnumerable<NodeId> nodes)
    {
        await ForEachAsync(nodes, TakeBackNodeAsync);
        await ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.TakeBackClusterAsync(cluster),
            $"Remove what was made for {cluster}"
        );
    }

    public static Task TakeBackNodeAsync(NodeId node) =>
        ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.TakeBackNodeAsync(node),
            $"Remove what was made for {node}"
        );

    public static Task SetRolesAsync(NodeId primary) =>
        ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.SetRolesAsync(primary),
            $"{primary}: PgFlow's own roles"
        );

    /// <summary>The rest goes also where a node can't.</summary>
    public static async Task RemoveAsync(ClusterName cluster, IEnumerable<NodeId> nodes)
    {
        try
        {
            await ForEachAsync(nodes, RemoveNodeAsync);
        }
        finally
        {
            await ActivityCall.ChangeAsync(
                (IClusterActivities activities) => activities.RemoveClusterAsync(cluster),
                $"Remove all that belongs to {cluster}"
            );
        }
    }

    public static Task RemoveNodeAsync(NodeId node) =>
        ActivityCall.ChangeAsync((IClusterActivities activities) => activities.RemoveNodeAsync(node), $"Remove {node}");

    /// <summary>Also what earlier procedures have left on other nodes.</summary>
    public static async Task TidyUpAsync(ClusterName cluster, IEnumerable<NodeId> nodes)
    {
        await ActivityCall.ChangeAsync(
            (IClusterActivities activities) => activities.RemoveJobsAsync(cluster), // one may still be copying
            $"Remove this procedure's jobs on {cluster}"
        );
        await ForEachAsync(
            nodes,
            node =>
                ActivityCall.ChangeAsync(
                    (IClusterActivities activities) => activities.TidyUpNodeAsync(node),
                    $"{node}: remove set-aside data directories"
                )
        );
    }

    /// <summary>One after another: they share the repository's volume, and a job may use the volumes of
    /// several.</summary>
    private static async Task ForEachAsync(IEnumerable<NodeId> nodes, Func<NodeId, Task> change)
    {
        foreach (var node in nodes)
        {
            await change(node);
        }
    }
}

using System.Text.Json;
using Docker.DotNet.Models;

namespace PgFlow.Activities.Docker;

/// <summary>What Docker and the secrets directory have of a cluster.</summary>
/// <param name="Cluster">Its name.</param>
/// <param name="Nodes">The nodes' containers, by number.</param>
/// <param name="Containers">All containers of the daemon.</param>
/// <param name="Volumes">All its volumes.</param>
/// <param name="Networks">All its networks.</param>
/// <param name="Secrets">The cluster's secrets files.</param>
internal sealed record ClusterParts(
    ClusterName Cluster,
    IReadOnlyList<NodeContainer> Nodes,
    IReadOnlyList<ContainerListResponse> Containers,
    IReadOnlyList<VolumeResponse> Volumes,
    IReadOnlyList<NetworkResponse> Networks,
    IReadOnlyList<string> Secrets
)
{
    /// <summary>What the cluster was made as; null where neither a node nor a volume is left to say it.</summary>
    public ClusterSpec? Spec { get; } =
        Nodes.Count > 0 ? Nodes[0].Spec : SpecOn(Volumes.Where(volume => Labels.AreOf(Cluster, volume.Labels)));

    /// <summary>The nodes that have a volume.</summary>
    public IEnumerable<NodeId> WithVolume =>
        InitClusterInput.AllNames.Select(name => new NodeId(Cluster, name)).Where(node => HasVolume(node.Container));

    /// <summary>Those of them that have no container.</summary>
    public IEnumerable<NodeId> WithVolumeAlone => WithVolume.Except(Nodes.Select(node => node.Id));

    /// <summary>Whether the cluster has a volume of this name.</summary>
    public bool HasVolume(string name) =>
        Volumes.Any(volume => volume.Name == name && Labels.AreOf(Cluster, volume.Labels));

    /// <summary>All of it, what is foreign, and what is missing where it is meant to have these nodes.</summary>
    public IReadOnlyList<Resource> ResourcesFor(IEnumerable<NodeName> members) =>
        [
            .. ContainersUnderItsNames(),
            .. UsersOfItsVolumes(),
            .. Named(
                ResourceKind.Volume,
                Volumes.Select(volume => (volume.Name, volume.Labels)),
                VolumesOf(InitClusterInput.AllNames)
            ),
            .. Named(
                ResourceKind.Network,
                Networks.Select(network => (network.Name, network.Labels)),
                NetworksWith(Names.ExternalNetwork(Cluster))
            ),
            .. Secrets.Select(file => new Resource(ResourceKind.Secrets, file, ResourceState.Labelled)),
            .. Spec is { } spec ? Missing(spec, members) : [],
        ];

    private IEnumerable<Resource> ContainersUnderItsNames()
    {
        var names = InitClusterInput.AllNames.Select(name => new NodeId(Cluster, name).Container).ToHashSet();
        bool IsNode(ContainerListResponse container) =>
            Labels.AreOf(Cluster, container.Labels) && container.Labels.ContainsKey(Labels.Node);
        return Containers
            .Where(container => names.Contains(NameOf(container)) || IsNode(container))
            .Select(container => new Resource(ResourceKind.Container, NameOf(container), StateOf(container.Labels)));
    }

    /// <summary>Containers that use the cluster's data and are neither its nodes nor its jobs; a node's that was
    /// renamed is one.</summary>
    private IEnumerable<Resource> UsersOfItsVolumes() =>
        from container in Containers
        where !container.Labels.ContainsKey(Labels.Job) && Nodes.All(node => node.Docker.ID != container.ID)
        let used = container
            .Mounts.Select(mount => mount.Name)
            .FirstOrDefault(name => name is not null && HasVolume(name))
        where used is not null
        select new Resource(ResourceKind.Container, NameOf(container), ResourceState.Foreign, used);

    private IEnumerable<Resource> Missing(ClusterSpec spec, IEnumerable<NodeName> members)
    {
        var volumes = VolumesOf(members).Where(name => !HasVolume(name));
        var networks = NetworksWith(spec.ExternalNetwork).Where(name => Networks.All(network => network.Name != name));
        return volumes
            .Select(name => new Resource(ResourceKind.Volume, name, ResourceState.Missing))
            .Concat(networks.Select(name => new Resource(ResourceKind.Network, name, ResourceState.Missing)));
    }

    /// <summary>What has one of these names, or the cluster's label.</summary>
    private IEnumerable<Resource> Named(
        ResourceKind kind,
        IEnumerable<(string Name, IDictionary<string, string> Labels)> there,
        IEnumerable<string> names
    )
    {
        var ours = names.ToHashSet();
        return there
            .Where(item => ours.Contains(item.Name) || Labels.AreOf(Cluster, item.Labels))
            .Select(item => new Resource(kind, item.Name, StateOf(item.Labels)));
    }

    private IEnumerable<string> VolumesOf(IEnumerable<NodeName> nodes) =>
        nodes.Select(name => new NodeId(Cluster, name).Container).Append(Names.Repository(Cluster));

    private string[] NetworksWith(string external) => [Names.InternalNetwork(Cluster), external];

    private ResourceState StateOf(IDictionary<string, string> labels) =>
        Labels.AreOf(Cluster, labels) ? ResourceState.Labelled : ResourceState.Foreign;

    private static ClusterSpec? SpecOn(IEnumerable<VolumeResponse> volumes)
    {
        var text = volumes
            .Select(volume => volume.Labels.TryGetValue(Labels.Spec, out var spec) ? spec : null)
            .FirstOrDefault(spec => spec is not null);
        return text is null ? null : JsonSerializer.Deserialize<ClusterSpec>(text, PgFlowJson.Options);
    }

    private static string NameOf(ContainerListResponse container) =>
        container.Names.Count > 0 ? container.Names[0].TrimStart('/') : container.ID;
}

using Docker.DotNet.Models;

namespace PgFlow.Activities.Docker;

/// <summary>Finds what there is of a cluster: by its labels, and by its names, since what has a name and no label is
/// somebody else's.</summary>
internal sealed class Inventory(DockerEngine docker, Secrets secrets)
{
    /// <summary>The containers of the nodes of <paramref name="cluster"/> by number; none where there is no such
    /// cluster.</summary>
    public async Task<IReadOnlyList<NodeContainer>> NodesAsync(ClusterName cluster)
    {
        var listed = await docker.CallAsync(
            (client, token) =>
                client.Containers.ListContainersAsync(
                    new() { All = true, Filters = Labels.Filter((Labels.Cluster, cluster), (Labels.Node, null)) },
                    token
                )
        );
        var nodes = await Task.WhenAll(listed.Select(container => FindAsync(Labels.NodeOf(cluster, container.Labels))));
        return [.. nodes.OfType<NodeContainer>().OrderBy(node => node.Id.Name)];
    }

    /// <summary>A node's container as it is now.</summary>
    public async Task<NodeContainer> NodeAsync(NodeId node) =>
        await FindAsync(node) ?? throw Failure.Fail($"{node} has no container of PgFlow's", Hint.Repair(node.Cluster));

    /// <summary>Everything that there is of a cluster, and what is missing of it.</summary>
    public async Task<ClusterParts> PartsAsync(ClusterName cluster)
    {
        var listing = docker.CallAsync(
            (client, token) => client.Containers.ListContainersAsync(new() { All = true }, token)
        );
        var volumes = docker.CallAsync((client, token) => client.Volumes.ListAsync(token));
        var networks = docker.CallAsync((client, token) => client.Networks.ListNetworksAsync(new(), token));
        return new(
            cluster,
            [.. await listing],
            [.. (await volumes).Volumes ?? []],
            [.. await networks],
            secrets.FilesOf(cluster)
        );
    }

    /// <summary>What a node's cluster was made as, without a look at its container; null where it has none.</summary>
    public async Task<ClusterSpec?> SpecAsync(NodeId node)
    {
        var listed = await docker.CallAsync(
            (client, token) =>
                client.Containers.ListContainersAsync(
                    new()
                    {
                        All = true,
                        Filters = Labels.Filter((Labels.Cluster, node.Cluster), (Labels.Node, node.Name)),
                    },
                    token
                )
        );
        return listed.Select(container => Labels.SpecOf(container.Labels)).FirstOrDefault();
    }

    /// <summary>Whether the cluster has a volume for a node.</summary>
    public async Task<bool> HasVolumeAsync(NodeId node) =>
        await docker.FindAsync((client, token) => client.Volumes.InspectAsync(node.Container, token)) is { } volume
        && Labels.AreOf(node.Cluster, volume.Labels);

    /// <returns>Null also where a container of that name carries no label of the cluster.</returns>
    public async Task<NodeContainer?> FindAsync(NodeId node) =>
        await docker.Of(node).InspectAsync() is { Config.Labels: { } labels } found
        && Labels.AreOf(node.Cluster, labels)
        && Labels.SpecOf(labels) is { } spec
            ? new(node, found, spec)
            : null;
}

/// <summary>A node's container.</summary>
/// <param name="Id">The node.</param>
/// <param name="Docker">What Docker says of it.</param>
/// <param name="Spec">Its cluster.</param>
internal sealed record NodeContainer(NodeId Id, ContainerInspectResponse Docker, ClusterSpec Spec)
{
    // What the package can't know: Docker tells these of every container.
    public State State => Docker.State!;

    public RestartPolicyKind RestartPolicy => Docker.HostConfig!.RestartPolicy!.Name;

    public IDictionary<string, EndpointSettings> Networks => Docker.NetworkSettings!.Networks;

    public bool Running => State.Running && !State.Paused;

    /// <summary>Its fixed address on the internal network.</summary>
    public string Address => Names.AddressOf(Spec, Id.Name);

    public bool IsOn(string network) => Networks.ContainsKey(network);

    /// <summary>What it holds on the external network, running or not.</summary>
    public EndpointRole Endpoint =>
        !Networks.TryGetValue(Spec.ExternalNetwork, out var held) ? EndpointRole.None
        : held.IPAMConfig?.IPv4Address == Spec.Vip ? EndpointRole.ReadWrite
        : EndpointRole.ReadOnly;
}

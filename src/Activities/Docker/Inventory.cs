using System.Text.Json;
using Docker.DotNet.Models;

namespace PgFlow.Activities.Docker;

/// <summary>Finds what there is of a cluster: by its labels, and by its names, since what has a name and no label is
/// somebody else's.</summary>
internal sealed class Inventory(DockerEngine docker, Secrets secrets)
{
    /// <summary>The containers of the nodes of <paramref name="cluster"/> by number; none where there is no such
    /// cluster.</summary>
    public async Task<IReadOnlyList<NodeContainer>> NodesAsync(ClusterName cluster) =>
        await NodesAsync(cluster, await ListAsync(cluster));

    /// <summary>The containers of the nodes of all clusters.</summary>
    public async Task<IReadOnlyList<NodeContainer>> AllNodesAsync()
    {
        var listed = await docker.CallAsync(
            (client, token) =>
                client.Containers.ListContainersAsync(
                    new() { All = true, Filters = Labels.Filter((Labels.Cluster, null), (Labels.Node, null)) },
                    token
                )
        );
        var nodes = await Task.WhenAll(
            listed
                .GroupBy(container => ClusterName.Parse(container.Labels[Labels.Cluster]))
                .Select(cluster => NodesAsync(cluster.Key, cluster))
        );
        return [.. nodes.SelectMany(cluster => cluster)];
    }

    /// <summary>A node's container as it is now.</summary>
    public async Task<NodeContainer> NodeAsync(NodeId node) =>
        await FindAsync(node) ?? throw Failure.Fail($"{node} has no container of PgFlow's", Hint.Repair(node.Cluster));

    /// <summary>The clients' network, where a node holds the virtual IP there; null where it does not.</summary>
    /// <remarks>Without a look at the container: while Docker clears an ended one away, every call for it
    /// waits.</remarks>
    public async Task<string?> NetworkOfVirtualIpAsync(NodeId node) =>
        (await ListAsync(node.Cluster))
            .Where(container => NodeOf(node.Cluster, container.Labels) == node)
            .Select(container => NetworkOfVirtualIp(SpecOf(container.Labels), container))
            .FirstOrDefault(network => network is not null);

    private static string? NetworkOfVirtualIp(ClusterSpec? spec, ContainerListResponse container) =>
        spec is not null
        && container.NetworkSettings?.Networks.TryGetValue(spec.ExternalNetwork, out var held) is true
        && held.IPAMConfig?.IPv4Address == spec.Vip
            ? spec.ExternalNetwork
            : null;

    /// <summary>The nodes as Docker lists them, by one call that waits for no container.</summary>
    public async Task<IReadOnlyList<ListedNode>> ListNodesAsync(ClusterName cluster, TimeSpan deadline) =>
        [
            .. from container in await ListAsync(cluster, deadline)
            let spec = SpecOf(container.Labels)
            where spec is not null
            select new ListedNode(
                NodeOf(cluster, container.Labels),
                spec,
                container.State,
                container.Status,
                NetworkOfVirtualIp(spec, container) is not null
            ),
        ];

    /// <summary>Everything that there is of a cluster, and what is missing of it.</summary>
    public async Task<ClusterParts> PartsAsync(ClusterName cluster)
    {
        var listing = docker.CallAsync(
            (client, token) => client.Containers.ListContainersAsync(new() { All = true }, token)
        );
        var volumes = docker.CallAsync((client, token) => client.Volumes.ListAsync(token));
        var networks = docker.CallAsync((client, token) => client.Networks.ListNetworksAsync(new(), token));
        var containers = await listing;
        var nodes = await NodesAsync(
            cluster,
            containers.Where(container =>
                Labels.AreOf(cluster, container.Labels) && container.Labels.ContainsKey(Labels.Node)
            )
        );
        return new(
            cluster,
            nodes,
            [.. containers],
            [.. (await volumes).Volumes ?? []],
            [.. await networks],
            secrets.FilesOf(cluster)
        );
    }

    private Task<IList<ContainerListResponse>> ListAsync(ClusterName cluster, TimeSpan? deadline = null) =>
        docker.CallAsync(
            (client, token) =>
                client.Containers.ListContainersAsync(
                    new() { All = true, Filters = Labels.Filter((Labels.Cluster, cluster), (Labels.Node, null)) },
                    token
                ),
            deadline
        );

    private async Task<IReadOnlyList<NodeContainer>> NodesAsync(
        ClusterName cluster,
        IEnumerable<ContainerListResponse> listed
    )
    {
        var nodes = await Task.WhenAll(listed.Select(container => FindAsync(NodeOf(cluster, container.Labels))));
        return [.. nodes.OfType<NodeContainer>().OrderBy(node => node.Id.Name)];
    }

    /// <summary>A container of an earlier build does not say its host: there was one.</summary>
    private static NodeId NodeOf(ClusterName cluster, IDictionary<string, string> labels) =>
        new(
            cluster,
            NodeName.Parse(labels[Labels.Node]),
            labels.TryGetValue(Labels.Host, out var host) ? HostName.Parse(host) : HostName.Local
        );

    /// <returns>Null also where a container of that name carries no label of the cluster.</returns>
    public async Task<NodeContainer?> FindAsync(NodeId node) =>
        await docker.Of(node).InspectAsync() is { Config.Labels: { } labels } found
        && Labels.AreOf(node.Cluster, labels)
        && SpecOf(labels) is { } spec
            ? new(node, found, spec)
            : null;

    private static ClusterSpec? SpecOf(IDictionary<string, string> labels) =>
        labels.TryGetValue(Labels.Spec, out var spec)
            ? JsonSerializer.Deserialize<ClusterSpec>(spec, PgFlowJson.Options)
            : null;
}

/// <summary>A node as Docker lists it.</summary>
/// <param name="Id">The node.</param>
/// <param name="Spec">Its cluster.</param>
/// <param name="State">Docker's word for its container's state.</param>
/// <param name="Status">The same for people, with exit code and time.</param>
/// <param name="HoldsVirtualIp">Whether it does, running or not.</param>
internal sealed record ListedNode(NodeId Id, ClusterSpec Spec, string State, string Status, bool HoldsVirtualIp);

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

    /// <summary>Its cluster with the image that the container is of: the labels of an earlier build don't say its
    /// ID.</summary>
    public ClusterSpec Made => Spec with { Postgres = Spec.Postgres with { ImageId = Docker.Image } };

    /// <summary>Its fixed address on the internal network.</summary>
    public string Address => Names.AddressOf(Spec, Id.Name);

    public bool IsOn(string network) => Networks.ContainsKey(network);

    /// <summary>What it holds on the external network, running or not.</summary>
    public EndpointRole Endpoint =>
        !Networks.TryGetValue(Spec.ExternalNetwork, out var held) ? EndpointRole.None
        : held.IPAMConfig?.IPv4Address == Spec.Vip ? EndpointRole.ReadWrite
        : EndpointRole.ReadOnly;
}

using System.Text.Json;
using Docker.DotNet.Models;
using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>Finds the containers of nodes, and what their cluster was made as.</summary>
internal sealed class Inventory(DockerEngine docker)
{
    /// <summary>The nodes of <paramref name="cluster"/> by number; none where there is no such cluster.</summary>
    public async Task<IReadOnlyList<NodeContainer>> NodesAsync(ClusterName cluster)
    {
        var listed = await docker.CallAsync((client, token) => client.Containers.ListContainersAsync(
            new() { All = true, Filters = Labels.Filter((Labels.Cluster, cluster), (Labels.Node, null)) }, token));
        var nodes = await Task.WhenAll(listed.Select(container => FindAsync(new(cluster, NodeName.Parse(container.Labels[Labels.Node])))));
        return [.. nodes.OfType<NodeContainer>().OrderBy(node => node.Id.Name)];
    }

    /// <summary>A node's container as it is now.</summary>
    public async Task<NodeContainer> NodeAsync(NodeId node) =>
        await FindAsync(node) ?? throw Ends.Fail($"there is no container {node.Container}");

    private async Task<NodeContainer?> FindAsync(NodeId node) =>
        await docker.FindAsync((client, token) => client.Containers.InspectContainerAsync(node.Container, token)) is { } found
            ? new(node, found, JsonSerializer.Deserialize<ClusterSpec>(found.Config.Labels[Labels.Spec], PgFlowJson.Options)!)
            : null;
}

/// <summary>A node's container.</summary>
/// <param name="Id">The node.</param>
/// <param name="Docker">What Docker says of it.</param>
/// <param name="Spec">Its cluster.</param>
internal sealed record NodeContainer(NodeId Id, ContainerInspectResponse Docker, ClusterSpec Spec)
{
    public bool Running => Docker.State.Running && !Docker.State.Paused;

    /// <summary>Its fixed address on the internal network.</summary>
    public string Address => Names.AddressOf(Spec, Id.Name);

    public bool IsOn(string network) => Docker.NetworkSettings.Networks.ContainsKey(network);

    /// <summary>What it holds on the external network, running or not.</summary>
    public EndpointRole Endpoint => !Docker.NetworkSettings.Networks.TryGetValue(Spec.ExternalNetwork, out var held)
        ? EndpointRole.None
        : held.IPAMConfig?.IPv4Address == Spec.Vip ? EndpointRole.ReadWrite : EndpointRole.ReadOnly;
}

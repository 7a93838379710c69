using System.Collections.Concurrent;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace PgFlow.Activities.Docker;

/// <summary>Removes what a cluster consists of outside PostgreSQL; what does not carry its label stays.</summary>
internal sealed class ResourceRemoval(DockerEngine docker)
{
    /// <summary>Post-condition: the node's container, its volume and what used it are gone.</summary>
    /// <exception cref="PgFlowException">Something stays, which is named; all else is gone.</exception>
    public async Task NodeAsync(NodeId node, Removed removed)
    {
        var filter = await FilterAsync(node.Cluster, removed);
        var left = new Leftovers();
        await RemoveContainersAsync(new(filter) { ["volume"] = Only(node.Container) }, left);
        await RemoveContainersAsync(await FilterAsync(node.Cluster, removed, (Labels.Node, node.Name)), left);
        await RemoveVolumesAsync(filter, volume => volume.Name == node.Container, left);
        left.RequireNone();
    }

    /// <summary>Post-condition: nothing of the cluster is left.</summary>
    /// <exception cref="PgFlowException">Something stays, which is named; all else is gone.</exception>
    public async Task ClusterAsync(ClusterName cluster, Removed removed)
    {
        var filter = await FilterAsync(cluster, removed);
        var left = new Leftovers();
        await RemoveContainersAsync(filter, left);
        await RemoveVolumesAsync(filter, _ => true, left);
        foreach (
            var network in await docker.CallAsync(
                (client, token) => client.Networks.ListNetworksAsync(new() { Filters = filter }, token)
            )
        )
        {
            await left.TryAsync($"network {network.Name}", () => RemoveNetworkAsync(network));
        }

        left.RequireNone();
    }

    private static async Task<Dictionary<string, IDictionary<string, bool>>> FilterAsync(
        ClusterName cluster,
        Removed removed,
        params IEnumerable<(string Label, object? Value)> others
    ) =>
        Labels.Filter([
            (Labels.Cluster, cluster),
            .. removed is Removed.OfThisWorkflow
                ? [(Labels.CreatedIn, await FirstRun.ShortAsync())]
                : Array.Empty<(string, object?)>(),
            .. others,
        ]);

    private static Dictionary<string, bool> Only(string value) => new() { [value] = true };

    private async Task RemoveContainersAsync(Dictionary<string, IDictionary<string, bool>> filter, Leftovers left)
    {
        var containers = await docker.CallAsync(
            (client, token) => client.Containers.ListContainersAsync(new() { All = true, Filters = filter }, token)
        );
        await Task.WhenAll(
            containers.Select(container =>
                left.TryAsync(
                    $"container {container.Names[0].TrimStart('/')}",
                    () => docker.Container(container.ID).RemoveAsync()
                )
            )
        );
    }

    private async Task RemoveVolumesAsync(
        Dictionary<string, IDictionary<string, bool>> filter,
        Func<VolumeResponse, bool> isMeant,
        Leftovers left
    )
    {
        var volumes = await docker.CallAsync(
            (client, token) => client.Volumes.ListAsync(new() { Filters = filter }, token)
        );
        foreach (var volume in (volumes.Volumes ?? []).Where(isMeant))
        {
            await left.TryAsync(
                $"volume {volume.Name}",
                () => docker.ChangeAsync((client, token) => client.Volumes.RemoveAsync(volume.Name, force: true, token))
            );
        }
    }

    /// <summary>A network can't go while anything is attached, and a stopped container that is attached could never
    /// start again: workers are detached first.</summary>
    private async Task RemoveNetworkAsync(NetworkResponse network)
    {
        var attached = await docker.CallAsync(
            (client, token) =>
                client.Containers.ListContainersAsync(
                    new()
                    {
                        All = true,
                        Filters = new Dictionary<string, IDictionary<string, bool>> { ["network"] = Only(network.ID) },
                    },
                    token
                )
        );
        foreach (var container in attached)
        {
            await docker.Container(container.ID).DisconnectAsync(network.ID);
        }

        await docker.ChangeAsync((client, token) => client.Networks.DeleteNetworkAsync(network.ID, token));
    }

    /// <summary>What could not be removed: the rest goes all the same.</summary>
    private sealed class Leftovers
    {
        private readonly ConcurrentBag<string> _left = [];

        public async Task TryAsync(string what, Func<Task> removeAsync)
        {
            try
            {
                await removeAsync();
            }
            catch (DockerApiException e)
            {
                _left.Add($"{what}: {Failures.MessageOf(e)}"); // a passing failure is not one of what is removed
            }
        }

        public void RequireNone()
        {
            if (!_left.IsEmpty)
            {
                throw Failure.Fail($"could not be removed: {string.Join("; ", _left.Order())}");
            }
        }
    }
}

/// <summary>What of a cluster is removed.</summary>
internal enum Removed
{
    /// <summary>All that carries its label.</summary>
    All,

    /// <summary>Only what this workflow has made.</summary>
    OfThisWorkflow,
}

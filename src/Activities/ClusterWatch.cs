using System.Diagnostics;
using Docker.DotNet;

namespace PgFlow.Activities;

/// <summary>Looks at a cluster again and again, at little cost: one call to Docker, and one statement in a session that
/// stays open on each node. No look takes longer than <see cref="Window"/> twice, whoever hangs.</summary>
internal sealed class ClusterWatch(ClusterName cluster, Inventory inventory, NodeLife life, Sql sql) : IDisposable
{
    /// <summary>How long an answer is waited for within a look; a later one counts for the next.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(0.25);

    /// <summary>How long a question to Docker may stay open; none other is asked meanwhile.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<NodeId, NodeProbe> _probes = [];
    private readonly Inquiry<IReadOnlyList<ListedNode>> _listing = new(() =>
        inventory.ListNodesAsync(cluster, Patience)
    );
    private readonly DateTimeOffset _began = DateTimeOffset.UtcNow;
    private readonly Stopwatch _clock = Stopwatch.StartNew(); // nobody sets it, as they may the host's
    private IReadOnlyList<ListedNode> _listed = [];

    public async Task<Look> LookAsync()
    {
        var docker = await ListAsync();
        var nodes = await Task.WhenAll(_listed.Select(node => LookAtAsync(node, docker)));
        return new(_began + _clock.Elapsed, docker, nodes);
    }

    public void Dispose()
    {
        foreach (var probe in _probes.Values)
        {
            probe.Dispose();
        }
    }

    private async Task<DockerAnswer> ListAsync()
    {
        try
        {
            var listed = await _listing.AnswerAsync(Window);
            _listed = listed ?? _listed;
            return listed is null ? DockerAnswer.Late : DockerAnswer.Given;
        }
        catch (DockerTimeoutException)
        {
            return DockerAnswer.Late;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or DockerApiException)
        {
            return DockerAnswer.Away;
        }
    }

    private async Task<NodeLook> LookAtAsync(ListedNode node, DockerAnswer docker)
    {
        var container = docker is DockerAnswer.Given ? SignOf(node.State) : ContainerSign.Unknown;
        var look = new NodeLook(
            node.Id.Name,
            Names.AddressOf(node.Spec, node.Id.Name),
            container,
            ServerSign.Silent,
            node.Status
        )
        {
            HoldsEndpoint = node.HoldsVirtualIp,
        };
        return container is ContainerSign.Down or ContainerSign.Restarting
            ? look
            : await ProbeOf(node.Id).LookAsync(look, Window);
    }

    private NodeProbe ProbeOf(NodeId node) =>
        _probes.TryGetValue(node, out var probe) ? probe : _probes[node] = new(node, inventory, life, sql);

    /// <summary>Docker's words: created, running, paused, restarting, removing, exited, dead.</summary>
    private static ContainerSign SignOf(string state) =>
        state switch
        {
            "running" => ContainerSign.Up,
            "paused" => ContainerSign.Paused,
            "restarting" => ContainerSign.Restarting,
            "exited" or "dead" => ContainerSign.Down,
            _ => ContainerSign.Unknown,
        };
}

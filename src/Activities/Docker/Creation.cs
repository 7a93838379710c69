using System.Net;
using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace PgFlow.Activities.Docker;

/// <summary>Makes what a cluster consists of outside PostgreSQL.</summary>
/// <remarks>Each thing carries the ID of the workflow that made it: a retry knows its own, and what anybody else made
/// is refused.</remarks>
internal sealed class Creation(DockerEngine docker)
{
    /// <summary>Post-condition: there is a network of this name that this workflow made, or that the cluster had and
    /// that is to be kept.</summary>
    /// <returns>Its subnet; the first free private one where none is given.</returns>
    public async Task<string> NetworkAsync(
        ClusterName cluster,
        string name,
        string? subnet,
        bool isolated,
        Existing existing = Existing.Refused
    )
    {
        if (await FindNetworkAsync(name) is { } found)
        {
            await RequireOursAsync(cluster, $"network {name}", found.Labels, existing);
            return found.IPAM.Config[0].Subnet;
        }

        foreach (var candidate in subnet is null ? PrivateSubnets() : [subnet])
        {
            try
            {
                await CreateNetworkAsync(cluster, name, candidate, isolated);
                return candidate;
            }
            catch (DockerApiException e)
                when (subnet is null && Failures.MessageOf(e).Contains("overlaps", StringComparison.Ordinal))
            {
                // taken: the next one
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.Conflict)
            {
                throw Made($"network {name}");
            }
            catch (DockerApiException e) when (Failures.MessageOf(e).Contains("overlaps", StringComparison.Ordinal))
            {
                throw Failure.Refuse(
                    $"{subnet} for network {name} overlaps another network of Docker's; give a free one"
                );
            }
        }

        throw Failure.Refuse("subnet: no private network is free; give one");
    }

    /// <summary>Post-condition: as of <see cref="NetworkAsync"/>.</summary>
    public async Task VolumeAsync(ClusterSpec spec, string name, Existing existing = Existing.Refused)
    {
        // Docker answers with the volume that is there, whoever made it.
        var labels = await Labels.OfAsync(
            spec.Cluster,
            (Labels.Spec, JsonSerializer.Serialize(spec, PgFlowJson.Options))
        );
        var volume = await docker.ChangeAsync(
            (client, token) => client.Volumes.CreateAsync(new() { Name = name, Labels = labels }, token)
        );
        await RequireOursAsync(spec.Cluster, $"volume {name}", volume.Labels, existing);
    }

    /// <summary>Post-condition: as of <see cref="NetworkAsync"/>; a new container does not run, and Docker does not
    /// start it.</summary>
    /// <returns>Whether it was made by this workflow.</returns>
    public async Task<bool> NodeAsync(ClusterSpec spec, NodeId node, Existing existing = Existing.Refused)
    {
        var wanted = await ParametersOfAsync(spec, node);
        try
        {
            await docker.ChangeAsync((client, token) => client.Containers.CreateContainerAsync(wanted, token));
            return true;
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.Conflict)
        {
            var found = await docker.FindAsync(
                (client, token) => client.Containers.InspectContainerAsync(node.Container, token)
            );
            await RequireOursAsync(spec.Cluster, $"container {node.Container}", found?.Config?.Labels, existing);
            return await Labels.AreOfThisWorkflowAsync(found?.Config?.Labels);
        }
    }

    /// <summary>Post-condition: a stopped node is on the internal network that there is now, and on no network that is
    /// gone: with one it could never start.</summary>
    public async Task ReattachAsync(NodeContainer node)
    {
        if (node.State.Running)
        {
            return;
        }

        var name = Names.InternalNetwork(node.Id.Cluster);
        foreach (var (network, endpoint) in node.Networks)
        {
            if (await FindNetworkAsync(network) is not { } found || found.ID != endpoint.NetworkID)
            {
                await docker.Of(node.Id).DisconnectAsync(network);
            }
        }

        if (node.RestartPolicy is RestartPolicyKind.UnlessStopped) // a fenced one stays off
        {
            await docker.Of(node.Id).ConnectAsync(name, node.Address);
        }
    }

    private static async Task RequireOursAsync(
        ClusterName cluster,
        string what,
        IDictionary<string, string>? labels,
        Existing existing
    )
    {
        if (
            !await Labels.AreOfThisWorkflowAsync(labels)
            && !(existing is Existing.Kept && Labels.AreOf(cluster, labels))
        )
        {
            throw Made(what);
        }
    }

    private static PgFlowException Made(string what) =>
        Failure.Refuse(
            $"{what} was made by somebody else meanwhile; nothing is done to it: remove or rename it, or choose "
                + "another name for the cluster"
        );

    private static IEnumerable<string> PrivateSubnets() =>
        Enumerable.Range(0, 250).Select(number => $"10.{77 + (number / 50)}.{100 + (number % 50)}.0/24");

    private Task<NetworkResponse?> FindNetworkAsync(string name) =>
        docker.FindAsync((client, token) => client.Networks.InspectNetworkAsync(name, token));

    /// <summary>What Docker may give to others of a network of PgFlow's.</summary>
    public static IPAMConfig PoolOf(string subnet) => new() { Subnet = subnet, IPRange = Names.RangeForOthers(subnet) };

    private async Task CreateNetworkAsync(ClusterName cluster, string name, string subnet, bool isolated)
    {
        var network = new NetworksCreateParameters
        {
            Name = name,
            Driver = "bridge",
            Internal = isolated,
            Labels = await Labels.OfAsync(cluster),
            IPAM = new() { Config = [PoolOf(subnet)] },
        };
        var made = await docker.ChangeAsync((client, token) => client.Networks.CreateNetworkAsync(network, token));
        var all = await docker.CallAsync((client, token) => client.Networks.ListNetworksAsync(null, token));
        if (all.Any(other => other.Name == name && other.ID != made.ID))
        {
            // Docker before 25 makes a second one of the same name.
            await docker.ChangeAsync((client, token) => client.Networks.DeleteNetworkAsync(made.ID, token));
            throw Made($"network {name}");
        }
    }

    private static async Task<CreateContainerParameters> ParametersOfAsync(ClusterSpec spec, NodeId node) =>
        new()
        {
            Name = node.Container,
            Hostname = node.Container,
            Image = spec.Image,
            Entrypoint = [$"{spec.Postgres.Bin}/postgres"],
            Cmd = ["-D", Names.Data],
            User = $"{spec.Postgres.Uid}:{spec.Postgres.Gid}",
            Env =
            [
                $"PATH={spec.Postgres.Bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL=C.UTF-8",
                "PGDATA=" + Names.Data,
            ],
            StopSignal = ContainerCalls.FastStop,
            StopTimeout = TimeSpan.FromMinutes(1),
            Healthcheck = new() { Test = ["NONE"] },
            Labels = await Labels.OfAsync(
                spec.Cluster,
                (Labels.Node, node.Name.ToString()),
                (Labels.Host, node.Host.ToString()),
                (Labels.RoleAtCreation, node.Name.Number == 1 ? "primary" : "standby"),
                (Labels.Spec, JsonSerializer.Serialize(spec, PgFlowJson.Options))
            ),
            HostConfig = new()
            {
                Init = true,
                Binds =
                [
                    $"{node.Container}:{Names.NodeVolume}",
                    $"{Names.Repository(spec.Cluster)}:{Names.RepositoryVolume}",
                ],
                Tmpfs = new Dictionary<string, string>
                {
                    ["/var/run/postgresql"] = $"uid={spec.Postgres.Uid},gid={spec.Postgres.Gid},mode=0775",
                },
                ShmSize = 256 * 1024 * 1024,
                NetworkMode = Names.InternalNetwork(spec.Cluster),
                RestartPolicy = new() { Name = RestartPolicyKind.No },
            },
            NetworkingConfig = new()
            {
                EndpointsConfig = new Dictionary<string, EndpointSettings>
                {
                    [Names.InternalNetwork(spec.Cluster)] = new()
                    {
                        IPAMConfig = new() { IPv4Address = Names.AddressOf(spec, node.Name) },
                    },
                },
            },
        };
}

/// <summary>What is done where something of the cluster is there already that another workflow made.</summary>
internal enum Existing
{
    /// <summary>It is in the way.</summary>
    Refused,

    /// <summary>It stays as it is: only what is missing is made.</summary>
    Kept,
}

using System.Net;
using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.Models;
using PgFlow.Workflows;
using Temporalio.Activities;

namespace PgFlow.Activities;

internal sealed class ClusterSteps(DockerEngine docker, Inventory inventory, NodeObserver observer, NodeFiles files, Jobs jobs, Secrets secrets) : IClusterSteps
{
    private const int Oldest = 13;
    private const int Newest = 18;

    public async Task<ClusterState> ObserveAsync(ClusterName cluster)
    {
        var nodes = await inventory.NodesAsync(cluster);
        return new()
        {
            Cluster = cluster,
            Spec = nodes.Count == 0 ? null : nodes[0].Spec,
            Nodes = await Task.WhenAll(nodes.Select(observer.ObserveAsync)),
        };
    }

    public async Task<PostgresInstallation> InspectImageAsync(ClusterName cluster, string image)
    {
        await PullAsync(image);
        var said = await jobs.SucceedAsync(new(new(cluster, 0, image, new(0, "/usr/bin", 0, 0), default, "", "", ""), "image", Embedded.Read("inspect-image")) { AsRoot = true });
        var facts = Job.Facts(said);
        int Number(string name) => int.TryParse(facts[name].FirstOrDefault(), out var number) ? number : -1;
        var found = new PostgresInstallation(Number("major"), facts["bin"].FirstOrDefault(""), Number("uid"), Number("gid"));
        return found is { Major: >= Oldest and <= Newest, Uid: > 0 }
            ? found
            : throw Ends.Refuse($"image: {image} has no PostgreSQL {Oldest} to {Newest} with a user postgres (found: {said.Replace("\n", ", ", StringComparison.Ordinal)})");
    }

    public async Task<CreatedNetworks> CreateNetworksAsync(WantedNetworks wanted)
    {
        await Permit.RequireAsync(wanted.Cluster);
        var internalNetwork = await NetworkAsync(wanted.Cluster, Names.InternalNetwork(wanted.Cluster), wanted.Subnet, isolated: true);
        if (wanted.ExternalNetwork is { } existing)
        {
            var found = await docker.FindAsync((client, token) => client.Networks.InspectNetworkAsync(existing, token));
            return found is null
                ? throw Ends.Refuse($"externalNetwork: Docker has no network {existing}")
                : found.IPAM.Config.Any(range => Contains(range.Subnet, wanted.Vip!))
                    ? new(internalNetwork, existing, wanted.Vip!)
                    : throw Ends.Refuse($"vip: {wanted.Vip} is not on {existing} ({string.Join(", ", found.IPAM.Config.Select(range => range.Subnet))})");
        }

        var external = await NetworkAsync(wanted.Cluster, Names.ExternalNetwork(wanted.Cluster), subnet: null, isolated: false);
        return new(internalNetwork, Names.ExternalNetwork(wanted.Cluster), wanted.Vip ?? Names.DefaultVip(external));
    }

    public async Task ShareSecretsAsync(ClusterName source, ClusterName cluster)
    {
        await Permit.RequireAsync(cluster);
        secrets.Share(source, cluster);
    }

    public async Task CreateNodesAsync(ClusterSpec spec)
    {
        await Permit.RequireAsync(spec.Cluster);
        secrets.Create(spec.Cluster, spec.Vip);
        await CreateVolumeAsync(spec.Cluster, Names.Repository(spec.Cluster));
        foreach (var node in Enumerable.Range(1, spec.Nodes).Select(number => new NodeId(spec.Cluster, NodeName.Of(number))))
        {
            await CreateVolumeAsync(spec.Cluster, node.Container);
            await CreateContainerAsync(spec, node);
            await files.WriteAsync(node.Container, FilesOf(spec, node));
        }
    }

    public async Task InitializeAsync(NodeId node)
    {
        await jobs.RequireSoleUseAsync(node);
        var container = await inventory.NodeAsync(node);
        string Role(string name, string attributes) => $"CREATE ROLE {name} {attributes} PASSWORD '{secrets.VerifierOf(node.Cluster, name)}';\n";
        await jobs.SucceedAsync(Job.On(container, "initdb", Embedded.Read("initialize")) with
        {
            Files = [ContainerFile.Private(
                "/job/roles.sql",
                Role("pgflow", "LOGIN SUPERUSER REPLICATION") + Role("replicator", "LOGIN REPLICATION") + Role("app", "LOGIN") + "CREATE DATABASE app OWNER app;\n",
                container.Spec.Postgres)],
        });
    }

    public async Task RemoveAsync(ClusterName cluster)
    {
        await Permit.RequireAsync(cluster);
        var filter = Labels.Filter((Labels.Cluster, cluster));
        var containers = await docker.CallAsync((client, token) => client.Containers.ListContainersAsync(new() { All = true, Filters = filter }, token));
        await Task.WhenAll(containers.Select(container => docker.RemoveAsync(container.ID)));
        var volumes = await docker.CallAsync((client, token) => client.Volumes.ListAsync(new() { Filters = filter }, token));
        foreach (var volume in volumes.Volumes ?? [])
        {
            await docker.CallAsync((client, token) => client.Volumes.RemoveAsync(volume.Name, force: true, token));
        }

        foreach (var network in await docker.CallAsync((client, token) => client.Networks.ListNetworksAsync(new() { Filters = filter }, token)))
        {
            await RemoveNetworkAsync(network);
        }

        secrets.Remove(cluster);
    }

    public async Task TidyUpAsync(ClusterName cluster)
    {
        await Permit.RequireAsync(cluster);
        await jobs.RemoveOfRunAsync(ActivityExecutionContext.Current.Info.WorkflowRunId!); // one may still be copying
        var nodes = await inventory.NodesAsync(cluster);
        await Task.WhenAll(nodes.Select(node => jobs.SucceedAsync(
            Job.On(node, $"tidy-{node.Id}", "cd /pgflow; [ ! -d data ] || rm -rf data.aside.* data.rewind data.begun* data.new data.copy pg_control.saved"))));
    }

    private IEnumerable<ContainerFile> FilesOf(ClusterSpec spec, NodeId node) =>
    [
        ContainerFile.Folder(Names.NodeVolume, spec.Postgres),
        ContainerFile.Folder($"{Names.NodeVolume}/bin", spec.Postgres),
        ContainerFile.Folder(Names.RepositoryVolume, spec.Postgres),
        ContainerFile.Folder($"{Names.RepositoryVolume}/wal", spec.Postgres),
        ContainerFile.Folder($"{Names.RepositoryVolume}/timelines", spec.Postgres),
        ContainerFile.Folder($"{Names.RepositoryVolume}/ledger", spec.Postgres),
        ContainerFile.Program(SettingsFile.ArchiveProgram, Embedded.For("archive", spec, node.Name), spec.Postgres),
        ContainerFile.Program(SettingsFile.RestoreProgram, Embedded.For("restore", spec, node.Name), spec.Postgres),
        ContainerFile.Private(SettingsFile.PasswordPath, secrets.FileFor(spec.Cluster, "replicator"), spec.Postgres),
        ContainerFile.Private(SettingsFile.HbaPath, SettingsFile.RenderHba(spec), spec.Postgres),
        ContainerFile.Private(SettingsFile.IdentPath, SettingsFile.RenderIdent(), spec.Postgres),
        ContainerFile.Private(SettingsFile.Path, SettingsFile.Render(new(node), spec), spec.Postgres),
    ];

    private async Task PullAsync(string image)
    {
        if (await docker.FindAsync((client, token) => client.Images.InspectImageAsync(image, token)) is not null)
        {
            return;
        }

        try
        {
            var name = image.LastIndexOf(':') > image.LastIndexOf('/') ? image : $"{image}:latest";
            await docker.CallAsync(
                (client, token) => client.Images.CreateImageAsync(new() { FromImage = name }, null, new Progress<JSONMessage>(message => HandProgress.Say(message.Status ?? "")), token),
                TimeSpan.FromMinutes(10));
        }
        catch (Exception e) when (e is DockerApiException or TimeoutException or HttpRequestException)
        {
            throw Ends.Refuse($"image: there is no {image} here, and it can't be pulled: {e.Message}");
        }
    }

    private static bool Contains(string? subnet, string address) => IPNetwork.TryParse(subnet, out var network) && network.Contains(IPAddress.Parse(address));

    /// <returns>The subnet of a network that is there, or is made on the first free private one.</returns>
    private async Task<string> NetworkAsync(ClusterName cluster, string name, string? subnet, bool isolated)
    {
        if (await docker.FindAsync((client, token) => client.Networks.InspectNetworkAsync(name, token)) is { } found)
        {
            return found.IPAM.Config[0].Subnet;
        }

        string[] candidates = subnet is null ? [.. Enumerable.Range(0, 250).Select(number => $"10.{77 + (number / 50)}.{100 + (number % 50)}.0/24")] : [subnet];
        foreach (var candidate in candidates)
        {
            try
            {
                await docker.CallAsync((client, token) => client.Networks.CreateNetworkAsync(
                    new()
                    {
                        Name = name,
                        Driver = "bridge",
                        Internal = isolated,
                        CheckDuplicate = true,
                        Labels = new Dictionary<string, string> { [Labels.Cluster] = cluster.ToString() },
                        IPAM = new() { Config = [new() { Subnet = candidate, IPRange = Names.RangeForOthers(candidate) }] },
                    },
                    token));
                return candidate;
            }
            catch (DockerApiException e) when (subnet is null && e.ResponseBody.Contains("overlaps", StringComparison.Ordinal))
            {
                // taken: the next one
            }
        }

        throw Ends.Refuse("subnet: no private network is free; give one");
    }

    private Task<VolumeResponse> CreateVolumeAsync(ClusterName cluster, string name) => docker.CallAsync((client, token) => client.Volumes.CreateAsync(
        new() { Name = name, Labels = new Dictionary<string, string> { [Labels.Cluster] = cluster.ToString() } }, token));

    private async Task CreateContainerAsync(ClusterSpec spec, NodeId node)
    {
        var postgres = spec.Postgres;
        if (await docker.FindAsync((client, token) => client.Containers.InspectContainerAsync(node.Container, token)) is null)
        {
            await docker.CallAsync((client, token) => client.Containers.CreateContainerAsync(
                new()
                {
                    Name = node.Container,
                    Hostname = node.Container,
                    Image = spec.Image,
                    Entrypoint = [$"{postgres.Bin}/postgres"],
                    Cmd = ["-D", Names.Data],
                    User = $"{postgres.Uid}:{postgres.Gid}",
                    Env = [$"PATH={postgres.Bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "PGDATA=" + Names.Data],
                    StopSignal = "SIGINT",
                    StopTimeout = TimeSpan.FromMinutes(1),
                    Healthcheck = new() { Test = ["NONE"] },
                    Labels = new Dictionary<string, string>
                    {
                        [Labels.Cluster] = spec.Cluster.ToString(),
                        [Labels.Node] = node.Name.ToString(),
                        [Labels.RoleAtCreation] = node.Name.Number == 1 ? "primary" : "standby",
                        [Labels.Spec] = JsonSerializer.Serialize(spec, PgFlowJson.Options),
                    },
                    HostConfig = new()
                    {
                        Init = true,
                        Binds = [$"{node.Container}:{Names.NodeVolume}", $"{Names.Repository(spec.Cluster)}:{Names.RepositoryVolume}"],
                        Tmpfs = new Dictionary<string, string> { ["/var/run/postgresql"] = $"uid={postgres.Uid},gid={postgres.Gid},mode=0775" },
                        ShmSize = 256 * 1024 * 1024,
                        NetworkMode = Names.InternalNetwork(spec.Cluster),
                        RestartPolicy = new() { Name = RestartPolicyKind.No },
                    },
                    NetworkingConfig = new()
                    {
                        EndpointsConfig = new Dictionary<string, EndpointSettings>
                        {
                            [Names.InternalNetwork(spec.Cluster)] = new() { IPAMConfig = new() { IPv4Address = Names.AddressOf(spec, node.Name) } },
                        },
                    },
                },
                token));
        }
    }

    /// <summary>A network can't go while anything is attached, and a stopped container that is attached could never start again: workers are detached first.</summary>
    private async Task RemoveNetworkAsync(NetworkResponse network)
    {
        var attached = await docker.CallAsync((client, token) => client.Containers.ListContainersAsync(
            new() { All = true, Filters = new Dictionary<string, IDictionary<string, bool>> { ["network"] = new Dictionary<string, bool> { [network.ID] = true } } }, token));
        foreach (var container in attached)
        {
            await docker.DisconnectAsync(network.ID, container.ID);
        }

        await docker.CallAsync((client, token) => client.Networks.DeleteNetworkAsync(network.ID, token));
    }
}

using Docker.DotNet.Models;
using Temporalio.Activities;

namespace PgFlow.Activities;

internal sealed class ClusterActivities(
    DockerEngine docker,
    Images images,
    Inventory inventory,
    Creation creation,
    ResourceRemoval removal,
    NodeLife life,
    NodeObserver observer,
    JobRunner jobs,
    Secrets secrets,
    Sql sql,
    Roles roles,
    ClusterMetrics metrics,
    INotificationActivities notifications
) : IClusterActivities
{
    private static async Task<string> ThisWorkflowAsync() =>
        $"{ActivityExecutionContext.Current.Info.WorkflowId} in {await FirstRun.ShortAsync()}";

    public async Task<ClusterState> ObserveClusterAsync(ClusterName cluster)
    {
        var parts = await inventory.PartsAsync(cluster);
        var observing = Task.WhenAll(parts.Nodes.Select(observer.ObserveAsync));
        var inVolumes = await ObserveMissingAsync([.. parts.WithVolumeAlone], parts);
        NodeState[] there = [.. await observing, .. inVolumes];
        var members = Membership.Of(there);
        var gone = members.Except(there.Select(node => node.Id.Name)).Select(name => new NodeId(cluster, name));
        var state = new ClusterState
        {
            Cluster = cluster,
            Spec = parts.SpecLike(ClusterIntent.PrimaryOf(there)),
            Nodes =
            [
                .. there
                    .Where(members.Includes)
                    .Concat(await ObserveMissingAsync([.. gone], parts))
                    .OrderBy(node => node.Id.Name),
            ],
            Resources = parts.ResourcesFor(members),
            Receivers = await notifications.FindReceiversAsync(),
        };
        metrics.Observed(state);
        return state;
    }

    public Task<PostgresInstallation> InspectImageAsync(ClusterName cluster, string image) =>
        images.InspectAsync(cluster, image);

    public async Task<CreatedNetworks> CreateNetworksAsync(WantedNetworks wanted)
    {
        var pools = await PoolsAsync(wanted);
        var external = wanted.ExternalNetwork ?? Names.ExternalNetwork(wanted.Cluster);
        if (wanted.Vip is { } vip && VirtualIp.ReasonAgainst(vip, external, pools) is { } reason)
        {
            throw Failure.Refuse($"vip: {reason}");
        }

        var internalNetwork = await creation.NetworkAsync(
            wanted.Cluster,
            Names.InternalNetwork(wanted.Cluster),
            wanted.Subnet,
            isolated: true
        );
        if (wanted.ExternalNetwork is not null)
        {
            return new(internalNetwork, external, wanted.Vip!) { VipAtRisk = VirtualIp.IsAtRisk(wanted.Vip!, pools) };
        }

        var own = await creation.NetworkAsync(
            wanted.Cluster,
            external,
            wanted.Vip is null ? null : Names.SubnetOf(wanted.Vip),
            isolated: false
        );
        return new(internalNetwork, external, wanted.Vip ?? Names.DefaultVip(own));
    }

    /// <summary>From what Docker gives addresses on the network for clients: one that is there, or one that is to be
    /// made around the virtual IP.</summary>
    private async Task<IList<IPAMConfig>> PoolsAsync(WantedNetworks wanted)
    {
        if (wanted.ExternalNetwork is not { } existing)
        {
            return wanted.Vip is null ? [] : [Creation.PoolOf(Names.SubnetOf(wanted.Vip))];
        }

        var found = await docker.FindAsync((client, token) => client.Networks.InspectNetworkAsync(existing, token));
        return found?.IPAM.Config ?? throw Failure.Refuse($"externalNetwork: Docker has no network {existing}");
    }

    public async Task ShareSecretsAsync(ClusterName source, ClusterName cluster)
    {
        await secrets.ShareAsync(source, cluster, await ThisWorkflowAsync());
    }

    public async Task CreateRepositoryAsync(ClusterSpec spec)
    {
        await secrets.CreateAsync(spec.Cluster, spec.Vip, await ThisWorkflowAsync());
        await creation.VolumeAsync(spec, Names.Repository(spec.Cluster));
    }

    public async Task CreateNodeAsync(NodeId node, ClusterSpec spec)
    {
        await creation.VolumeAsync(spec, node.Container);
        await creation.NodeAsync(spec, node);
        await docker.Of(node).WriteFilesAsync(FilesOf(spec, node));
    }

    public async Task InitializeDatabaseAsync(NodeId node)
    {
        await jobs.EnsureExclusiveVolumeAsync(node);
        var container = await inventory.NodeAsync(node);
        await jobs.RunToSuccessAsync(
            JobSpec.On(container, "initdb", "initialize") with
            {
                Files =
                [
                    ContainerFile.Private(
                        $"{Names.Job}/roles.sql",
                        $"{roles.Creation(container)}CREATE ROLE app LOGIN PASSWORD "
                            + $"'{secrets.VerifierOf(node.Cluster, "app")}';\nCREATE DATABASE app OWNER app;\n",
                        container.Spec.Postgres
                    ),
                ],
            }
        );
    }

    public async Task RecreateRepositoryAsync(ClusterSpec spec)
    {
        await creation.NetworkAsync(
            spec.Cluster,
            Names.InternalNetwork(spec.Cluster),
            spec.Subnet,
            isolated: true,
            Existing.Kept
        );
        if (spec.OwnsExternalNetwork)
        {
            await creation.NetworkAsync(
                spec.Cluster,
                spec.ExternalNetwork,
                Names.SubnetOf(spec.Vip),
                isolated: false,
                Existing.Kept
            );
        }

        await creation.VolumeAsync(spec, Names.Repository(spec.Cluster), Existing.Kept);
    }

    public async Task RecreateNodeAsync(NodeId node, ClusterSpec spec)
    {
        await creation.VolumeAsync(spec, node.Container, Existing.Kept);
        if (await creation.NodeAsync(spec, node, Existing.Kept))
        {
            // they say what the cluster is meant to be
            var hasSettings = await docker.Of(node).FileExistsAsync(SettingsFile.Path);
            await docker
                .Of(node)
                .WriteFilesAsync(
                    FilesOf(spec, node)
                        .Where(file => !hasSettings || file.Path is not (SettingsFile.Path or SettingsFile.ClusterPath))
                );
        }
        else
        {
            await creation.ReattachAsync(await inventory.NodeAsync(node));
        }
    }

    public async Task ReplaceContainerAsync(NodeId node, ClusterSpec spec)
    {
        if (await inventory.FindAsync(node) is { } found)
        {
            if (found.Docker.Image == spec.ImageReference)
            {
                return;
            }

            if ((await life.StoppedOrRunningAsync(node)).State.Running)
            {
                throw Failure.Fail($"{node} runs: its container can't be replaced");
            }

            if (await docker.ImageIdAsync(spec.ImageReference) is null)
            {
                throw Failure.Fail($"there is no image {spec.ImageReference} for {node}: its container stays");
            }

            await docker.Of(node).RemoveAsync();
        }

        await RecreateNodeAsync(node, spec);
        if ((await inventory.NodeAsync(node)).Docker.Image != spec.ImageReference)
        {
            throw Failure.Fail($"{node}'s old container is not gone yet");
        }
    }

    public Task TakeBackNodeAsync(NodeId node) => removal.NodeAsync(node, Removed.OfThisWorkflow);

    public async Task TakeBackClusterAsync(ClusterName cluster)
    {
        await removal.ClusterAsync(cluster, Removed.OfThisWorkflow);
        await secrets.RemoveAsync(cluster, await ThisWorkflowAsync());
    }

    public async Task SetRolesAsync(NodeId primary)
    {
        var node = await life.RunningAsync(primary);
        await using var session = await sql.OpenAsync(node);
        await roles.EnsureAsync(node, session);
    }

    public Task RemoveNodeAsync(NodeId node) => removal.NodeAsync(node, Removed.All);

    public async Task RemoveClusterAsync(ClusterName cluster)
    {
        await removal.ClusterAsync(cluster, Removed.All);
        await secrets.RemoveAsync(cluster);
        metrics.Forget(cluster);
    }

    public Task RemoveJobsAsync(ClusterName cluster) =>
        jobs.RemoveOfRunAsync(ActivityExecutionContext.Current.Info.WorkflowRunId!);

    public async Task TidyUpNodeAsync(NodeId node)
    {
        if (await inventory.FindAsync(node) is { } container)
        {
            await jobs.RunToSuccessAsync(JobSpec.On(container, "tidy", "remove-leftovers"));
        }
    }

    private async Task<IReadOnlyList<NodeState>> ObserveMissingAsync(List<NodeId> nodes, ClusterParts parts)
    {
        if (nodes.Count == 0)
        {
            return [];
        }

        await jobs.RemoveOfActivityAsync(); // an earlier attempt's
        try
        {
            return await Task.WhenAll(nodes.Select(node => observer.ObserveMissingAsync(node, parts)));
        }
        finally
        {
            await jobs.RemoveOfActivityAsync();
        }
    }

    private IEnumerable<ContainerFile> FilesOf(ClusterSpec spec, NodeId node) =>
        [
            ContainerFile.Folder(Names.NodeVolume, spec.Postgres),
            ContainerFile.Folder(Names.RepositoryVolume, spec.Postgres),
            ContainerFile.Folder($"{Names.RepositoryVolume}/wal", spec.Postgres),
            ContainerFile.Folder($"{Names.RepositoryVolume}/timelines", spec.Postgres),
            ContainerFile.Folder($"{Names.RepositoryVolume}/ledger", spec.Postgres),
            ContainerFile.Folder($"{Names.NodeVolume}/bin", spec.Postgres),
            .. SettingsFile.Programs(spec, node.Name),
            ContainerFile.Private(
                SettingsFile.PasswordPath,
                secrets.FileFor(spec.Cluster, "replicator"),
                spec.Postgres
            ),
            ContainerFile.Private(SettingsFile.HbaPath, SettingsFile.RenderHba(spec), spec.Postgres),
            ContainerFile.Private(SettingsFile.IdentPath, SettingsFile.RenderIdent(), spec.Postgres),
            ContainerFile.Private(SettingsFile.Path, SettingsFile.Render(new(node), spec), spec.Postgres),
            // empty, or PostgreSQL logs at each look at its files that there is none
            ContainerFile.Private(
                SettingsFile.ClusterPath,
                SettingsFile.RenderCluster(new Dictionary<string, string>()),
                spec.Postgres
            ),
        ];
}

using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What CloneCluster takes: the new cluster, whose past it begins with, and a target in that.</summary>
public sealed record CloneClusterInput : TargetInput
{
    /// <summary>The cluster that is cloned; it is only read.</summary>
    [Flag("The cluster that is cloned", Place = FlagPlace.Before)]
    public ClusterName From { get; init; }

    /// <summary>How many nodes; as many as the source has where none is given.</summary>
    [Flag("How many nodes; as many as FROM has where none is given")]
    public int? Nodes { get; init; }

    /// <summary>The virtual IP; needed with an external network that exists already.</summary>
    [Flag("The virtual IP; needed with --external-network", Value = "IP")]
    public string? Vip { get; init; }

    /// <summary>The internal network's subnet; a free private one where none is given.</summary>
    [Flag("The internal network's subnet; a free one where none is given", Value = "CIDR")]
    public string? Subnet { get; init; }

    /// <summary>An existing network for clients; one of its own where none is given.</summary>
    [Flag("An existing network for clients; one of its own where none is given", Value = "NAME")]
    public string? ExternalNetwork { get; init; }

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() =>
        [
            .. base.Check(),
            .. Missing("from", From == default, "name the cluster to clone"),
            .. From == Cluster && From != default
                ? [new("from", $"is {From} itself; a clone needs a name of its own")]
                : Array.Empty<InputProblem>(),
            .. InitClusterInput.CheckPlace(Nodes ?? 1, Vip, Subnet),
            .. Missing("vip", Vip is null && ExternalNetwork is not null, InitClusterInput.FreeAddress),
        ];
}

/// <summary>Makes a new cluster from a position in another's past. The other one, its archive included, is only
/// read.</summary>
[Workflow]
public sealed class CloneCluster : Procedure<CloneClusterInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(CloneClusterInput? input = null) =>
        RunAsync(
            input,
            CloneClusterPlan.FromAsync,
            async plan =>
            {
                var (cluster, source, primary, target) = (
                    plan.Input.Cluster,
                    plan.Input.From,
                    plan.Primary,
                    plan.Target
                );

                var networks = await ResultStep(
                    "create-networks",
                    "Internal and external network",
                    async () =>
                    {
                        var made = await Clusters.CreateNetworksAsync(
                            new(cluster, plan.Input.Subnet, plan.Input.ExternalNetwork, plan.Input.Vip)
                        );
                        Notes.AddRange(made.Notes);
                        return made;
                    },
                    undo: () => Clusters.TakeBackAsync(cluster, plan.Nodes)
                );
                await Step(
                    "create-nodes",
                    $"Volumes, containers; the secrets are {source}'s, since the roles are",
                    async () =>
                    {
                        await Clusters.ShareSecretsAsync(source, cluster);
                        await Clusters.CreateNodesAsync(plan.Spec(networks.Value), plan.Nodes);
                    }
                );
                await Step(
                    "restore",
                    $"Backup {target.Backups[^1]} of {source} and its WAL lie in {primary}'s volume",
                    async () =>
                    {
                        await Recoveries.RestoreAsync(primary, source, target);
                        await DataDirectories.SwapAsync(primary);
                    }
                );
                await RequiredStep(
                    "replay",
                    $"{primary} has replayed everything up to the target, and nothing more",
                    async () =>
                    {
                        await Nodes.ConfigureAsync(plan.Intent.Recovering(primary, target));
                        await Recoveries.ReplayAsync(primary, target);
                    }
                );
                var openedAt = Now;
                var promotion = await ResultStep(
                    "promote",
                    $"{primary} is promoted",
                    () => NodeRoles.PromoteAsync(primary, target.Timeline)
                );
                await RecordTimelineSwitchAsync(promotion, leftAt: null, openedAt);
                await Step(
                    "prepare-primary",
                    $"{primary} has the settings and slots of a primary, and the virtual IP",
                    async () =>
                    {
                        await Nodes.ConfigureAsync(plan.Intent.Primary(primary));
                        await Nodes.SetSlotsAsync(primary, [.. plan.Standbys.Select(node => node.Name)]);
                        await Clusters.SetRolesAsync(primary);
                        await Endpoints.TakeAsync(primary);
                    }
                );
                await Step("prove-archive", "The new archive takes its WAL", () => Archives.ProveAsync(primary));
                await Workflow.WhenAllAsync(
                    RequiredStep(
                        "prove-endpoint",
                        $"A commit through the endpoint arrives on {primary}",
                        () => Endpoints.ProveAsync(primary)
                    ),
                    MakeStandbysAsync()
                );
                async Task MakeStandbysAsync()
                {
                    await InParallel(
                        plan.Standbys,
                        node =>
                            Step(
                                $"copy/{node.Name}",
                                $"{node} is a copy of {primary}",
                                () => Replication.CloneAsync(node, primary)
                            )
                    );
                    await InParallel(
                        plan.Standbys,
                        node =>
                            Step(
                                $"follow/{node.Name}",
                                $"{node} follows {primary}",
                                () => Replication.AttachAsync(node, primary, promotion.Value.Timeline, plan.Intent)
                            )
                    );
                }

                await Step(
                    "synchronous-standbys",
                    $"synchronous_standby_names on {primary} matches the cluster's configuration",
                    () => Nodes.DemandConfirmationsAsync(plan.Intent.Primary(primary))
                );
                await Step(
                    "backup",
                    "A base backup, with which its own past begins",
                    () =>
                        BaseBackups.TakeAsync(
                            BaseBackups.SourceOf(primary, plan.Standbys, plan.FullPageWrites),
                            primary,
                            $"after {Workflow.Info.WorkflowId}"
                        )
                );
                Conclude($"{cluster} is as {source} was at {TargetText.Place(target)}; {primary} is the primary");
            }
        );
}

/// <summary>What is cloned, from where.</summary>
internal sealed record CloneClusterPlan : Plan
{
    public required CloneClusterInput Input { get; init; }

    public required ClusterSpec Source { get; init; }

    public required ResolvedTarget Target { get; init; }

    public required ClusterIntent Intent { get; init; }

    /// <summary>As the primary has it in its settings of today.</summary>
    public required bool FullPageWrites { get; init; }

    internal override object Decision =>
        new
        {
            Input.From,
            Nodes = Nodes.Count,
            Input.Vip,
            Input.Subnet,
            Input.ExternalNetwork,
            Source,
            Target = TargetText.Decision(Target),
            Intent,
        };

    internal NodeId Primary => new(Input.Cluster, NodeName.Of(1));

    internal IReadOnlyList<NodeId> Standbys => [.. Nodes.Skip(1)];

    /// <summary>By default as many as the source has.</summary>
    public required IReadOnlyList<NodeId> Nodes { get; init; }

    /// <summary>Decides, or refuses.</summary>
    public static async Task<CloneClusterPlan> FromAsync(CloneClusterInput input, ClusterState state)
    {
        if (state.Exists && state.Missing.Count == 0)
        {
            throw Failure.Refuse(
                $"there is a cluster {input.Cluster} already",
                new("give the clone another name"),
                Hint.Destroy(input.Cluster)
            );
        }

        state.RequireVacant();
        var source = (await Clusters.ObserveAsync(input.From)).RequireExisting();
        var target = await Repositories.ResolveAsync(input.From, input.Target);
        List<NodeId> nodes = [.. NodeId.First(input.Cluster, input.Nodes ?? source.Nodes.Count)];
        var meant = ClusterIntent.Of(source);
        var intent = meant.Within(nodes.Count) with { Members = [.. nodes.Select(node => node.Name)] };
        return new()
        {
            Summary =
                $"cluster {input.Cluster}: {PgFlowText.Count(nodes.Count, "node")}, as "
                + $"{input.From} was at {TargetText.Place(target)}",
            Facts =
            [
                .. TargetText.Facts(target),
                .. intent.Quorum == meant.Quorum
                    ? Array.Empty<string>()
                    : [$"each commit waits for {ExpectedNode.FewerThan(meant, intent.Quorum)}, as on {input.From}"],
            ],
            Warnings =
            [
                new(FindingCode.RolesOfSource, Detail: input.From.ToString()),
                .. Checks.TablespacesOf(source) is { } tablespaces
                    ?
                    [
                        new(
                            FindingCode.TablespacesOutside,
                            Detail: $"only a target before they were made is recoverable: {tablespaces}"
                        ),
                    ]
                    : Array.Empty<Finding>(),
                .. TargetText.Warnings(target),
            ],
            Input = input,
            Source = source.Spec!,
            Nodes = nodes,
            Target = target,
            Intent = intent,
            FullPageWrites = source.Primaries.All(primary => primary.FullPageWrites),
        };
    }

    /// <summary>The new cluster's labels.</summary>
    internal ClusterSpec Spec(CreatedNetworks networks) =>
        Source with
        {
            Cluster = Input.Cluster,
            Subnet = networks.Subnet,
            ExternalNetwork = networks.ExternalNetwork,
            Vip = networks.Vip,
        };
}

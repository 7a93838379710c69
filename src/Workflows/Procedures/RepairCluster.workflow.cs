using Temporalio.Workflows;

namespace PgFlow.Workflows;

/// <summary>What RepairCluster takes.</summary>
public sealed record RepairClusterInput : ProcedureInput
{
    /// <summary>The node whose data is the cluster's, where none runs and several could be the primary.</summary>
    [Flag("The node whose data is the cluster's, where no primary runs and several nodes hold a primary's data")]
    public NodeName? Primary { get; init; }
}

/// <summary>Makes again what is missing of a cluster (networks, volumes, containers); puts every node back in its
/// place.</summary>
[Workflow]
public sealed class RepairCluster : Procedure<RepairClusterInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(RepairClusterInput? input = null) =>
        RunAsync(
            input,
            RepairClusterPlan.From,
            async plan =>
            {
                var (cluster, primary, returning) = (plan.Spec.Cluster, plan.Primary, plan.Returning);

                await Step(
                    "recreate",
                    "Networks, volumes and containers that are missing are made again",
                    () => Clusters.RecreateAsync(plan.Spec),
                    undo: () => Clusters.TakeBackAsync(cluster)
                );

                PointOfNoReturn();
                await InParallel(
                    returning,
                    node =>
                        RequiredStep(
                            $"fence/{node.Id.Name}",
                            $"{node} can only come back as a standby",
                            () => Nodes.FenceAsync(node.Id, atOnce: true)
                        )
                );
                var timeline = plan.Timeline;
                if (plan.StartsPrimary)
                {
                    timeline = (
                        await ResultStep(
                            "start-primary",
                            $"{primary} runs as the primary that it was",
                            () => StartAsync(primary, plan)
                        )
                    ).Or(timeline);
                }

                await Step(
                    "prepare-primary",
                    $"{primary} keeps WAL for every other node and has PgFlow's own roles",
                    async () =>
                    {
                        await Nodes.SetSlotsAsync(primary, plan.Others);
                        await Clusters.SetRolesAsync(primary);
                    }
                );
                await InParallel(
                    plan.Serving,
                    node =>
                        Step(
                            $"settle/{node.Name}",
                            $"{node} is restarted by Docker, and reached by the others",
                            () => Nodes.SettleAsync(node)
                        )
                );
                await Step("move-endpoint", $"Endpoint on {primary}", () => Endpoints.MoveAsync(primary));
                await Step(
                    "prove-archive",
                    "The archive takes its WAL",
                    async () =>
                    {
                        await Archives.PublishHistoryAsync(primary);
                        await Archives.ProveAsync(primary);
                    }
                );
                await InParallel(
                    plan.Serving.Where(node => node != primary),
                    node =>
                        Step(
                            $"offer/{node.Name}",
                            $"{node} is on the read-only endpoint",
                            () => Endpoints.OfferReadOnlyAsync(node)
                        )
                );
                await InParallel(
                    returning,
                    node =>
                        RequiredStep(
                            $"rejoin/{node.Id.Name}",
                            $"{node}'s data continues {primary}'s line",
                            async () => Notes.Add(await ContinueLineAsync(node, plan))
                        )
                );
                await InParallel(
                    returning,
                    node =>
                        Step(
                            $"follow/{node.Id.Name}",
                            $"{node} follows {primary}",
                            () => Follow.Async(node.Id, primary, timeline, plan.Intent)
                        )
                );
                await Step(
                    "synchronous-standbys",
                    $"synchronous_standby_names on {primary} matches the cluster's configuration",
                    () => Nodes.ConfigureAsync(plan.Intent.Primary(primary, plan.Standbys))
                );
                await InParallel(
                    plan.Summarizers,
                    node =>
                        Step(
                            $"restart-summarizer/{node.Name}",
                            $"{node}'s WAL summarizer begins anew",
                            async () =>
                            {
                                if (!await RestartSummarizerAsync(node, primary))
                                {
                                    Notes.Add(
                                        $"{node}'s WAL summarizer fails again and is off; see: docker logs "
                                            + $"{node.Container}; a standby gets well by: pgflow remake {cluster} "
                                            + $"{node}"
                                    );
                                }
                            }
                        )
                );
                // Only now: a commit of a synchronous cluster waits for a standby that may have been the missing one.
                await RequiredStep(
                    "prove-endpoint",
                    $"A commit through the endpoint arrives on {primary}",
                    () => Endpoints.ProveAsync(primary)
                );
                if (plan.LacksRepository)
                {
                    await Step(
                        "backup",
                        "A base backup, with which the new archive begins",
                        () => BaseBackup.Async(primary, primary, $"after {Workflow.Info.WorkflowId}")
                    );
                }

                await Step("tidy-up", "What was set aside is removed", () => Clusters.TidyUpAsync(cluster));
                Conclude(
                    $"{cluster} is whole again: {primary} is the "
                        + $"primary{(returning.Count == 0 ? "" : $", {string.Join(", ", returning)} came back")}"
                );
            }
        );

    /// <returns>Its timeline: pg_control may tell an older one where it crashed soon after its promotion.</returns>
    private static async Task<Timeline> StartAsync(NodeId primary, RepairClusterPlan plan)
    {
        await Nodes.ConfigureAsync(plan.Intent.Primary(primary, []));
        await Nodes.StartAsync(primary);
        return (await Clusters.ObserveAsync(primary.Cluster)).RequirePrimary().Timeline!.Value;
    }

    /// <summary>A standby has a restartpoint, which removes WAL, only at a checkpoint of the primary that it has
    /// replayed.</summary>
    internal static async Task<bool> RestartSummarizerAsync(NodeId node, NodeId primary)
    {
        if (node != primary)
        {
            await Nodes.CheckpointAsync(primary);
            await Nodes.WaitForReplayAsync(node, primary);
        }

        return await Nodes.RestartSummarizerAsync(node);
    }

    /// <returns>How it was done, as a sentence.</returns>
    private static async Task<string> ContinueLineAsync(ReturningNode node, RepairClusterPlan plan)
    {
        if (node.HasData)
        {
            await Archives.SalvageAsync(node.Id);
            var way = WayBack.From(await DataDirectories.ExamineAsync(node.Id, plan.Primary)).Within(plan.Tablespaces);
            return await Failback.ContinueLineAsync(way, node.Id, plan.Primary);
        }

        await Follow.CopyAsync(node.Id, plan.Primary);
        return $"{node} is a new copy of {plan.Primary}: its data was gone";
    }
}

/// <summary>What is missing, and how it comes back.</summary>
internal sealed record RepairClusterPlan : Plan
{
    public required ClusterSpec Spec { get; init; }

    public required NodeId Primary { get; init; }

    /// <summary>The primary's branch, where it runs.</summary>
    public required Timeline Timeline { get; init; }

    /// <summary>Whether no node runs as the primary, so that <see cref="Primary"/> is started as it.</summary>
    public required bool StartsPrimary { get; init; }

    /// <summary>The nodes that have no container, or that stopped without being fenced; they come back as
    /// standbys.</summary>
    public required IReadOnlyList<ReturningNode> Returning { get; init; }

    /// <summary>The primary and the standbys that run.</summary>
    public required IReadOnlyList<NodeId> Serving { get; init; }

    /// <summary>Everybody for whom the primary has a slot.</summary>
    public required IReadOnlyList<NodeName> Others { get; init; }

    /// <summary>Who will be able to confirm commits.</summary>
    public required IReadOnlyList<NodeId> Standbys { get; init; }

    /// <summary>The nodes whose WAL summarizers run into errors; not those that don't replay now, and so remove no
    /// WAL.</summary>
    public required IReadOnlyList<NodeId> Summarizers { get; init; }

    /// <summary>Whether the archive, the backups and the ledger are gone.</summary>
    public required bool LacksRepository { get; init; }

    /// <summary>What stands against a rewind and a copy; null where nothing does.</summary>
    public required string? Tablespaces { get; init; }

    public required ClusterIntent Intent { get; init; }

    internal override object Decision =>
        new
        {
            Spec,
            Primary,
            Timeline,
            StartsPrimary,
            Returning,
            Serving,
            Others,
            Standbys,
            Summarizers,
            LacksRepository,
            Tablespaces,
            Intent,
        };

    /// <summary>Decides, or refuses.</summary>
    public static RepairClusterPlan From(RepairClusterInput input, ClusterState state)
    {
        var spec = state.RequireExisting().Spec!;
        RequireNothingForeign(state);
        var running = state.Primaries.Count > 0 ? state.RequirePrimary() : null;
        var primary = running ?? FormerPrimary(input, state);
        var others = state.Nodes.Where(node => node.Id != primary.Id).ToList();
        var returning = others.Where(Returns).ToList();
        var standbys = others.Where(node => node.Role is NodeRole.Standby).ToList();
        var plan = new RepairClusterPlan
        {
            Summary = SummaryOf(primary, running is null, returning),
            Facts =
            [
                .. state.Nodes.Select(node => $"{node.Id} is {Checks.Describe(node)}"),
                .. Missing(state).Select(resource => $"{resource} is gone"),
            ],
            Spec = spec,
            Primary = primary.Id,
            Timeline = primary.Timeline ?? default,
            StartsPrimary = running is null,
            Returning = [.. returning.Select(node => new ReturningNode(node.Id, node.Control is not null))],
            Serving = [.. standbys.Select(node => node.Id).Prepend(primary.Id)],
            Others = [.. others.Select(node => node.Id.Name)],
            Standbys = [.. ExpectedNode.ConfirmersOf(primary, standbys), .. returning.Select(node => node.Id)],
            Summarizers =
            [
                .. state
                    .Nodes.Where(node => node is { SummarizerFails: true, ReplayPaused: false, ApplyDelay: "" })
                    .Select(node => node.Id),
            ],
            LacksRepository = Missing(state).Any(resource => IsRepository(resource, state)),
            Tablespaces = Checks.TablespacesOf(state),
            Intent = ClusterIntent.Of(state),
        };
        var left = others.Except(returning).Except(standbys).Select(Stays);
        plan = plan with { Warnings = [.. left, .. plan.LacksRepository ? [RepositoryIsGone] : Array.Empty<string>()] };
        return plan.HasWork(state)
            ? plan
            : plan with
            {
                NothingToDo = true,
                Summary = Checks.NothingToDo($"nothing of {state.Cluster} is missing or out of its place", state),
            };
    }

    private const string RepositoryIsGone =
        "the repository is gone with archive, backups and ledger: nothing before this repair can be recovered; "
        + "afterwards rebuild the ledger";

    private bool HasWork(ClusterState state) =>
        StartsPrimary
        || Returning.Count > 0
        || LacksRepository
        || Summarizers.Count > 0
        || Inspection.DeviationsOf(state).Any(ExpectedNode.CanRepair);

    /// <summary>A node that is fenced and has its container stays fenced: Failback's decision.</summary>
    private static bool Returns(NodeState node) =>
        node.Role is NodeRole.Missing || node is { Role: NodeRole.Stopped, RestartPolicy: ExpectedNode.RestartPolicy };

    private static string Stays(NodeState node) =>
        $"{node.Id} stays as it is ({Checks.Describe(node)}); afterwards: {Checks.WayBackOf(node)}";

    private static IEnumerable<Resource> Missing(ClusterState state) =>
        state.Resources.Where(resource => resource.State is ResourceState.Missing);

    private static bool IsRepository(Resource resource, ClusterState state) =>
        resource.Kind is ResourceKind.Volume && state.Nodes.All(node => node.Id.Container != resource.Name);

    private static string SummaryOf(NodeState primary, bool starts, List<NodeState> returning)
    {
        var role = starts ? "is started as the primary that it was" : "is the primary";
        return $"{primary.Id.Cluster} is made whole: {primary.Id} "
            + $"{role}{(returning.Count == 0 ? "" : $", {Checks.Names(returning)} come back as standbys")}";
    }

    private static void RequireNothingForeign(ClusterState state)
    {
        var foreign = state.Resources.Where(resource => resource.State is ResourceState.Foreign).ToList();
        if (foreign.Count > 0)
        {
            throw Ends.Refuse(
                $"{string.Join(", ", foreign)}: not PgFlow's, with a name of {state.Cluster}'s or on one of its "
                    + "volumes; "
                    + "remove or rename what is foreign first"
            );
        }
    }

    /// <summary>The one node whose data is a primary's, and that nobody has overtaken; or the one that a person
    /// names.</summary>
    private static NodeState FormerPrimary(RepairClusterInput input, ClusterState state)
    {
        if (state.Nodes.FirstOrDefault(node => node.Role is NodeRole.Unreachable) is { } unknown)
        {
            throw Ends.Refuse(
                $"{unknown.Id} is {Checks.Describe(unknown)}, so nobody knows whether it is the primary; "
                    + $"fence it first: pgflow failover {state.Cluster}"
            );
        }

        var found = Chosen(input, state);
        return state.Nodes.FirstOrDefault(node => node.Timeline > found.Timeline) is { } ahead
            ? throw Ends.Refuse(
                $"{found.Id} was the primary on timeline {found.Timeline}, and {ahead.Id} went on to timeline "
                    + $"{ahead.Timeline}: "
                    + $"{found.Id} is not started; choose with: pgflow failover {state.Cluster} --to {ahead.Id}"
            )
            : found;
    }

    private static NodeState Chosen(RepairClusterInput input, ClusterState state)
    {
        var candidates = state
            .Nodes.Where(node =>
                node is { Role: NodeRole.Stopped or NodeRole.Missing, StandbySignal: false, Control: not null }
            )
            .ToList();
        var names = string.Join(", ", candidates.Select(node => $"{node.Id} (timeline {node.Timeline})"));
        return (input.Primary, candidates) switch
        {
            ({ } name, _) => candidates.Find(node => node.Id.Name == name)
                ?? throw Ends.Refuse(
                    $"primary: {name} holds no primary's data; those that do: {(names.Length == 0 ? "none" : names)}"
                ),
            (null, [var only]) => only,
            (null, []) => throw Ends.Refuse(
                $"no node of {state.Cluster} accepts writes, and none holds a primary's data: all would come "
                    + "back as standbys; "
                    + $"start one and choose it: pgflow failover {state.Cluster} --to NODE"
            ),
            _ => throw Ends.Refuse(
                $"a primary's data hold {names}: which of them is the cluster? Name it with --primary; "
                    + "the others are rewound to it, or made anew from it"
            ),
        };
    }
}

/// <summary>A node that comes back as a standby.</summary>
/// <param name="Id">The node.</param>
/// <param name="HasData">Whether it has a data directory.</param>
internal sealed record ReturningNode(NodeId Id, bool HasData)
{
    /// <inheritdoc/>
    public override string ToString() => Id.ToString();
}

namespace PgFlow.Workflows.Procedures;

/// <summary>What is missing, and how it comes back.</summary>
internal sealed record RepairClusterPlan : Plan
{
    public required ClusterSpec Spec { get; init; }

    public required IReadOnlyList<NodeId> Members { get; init; }

    public required NodeId Primary { get; init; }

    /// <summary>The primary's branch, where it runs.</summary>
    public required Timeline Timeline { get; init; }

    /// <summary>Whether no node runs as the primary, so that <see cref="Primary"/> is started as it.</summary>
    public required bool StartsPrimary { get; init; }

    /// <summary>The nodes that have no container, or that stopped without being fenced; they return as
    /// standbys.</summary>
    public required IReadOnlyList<ReturningNode> Returning { get; init; }

    /// <summary>The primary and the standbys that run.</summary>
    public required IReadOnlyList<NodeId> Serving { get; init; }

    /// <summary>Everybody for whom the primary has a slot.</summary>
    public required IReadOnlyList<NodeName> Others { get; init; }

    /// <summary>Those that run and have other nodes in their settings than the cluster has.</summary>
    public required IReadOnlyList<NodeId> Outdated { get; init; }

    /// <summary>Who holds the virtual IP; null where nobody does.</summary>
    public required NodeId? EndpointHolder { get; init; }

    /// <summary>The nodes whose WAL summarizers run into errors; not those that don't replay now, and so remove no
    /// WAL.</summary>
    public required IReadOnlyList<NodeId> Summarizers { get; init; }

    /// <summary>Whether the archive, the backups and the ledger are gone.</summary>
    public required bool LacksRepository { get; init; }

    /// <summary>What stands against a rewind and a copy; null where nothing does.</summary>
    public required string? Tablespaces { get; init; }

    public required ClusterIntent Intent { get; init; }

    /// <summary>What the primary demanded when it ran last.</summary>
    public required string StandbyNames { get; init; }

    internal override object Decision =>
        new
        {
            Spec,
            Primary,
            Timeline,
            StartsPrimary,
            Returning,
            Serving,
            Outdated,
            Others,
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
        var intent = ClusterIntent.Of(state.Nodes, primary);
        var plan = new RepairClusterPlan
        {
            Summary = SummaryOf(primary, running is null, returning),
            Facts =
            [
                .. state.Nodes.Select(node => $"{node.Id} is {Checks.Describe(node)}"),
                .. Missing(state).Select(resource => $"{resource} is gone"),
            ],
            Spec = spec,
            Members = [.. state.Nodes.Select(node => node.Id)],
            Primary = primary.Id,
            Timeline = primary.Timeline ?? default,
            StartsPrimary = running is null,
            Returning = [.. returning.Select(node => new ReturningNode(node.Id, node.Control is not null))],
            Serving = [.. standbys.Select(node => node.Id).Prepend(primary.Id)],
            Outdated =
            [
                .. state
                    .Nodes.Where(node => node.Role is NodeRole.Primary or NodeRole.Standby)
                    .Where(node => ExpectedNode.IsOutdated(node, intent))
                    .Select(node => node.Id),
            ],
            EndpointHolder = state.EndpointHolder?.Id,
            Others = [.. others.Select(node => node.Id.Name)],
            Summarizers =
            [
                .. state
                    .Nodes.Where(node => node is { SummarizerFails: true, ReplayPaused: false, ApplyDelay: "" })
                    .Select(node => node.Id),
            ],
            LacksRepository = Missing(state).Any(resource => IsRepository(resource, state)),
            Tablespaces = Checks.TablespacesOf(state),
            Intent = intent,
            StandbyNames = primary.Demand.ToString(),
        };
        var left = others.Except(returning).Except(standbys).Select(Stays);
        plan = plan with
        {
            Warnings = [.. left, .. plan.LacksRepository ? [RepositoryGone(state)] : Array.Empty<Finding>()],
        };
        return plan.HasWork(state)
            ? plan
            : plan with
            {
                NothingToDo = true,
                Summary = Checks.NothingToDo($"nothing of {state.Cluster} is missing or out of its place"),
                Warnings = [.. Checks.LeftIn(state)],
            };
    }

    private static Finding RepositoryGone(ClusterState state) =>
        new(
            FindingCode.RepositoryGone,
            Hint: Hint.Run("afterwards rebuild the ledger", nameof(RebuildLedger), state.Cluster)
        );

    private bool HasWork(ClusterState state) =>
        StartsPrimary
        || Returning.Count > 0
        || LacksRepository
        || Summarizers.Count > 0
        || Inspection.DeviationsOf(state).Any(ExpectedNode.CanRepair);

    /// <summary>A node that is fenced and has its container and its data stays fenced: Failback's decision.</summary>
    private static bool Returns(NodeState node) =>
        node.Role is NodeRole.Missing
        || node.LacksData
        || node is { Role: NodeRole.Stopped, RestartPolicy: ExpectedNode.RestartPolicy };

    private static Finding Stays(NodeState node) =>
        new(FindingCode.NotTakingPart, node.Id, Checks.Describe(node), Hint.Afterwards(node));

    private static IEnumerable<Resource> Missing(ClusterState state) =>
        state.Resources.Where(resource => resource.State is ResourceState.Missing);

    private static bool IsRepository(Resource resource, ClusterState state) =>
        resource.Kind is ResourceKind.Volume && state.Nodes.All(node => node.Id.Container != resource.Name);

    private static string SummaryOf(NodeState primary, bool starts, List<NodeState> returning)
    {
        var role = starts ? "is started as the primary that it was" : "is the primary";
        return $"{primary.Id.Cluster} is made whole: {primary.Id} "
            + $"{role}{(returning.Count == 0 ? "" : $", {Checks.Names(returning)} return as standbys")}";
    }

    private static void RequireNothingForeign(ClusterState state)
    {
        var foreign = state.Resources.Where(resource => resource.State is ResourceState.Foreign).ToList();
        if (foreign.Count > 0)
        {
            throw Failure.Refuse(
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
            throw Failure.Refuse(
                $"{unknown.Id} is {Checks.Describe(unknown)}, so nobody knows whether it is the primary",
                Hint.Failover(state.Cluster)
            );
        }

        var found = Chosen(input, state);
        return state.Nodes.FirstOrDefault(node => node.Timeline > found.Timeline) is { } ahead
            ? throw Failure.Refuse(
                $"{found.Id} was the primary on timeline {found.Timeline}, and {ahead.Id} went on to timeline "
                    + $"{ahead.Timeline}: {found.Id} is not started",
                Hint.Failover(state.Cluster, ahead.Id.Name)
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
                ?? throw Failure.Refuse(
                    $"primary: {name} holds no primary's data; those that do: {(names.Length == 0 ? "none" : names)}"
                ),
            (null, [var only]) => only,
            (null, []) => throw Failure.Refuse(
                $"no node of {state.Cluster} accepts writes, and none holds a primary's data: all would come "
                    + "back as standbys; start one first",
                Hint.Failover(state.Cluster)
            ),
            _ => throw Failure.Refuse(
                $"a primary's data hold {names}: which of them is the cluster? The others are rewound to it, or made "
                    + "anew from it",
                [
                    .. candidates.Select(node =>
                        Hint.Start($"go on with {node.Id}", input with { Primary = node.Id.Name })
                    ),
                ]
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

namespace PgFlow.Workflows.Procedures;

/// <summary>Where a cluster is brought back to, and by which node.</summary>
internal sealed record RecoverClusterPlan : Plan
{
    public required RecoverClusterInput Input { get; init; }

    public required ResolvedTarget Target { get; init; }

    /// <summary>What is written after the plan may change what the target means: nothing was behind it, and its branch
    /// may grow.</summary>
    public required bool IsOpen { get; init; }

    /// <summary>The node that recovers: the one that clients wrote to.</summary>
    public required NodeId Node { get; init; }

    /// <summary>The node that accepts writes; null where none does.</summary>
    public required NodeId? Primary { get; init; }

    public required IReadOnlyList<FencedNode> Nodes { get; init; }

    public required ClusterIntent Intent { get; init; }

    /// <summary>As the primary has it in its settings of today.</summary>
    public required bool FullPageWrites { get; init; }

    /// <summary>Every other node, also one that is missing: WAL is kept for it until it comes back.</summary>
    public required IReadOnlyList<NodeName> Slots { get; init; }

    internal override object Decision =>
        new
        {
            Target = TargetText.Decision(Target),
            IsOpen,
            Node,
            Primary,
            Nodes = Nodes.Select(node => node.Id),
            Slots,
            Intent,
        };

    internal IReadOnlyList<NodeId> Standbys => [.. Nodes.Select(node => node.Id).Where(node => node != Node)];

    /// <summary>The settings that the recovering node had, for the way back.</summary>
    public required NodeSettings SettingsOfToday { get; init; }

    /// <summary>The same with another target.</summary>
    public RecoverClusterPlan MovedTo(ResolvedTarget target) =>
        this with
        {
            Target = target,
            Facts = TargetText.Facts(target),
            Warnings =
            [
                .. Warnings.Where(warning => warning.Code is not FindingCode.RemovedEarly),
                .. TargetText.Warnings(target),
            ],
            Summary = SummaryOf(target, Node, Standbys),
        };

    /// <summary>The target, resolved again with all the WAL there is: what was written between the plan and the end of
    /// the branch must not change what it means.</summary>
    public ResolvedTarget Confirmed(ResolvedTarget today) =>
        today.Timeline == Target.Timeline && (today.End == Target.End || Target.EndOfBranch)
            ? today
            : throw Failure.Refuse(
                $"the target now is {today.End} on timeline {today.Timeline}, not {Target.End} on timeline "
                    + $"{Target.Timeline} as planned"
            );

    /// <summary>Decides, or refuses.</summary>
    public static async Task<RecoverClusterPlan> FromAsync(RecoverClusterInput input, ClusterState state)
    {
        state.RequireExisting();
        if (state.Primaries.Count > 1)
        {
            throw Failure.Refuse(
                $"{Checks.Names(state.Primaries)} accept writes at once: which of them is the cluster?",
                Hint.Rejoin(state.Cluster)
            );
        }

        return From(input, state, await Repositories.ResolveAsync(input.Cluster, input.Target));
    }

    /// <summary>The pure part of the decision.</summary>
    internal static RecoverClusterPlan From(RecoverClusterInput input, ClusterState state, ResolvedTarget target)
    {
        state.RequireNoTablespaces();
        var primary = state.Primaries.Count > 0 ? state.Primaries[0] : null;
        var nodes = state.Nodes.Where(other => other.Role is not NodeRole.Missing).ToList();
        var node =
            primary
            ?? state.EndpointHolder
            ?? nodes.Find(other => other.Role is not NodeRole.Standby)
            ?? nodes.FirstOrDefault()
            ?? throw Failure.Refuse($"no node of {state.Cluster} has a container", Hint.Repair(state.Cluster));
        var intent = ClusterIntent.Of(state);
        return new()
        {
            Summary = SummaryOf(target, node.Id, nodes.Where(other => other != node).Select(other => other.Id)),
            Facts = TargetText.Facts(target),
            Warnings =
            [
                .. primary is null
                    ? Array.Empty<Finding>()
                    : [new(FindingCode.ClientsCutOff, primary.Id, $"{primary.Timeline}")],
                .. state.Missing.Select(other => new Finding(
                    FindingCode.NotTakingPart,
                    other.Id,
                    Checks.Describe(other),
                    Hint.Afterwards(other)
                )),
                new(FindingCode.NotRecovered),
                .. TargetText.Warnings(target),
            ],
            Input = input,
            Target = target,
            IsOpen =
                target.FirstDropped is null
                && state.Nodes.Any(other => other.Role is NodeRole.Unreachable || other.Timeline == target.Timeline),
            Node = node.Id,
            Primary = primary?.Id,
            Nodes = [.. nodes.Select(FencedNode.Of)],
            Slots = [.. state.Nodes.Where(other => other != node).Select(other => other.Id.Name)],
            SettingsOfToday = intent.Primary(node.Id, node.Demand),
            Intent = intent,
            FullPageWrites = state.Primaries.All(other => other.FullPageWrites),
        };
    }

    private static string SummaryOf(ResolvedTarget target, NodeId node, IEnumerable<NodeId> standbys) =>
        $"{node.Cluster} goes back to {TargetText.Place(target)}; {node} recovers, "
        + $"{(string.Join(", ", standbys) is { Length: > 0 } others ? $"{others} made anew" : "it is alone")}";
}

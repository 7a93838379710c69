using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What RemoveNode takes.</summary>
public sealed record RemoveNodeInput : ProcedureInput
{
    /// <summary>The node; not the primary.</summary>
    [Flag("The node; not the primary", Place = FlagPlace.Behind)]
    public NodeName? Node { get; init; }

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() => Missing("node", Node is null, "name the node to remove");
}

/// <summary>Takes a node out of a cluster for good, with its container and its volume; what only it has of the archive
/// is kept.</summary>
[Workflow]
public sealed class RemoveNode : Procedure<RemoveNodeInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(RemoveNodeInput? input = null) =>
        RunAsync(
            input,
            RemoveNodePlan.From,
            async plan =>
            {
                var (node, primary) = (plan.Node, plan.Primary);

                if (plan.Lift is { } lift)
                {
                    await Step(
                        "lift-confirmation",
                        $"{primary} does not wait for {node}'s confirmation any more",
                        () => lift.BeginAsync(plan.Settings),
                        undo: () => lift.EndAsync(plan.Settings)
                    );
                }

                if (plan.LacksContainer)
                {
                    await Step(
                        "recreate",
                        $"{node} has a container, in which its WAL can be read",
                        () => Clusters.RecreateNodeAsync(node, plan.Spec),
                        undo: () => Clusters.TakeBackNodeAsync(node)
                    );
                }

                if (plan.HasData)
                {
                    await RequiredStep(
                        "fence",
                        $"{node} is stopped and can't restart as a primary",
                        () => NodeRoles.FenceAsync(node),
                        undo: plan.Returns ? plan.Before!.ReturnAsync : null
                    ); // a primary beside the other one stays fenced
                    await Step(
                        "salvage",
                        $"What only {node} has of the WAL is in the archive",
                        async () =>
                        {
                            await Archives.SalvageAsync(node);
                            await Archives.KeepAsync(node);
                        }
                    );
                }

                // From here on nobody misses it: whoever ends this half-way leaves a container or a volume of a node
                // that is no member, and that is removed by the same procedure. They go last.
                await Step(
                    "record-members",
                    $"The cluster's nodes are {string.Join(", ", plan.Members)}, in the settings of each",
                    () => AddStandby.RememberAsync(plan.Present, plan.Members),
                    undo: () => AddStandby.RememberAsync(plan.Present, plan.Intent.Members)
                );

                PointOfNoReturn();
                await Step(
                    "drop-slot",
                    $"{primary} keeps no WAL for {node}",
                    () =>
                        Nodes.SetSlotsAsync(
                            primary,
                            [.. plan.Members.Where(member => member != primary.Name)],
                            gone: node.Name
                        )
                );
                await Step("remove", $"{node}'s container and volume are gone", () => Clusters.RemoveNodeAsync(node));
                Conclude(
                    $"{node} is gone with its data: {node.Cluster} has {PgFlowText.Count(plan.Members.Count, "node")}"
                );
            }
        );
}

/// <summary>Who goes, and what is kept of it.</summary>
internal sealed record RemoveNodePlan : Plan
{
    public required NodeId Node { get; init; }

    public required NodeId Primary { get; init; }

    public required ClusterSpec Spec { get; init; }

    /// <summary>Whether it has something to keep.</summary>
    public required bool HasData { get; init; }

    /// <summary>Whether it has it in a volume alone.</summary>
    public required bool LacksContainer { get; init; }

    /// <summary>The node as it is now, for the way back; null of what is left of one.</summary>
    public required FencedNode? Before { get; init; }

    /// <summary>Whether it is started again if this fails.</summary>
    public bool Returns => Before is { WasMarked: not false } && !LacksContainer;

    /// <summary>How it is let go; null where nobody waits for it.</summary>
    public required Lift? Lift { get; init; }

    /// <summary>The nodes that stay.</summary>
    public required IReadOnlyList<NodeName> Members { get; init; }

    /// <summary>Those whose settings can be written, the primary first; the others learn of it when they come
    /// back.</summary>
    public required IReadOnlyList<NodeId> Present { get; init; }

    public required ClusterIntent Intent { get; init; }

    internal NodeSettings Settings => Intent.Primary(Primary);

    internal override object Decision =>
        new
        {
            Node,
            Primary,
            Before,
            HasData,
            LacksContainer,
            Lift,
            Members,
            Present,
            Intent,
        };

    /// <summary>Decides, or refuses.</summary>
    public static RemoveNodePlan From(RemoveNodeInput input, ClusterState state)
    {
        var id = new NodeId(state.RequireExisting().Cluster, input.Node!.Value);
        var node = state.Find(id.Name);
        if (node is null && !Membership.LeftoversOf(state).Contains(id))
        {
            throw Failure.Refuse($"{state.Cluster} has no node {id}; it has {Checks.Names(state.Nodes)}");
        }

        var primary = state.RequirePrimaryBeside(node);
        if (node == primary)
        {
            throw Failure.Refuse(
                $"{id} is the primary",
                state.Nodes.Count > 1 ? Hint.Switchover(state.Cluster) : Hint.Destroy(state.Cluster)
            );
        }

        RequireSoleUse(id, state);
        primary.RequireOwnConfirmations();
        var intent = ClusterIntent.Of(state.Nodes, primary);
        var lift = Lift.Of(id, primary, intent);
        var hasVolume = node?.HasVolume ?? Membership.IsThere(id, state, ResourceKind.Volume);
        var hasContainer = node is null
            ? Membership.IsThere(id, state, ResourceKind.Container)
            : node.Role is not NodeRole.Missing;
        List<NodeState> stay = [.. state.Nodes.Where(other => other.Id != id)];
        return new()
        {
            Summary = node is null
                ? $"what is left of {id} is removed"
                : $"{id} is removed: {state.Cluster} has {PgFlowText.Count(stay.Count, "node")}",
            Facts =
            [
                $"primary {primary.Id}; "
                    + (node is null ? $"{id} is no node of the cluster" : $"{id} is {Checks.Describe(node)}"),
            ],
            Warnings =
            [
                .. node?.Role is NodeRole.Primary
                    ? [new(FindingCode.WritesDropped, id, primary.Id.ToString())]
                    : Array.Empty<Finding>(),
                new(FindingCode.NodeRemoved, id),
                .. stay.Count == 1 && node is not null
                    ? [new(FindingCode.NoStandbyLeft, id, primary.Id.ToString())]
                    : Array.Empty<Finding>(),
                .. lift?.Warnings(primary.Id, intent) ?? [],
                .. node is null ? [] : Checks.SlotsLost(node),
            ],
            Node = id,
            Primary = primary.Id,
            Spec = state.Spec!,
            HasData = hasVolume,
            LacksContainer = hasVolume && !hasContainer,
            Before = node is null ? null : FencedNode.Of(node),
            Lift = lift,
            Members = [.. Membership.Names(stay)],
            Present =
            [
                primary.Id,
                .. stay.Where(other => other != primary && other.TakesSettings).Select(other => other.Id),
            ],
            Intent = intent,
        };
    }

    private static void RequireSoleUse(NodeId node, ClusterState state)
    {
        if (
            state.Resources.FirstOrDefault(resource =>
                resource.State is ResourceState.Foreign && (resource.Uses ?? resource.Name) == node.Container
            ) is
            { } foreign
        )
        {
            throw Failure.Refuse(
                $"{foreign}{(foreign.Uses is null ? "" : $" uses volume {foreign.Uses} and")} is not PgFlow's",
                new Hint("remove or rename it first")
            );
        }
    }
}

using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What RemakeStandby takes.</summary>
public sealed record RemakeStandbyInput : ProcedureInput
{
    /// <summary>The standby.</summary>
    [Flag("The standby", Place = FlagPlace.Behind)]
    public NodeName? Node { get; init; }

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() => Missing("node", Node is null, "name the standby to remake");
}

/// <summary>Gives a standby a fresh copy of the primary; the old data goes only when the new node is proven.</summary>
[Workflow]
public sealed class RemakeStandby : Procedure<RemakeStandbyInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(RemakeStandbyInput? input = null) =>
        RunAsync(
            input,
            RemakeStandbyPlan.From,
            async plan =>
            {
                var (node, primary) = (plan.Node, plan.Primary);

                await Step(
                    "prepare-primary",
                    $"{primary} keeps WAL for {node} and has PgFlow's own roles",
                    async () =>
                    {
                        await Nodes.SetSlotsAsync(primary, plan.Others);
                        await Clusters.SetRolesAsync(primary);
                    }
                );
                if (plan.Lift is { } lift)
                {
                    await Step(
                        "lift-confirmation",
                        $"{primary} does not wait for {node}'s confirmation any more",
                        () => lift.BeginAsync(plan.Intent.Primary(primary)),
                        undo: () => lift.EndAsync(plan.Intent.Primary(primary))
                    );
                }

                await Step(
                    "fence",
                    $"{node} is stopped and can't restart as a primary",
                    () => NodeRoles.FenceAsync(node),
                    undo: plan.WasWrong ? null : plan.Before.ReturnAsync
                ); // a primary beside this one stays fenced
                await Step("salvage", $"{node}'s unarchived WAL is in the archive", () => Archives.SalvageAsync(node));
                await Step(
                    "copy",
                    $"A copy of {primary} lies beside {node}'s data",
                    () => DataDirectories.CopyAsync(node, primary)
                );
                await Step(
                    "swap",
                    $"{node} uses the copy",
                    () => DataDirectories.SwapAsync(node),
                    undo: () => DataDirectories.SwapBackAsync(node)
                );

                PointOfNoReturn();
                await Step(
                    "follow",
                    $"{node} follows {primary}",
                    () => Replication.AttachAsync(node, primary, plan.Timeline, plan.Intent)
                );
                await Step(
                    "synchronous-standbys",
                    $"synchronous_standby_names on {primary} matches the cluster's configuration",
                    () => Nodes.DemandConfirmationsAsync(plan.Intent.Primary(primary))
                );
                await Step(
                    "tidy-up",
                    "What was set aside is removed",
                    () => Clusters.TidyUpAsync(node.Cluster, plan.AllNodes)
                );
                Conclude($"{node} is a fresh copy of {primary} and follows it");
            }
        );
}

/// <summary>Who is remade from whom.</summary>
internal sealed record RemakeStandbyPlan : Plan
{
    public required NodeId Node { get; init; }

    public required NodeId Primary { get; init; }

    /// <summary>The primary's branch.</summary>
    public required Timeline Timeline { get; init; }

    public IReadOnlyList<NodeName> Others => [.. AllNodes.Where(node => node != Primary).Select(node => node.Name)];

    public required IReadOnlyList<NodeId> AllNodes { get; init; }

    /// <summary>How it is let go; null where nobody waits for it.</summary>
    public required Lift? Lift { get; init; }

    /// <summary>The node as it is now, for the way back.</summary>
    public required FencedNode Before { get; init; }

    /// <summary>Whether it accepts writes beside the primary, or would when it is started.</summary>
    public bool WasWrong => Before.WasMarked is false;

    public required ClusterIntent Intent { get; init; }

    internal override object Decision =>
        new
        {
            Node,
            Primary,
            Timeline,
            WasWrong,
            Others,
            Lift,
            Intent,
        };

    /// <summary>Decides, or refuses.</summary>
    public static RemakeStandbyPlan From(RemakeStandbyInput input, ClusterState state)
    {
        var node = state.RequireExisting().RequireNoTablespaces().RequireNode(input.Node!.Value);
        var primary = state.RequirePrimaryBeside(node).RequireOwnConfirmations();
        var intent = ClusterIntent.Of(state.Nodes, primary);
        var lift = Lift.Of(node.Id, primary, intent);
        return node == primary
            ? throw Failure.Refuse($"{node.Id} is the primary", Hint.Switchover(state.Cluster))
            : new()
            {
                Summary = $"{node.Id} becomes a fresh copy of {primary.Id}",
                Facts = [$"primary {primary.Id} on timeline {primary.Timeline}; {node.Id} is {Checks.Describe(node)}"],
                Warnings =
                [
                    .. node.Role is NodeRole.Primary
                        ? [new(FindingCode.WritesDropped, node.Id, primary.Id.ToString())]
                        : Array.Empty<Finding>(),
                    .. lift?.Warnings(primary.Id, intent, $" until {node.Id} follows again") ?? [],
                    .. Checks.SlotsLost(node),
                ],
                Node = node.Id,
                Primary = primary.Id,
                Timeline = primary.Timeline!.Value,
                AllNodes = [.. state.Nodes.Select(other => other.Id)],
                Lift = lift,
                Before = FencedNode.Of(node),
                Intent = intent,
            };
    }
}

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
                var follows = false;

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
                        () => LiftAsync(primary, lift.Others, plan.Intent),
                        undo: async () =>
                        {
                            if (lift.Streams)
                            {
                                await Nodes.ProveStreamingAsync(node, primary);
                            }

                            await Nodes.ConfigureAsync(
                                plan.Intent.Primary(
                                    primary,
                                    plan.Standbys,
                                    plan.Confirmable.With(back: lift.Streams ? 1 : 0)
                                )
                            );
                        }
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
                    async () =>
                    {
                        await Replication.AttachAsync(node, primary, plan.Timeline, plan.Intent);
                        follows = true;
                    }
                );
                await Step(
                    "synchronous-standbys",
                    $"synchronous_standby_names on {primary} matches the cluster's configuration",
                    () =>
                        Nodes.ConfigureAsync(
                            plan.Intent.Primary(
                                primary,
                                plan.Standbys.Where(standby => follows || standby != node),
                                plan.Confirmable.With(back: follows ? 1 : 0)
                            )
                        )
                );
                await Step(
                    "tidy-up",
                    "What was set aside is removed",
                    () => Clusters.TidyUpAsync(node.Cluster, plan.AllNodes)
                );
                Conclude($"{node} is a fresh copy of {primary} and follows it");
            }
        );

    /// <summary>What only the node has confirmed is on those that are asked from now on, before its data
    /// goes.</summary>
    internal static async Task LiftAsync(NodeId primary, IReadOnlyList<NodeId> others, ClusterIntent intent)
    {
        await ProveAsync(); // while it still confirms: one that is behind keeps no client waiting
        await Nodes.ConfigureAsync(intent.Primary(primary, others));
        await ProveAsync(); // what it confirmed meanwhile

        Task ProveAsync() => InParallel(others, other => Nodes.ProveStreamingAsync(other, primary));
    }
}

/// <summary>Who confirms commits while a node that was asked to is away.</summary>
/// <param name="Others">The other standbys that stream.</param>
/// <param name="Streams">Whether the node itself streamed.</param>
internal sealed record Lift(IReadOnlyList<NodeId> Others, bool Streams);

/// <summary>Who is remade from whom.</summary>
internal sealed record RemakeStandbyPlan : Plan
{
    public required NodeId Node { get; init; }

    public required NodeId Primary { get; init; }

    /// <summary>The primary's branch.</summary>
    public required Timeline Timeline { get; init; }

    public IReadOnlyList<NodeName> Others => [.. AllNodes.Where(node => node != Primary).Select(node => node.Name)];

    public required IReadOnlyList<NodeId> AllNodes { get; init; }

    /// <summary>Who will be able to confirm commits.</summary>
    public required IReadOnlyList<NodeId> Standbys { get; init; }

    /// <summary>How many of the others can.</summary>
    public required Confirmable Confirmable { get; init; }

    /// <summary>Who confirms commits meanwhile; null where the node is not asked to.</summary>
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
            Standbys,
            Lift,
            Intent,
        };

    /// <summary>Decides, or refuses.</summary>
    public static RemakeStandbyPlan From(RemakeStandbyInput input, ClusterState state)
    {
        var node = state.RequireExisting().RequireNoTablespaces().RequireNode(input.Node!.Value);
        var primary = state.RequirePrimaryBeside(node);
        var (intent, lift) = (ClusterIntent.Of(state.Nodes, primary), LiftOf(node, primary, state));
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
                    .. lift is not null && lift.Others.Count < intent.Quorum
                        ?
                        [
                            new(
                                FindingCode.FewerConfirm,
                                primary.Id,
                                $"{ExpectedNode.FewerThan(intent, lift.Others.Count)} until {node.Id} follows again"
                            ),
                        ]
                        : Array.Empty<Finding>(),
                    .. node
                        .Slots.Where(slot => !slot.IsOurs && !slot.Synced)
                        .Select(slot => new Finding(
                            FindingCode.SlotLeftBehind,
                            node.Id,
                            $"slot {slot.Name} of {node.Id} goes with its data"
                        )),
                ],
                Node = node.Id,
                Primary = primary.Id,
                Timeline = primary.Timeline!.Value,
                AllNodes = [.. state.Nodes.Select(other => other.Id)],
                Standbys =
                [
                    .. ExpectedNode.ConfirmersOf(primary, state.Standbys.Where(standby => standby != node)),
                    node.Id,
                ],
                Confirmable = Confirmable.Of(primary, state.Standbys.Where(standby => standby != node)),
                Lift = lift,
                Before = FencedNode.Of(node),
                Intent = intent,
            };
    }

    private static Lift? LiftOf(NodeState node, NodeState primary, ClusterState state)
    {
        List<NodeId> streaming =
        [
            .. state.Standbys.Where(standby => !Checks.ReplicationIssues(standby, primary).Any()).Select(one => one.Id),
        ];
        return primary.Demand.Nodes.Contains(node.Id.Name)
            ? new([.. streaming.Where(other => other != node.Id)], streaming.Contains(node.Id))
            : null;
    }
}

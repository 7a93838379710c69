using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What Failback takes.</summary>
public sealed record FailbackInput : ProcedureInput
{
    /// <summary>The node that comes back; the only one that is missing where none is named.</summary>
    [Flag(
        "The node that comes back; the only one that is missing where none is named",
        Place = FlagPlace.BehindOptional
    )]
    public NodeName? Node { get; init; }
}

/// <summary>An old primary, or a standby that left the primary's line, comes back as a standby.</summary>
[Workflow]
public sealed class Failback : Procedure<FailbackInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(FailbackInput? input = null) =>
        RunAsync(
            input,
            FailbackPlan.From,
            async plan =>
            {
                var (node, primary) = (plan.Node, plan.Primary);

                await RequiredStep(
                    "fence",
                    $"{node} is stopped and can't restart as a primary",
                    () => NodeRoles.FenceAsync(node),
                    undo: plan.Before.WasStandby ? plan.Before.ReturnAsync : null
                ); // a wrong or lost primary stays fenced
                await Step("salvage", $"{node}'s unarchived WAL is in the archive", () => Archives.SalvageAsync(node));
                await Step(
                    "prepare-primary",
                    $"{primary} keeps WAL for {node} and has PgFlow's own roles",
                    async () =>
                    {
                        await Nodes.SetSlotsAsync(primary, plan.Others);
                        await Clusters.SetRolesAsync(primary);
                    }
                );
                var way = await ResultStep(
                    "choose-way",
                    $"Choose how {node} rejoins: unchanged, pg_rewind, or a new base backup",
                    async () => Rejoin.From(await DataDirectories.ExamineAsync(node, primary)).Within(plan.Tablespaces)
                );

                PointOfNoReturn();
                await RequiredStep(
                    "rejoin",
                    $"{node}'s data continues {primary}'s line",
                    async () => Notes.Add(await ContinueLineAsync(way.Value, node, primary))
                );
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
                Conclude($"{node} is a standby of {primary} again");
            }
        );

    /// <returns>How it was done, as a sentence.</returns>
    internal static async Task<string> ContinueLineAsync(Rejoin way, NodeId node, NodeId primary)
    {
        if (way.Strategy is RejoinStrategy.NoAction)
        {
            return $"{node} rejoined unchanged: {way.Why}";
        }

        var rewound =
            way.Strategy is RejoinStrategy.Rewind
                ? await DataDirectories.RewindAsync(node, primary)
                : new(Done: false, way.Why);
        if (rewound.Done)
        {
            return $"{node} was rewound: {way.Why}";
        }

        await DataDirectories.CopyAsync(node, primary);
        await DataDirectories.SwapAsync(node);
        return $"{node} was made anew: {rewound.Why}";
    }
}

/// <summary>Who comes back to whom.</summary>
internal sealed record FailbackPlan : Plan
{
    public required NodeId Node { get; init; }

    public required NodeId Primary { get; init; }

    /// <summary>The node as it is now, for the way back.</summary>
    public required FencedNode Before { get; init; }

    /// <summary>The primary's branch.</summary>
    public required Timeline Timeline { get; init; }

    /// <summary>What stands against a rewind and a copy; null where nothing does.</summary>
    public required string? Tablespaces { get; init; }

    /// <summary>Everybody for whom the primary has a slot.</summary>
    public IReadOnlyList<NodeName> Others => [.. AllNodes.Where(node => node != Primary).Select(node => node.Name)];

    public required IReadOnlyList<NodeId> AllNodes { get; init; }

    public required ClusterIntent Intent { get; init; }

    internal override object Decision =>
        new
        {
            Node,
            Primary,
            Before.WasStandby,
            Timeline,
            Tablespaces,
            Others,
            Intent,
        };

    /// <summary>Decides, or refuses.</summary>
    public static FailbackPlan From(FailbackInput input, ClusterState state)
    {
        state.RequireExisting();
        var asked = input.Node is { } name ? state.RequireNode(name) : null;
        if (asked is not null && state.Primaries is [var only] && only == asked)
        {
            throw Failure.Refuse($"{asked.Id} is the primary", Hint.Switchover(state.Cluster));
        }

        var primary = state.RequirePrimaryBeside(asked).RequireOwnConfirmations();
        var node = asked ?? OnlyMissing(state, primary);
        var streams =
            node is { Role: NodeRole.Standby, Container: "running" } && !Checks.ReplicationIssues(node, primary).Any();
        var tablespaces = Checks.TablespacesOf(state);
        return new()
        {
            Summary = streams
                ? Checks.NothingToDo($"{node.Id} is a standby of {primary.Id} already", node, state)
                : $"{node.Id} comes back as a standby of {primary.Id}",
            NothingToDo = streams,
            Facts =
            [
                $"primary {primary.Id} on timeline {primary.Timeline}; {node.Id} is {Checks.Describe(node)}, "
                    + $"timeline {node.Timeline}",
            ],
            Warnings =
            [
                .. node.Role is NodeRole.Primary
                    ? [new(FindingCode.WritesDropped, node.Id, primary.Id.ToString())]
                    : Array.Empty<Finding>(),
                .. tablespaces is null
                    ? Array.Empty<Finding>()
                    :
                    [
                        new(
                            FindingCode.TablespacesOutside,
                            node.Id,
                            $"{node.Id} can only rejoin unchanged, and is refused where it can't: {tablespaces}"
                        ),
                    ],
            ],
            Node = node.Id,
            Primary = primary.Id,
            Before = FencedNode.Of(node),
            Timeline = primary.Timeline!.Value,
            Tablespaces = tablespaces,
            AllNodes = [.. state.Nodes.Select(other => other.Id)],
            Intent = ClusterIntent.Of(state.Nodes, primary),
        };
    }

    private static NodeState OnlyMissing(ClusterState state, NodeState primary) =>
        state.Nodes.Where(node => node != primary && Checks.ReplicationIssues(node, primary).Any()).ToList() switch
        {
            [var one] => state.RequireNode(one.Id.Name),
            [] => state.Nodes.FirstOrDefault(node => node != primary)
                ?? throw Failure.Refuse($"{state.Cluster} has one node only"),
            var several => throw Failure.Refuse($"node: name one of {Checks.Names(several)}"),
        };
}

/// <summary>How a node rejoins.</summary>
internal enum RejoinStrategy
{
    /// <summary>Its data lies on the primary's line.</summary>
    NoAction,

    /// <summary>It has records that the primary's line has not.</summary>
    Rewind,

    /// <summary>It can only be copied anew.</summary>
    Rebuild,
}

/// <summary>How a node comes back, and why so: decided by timeline history, never by a timeline's number
/// alone.</summary>
/// <param name="Strategy">The way.</param>
/// <param name="Why">The reason.</param>
internal sealed record Rejoin(RejoinStrategy Strategy, string Why)
{
    /// <summary>The same way, if nothing outside the data directory stands against it.</summary>
    public Rejoin Within(string? tablespaces) =>
        Strategy is RejoinStrategy.NoAction || tablespaces is null
            ? this
            : throw Failure.Refuse($"{Why}, so it would have to be rewound or copied, but {tablespaces}");

    /// <summary>Decides.</summary>
    public static Rejoin From(Divergence node)
    {
        var clean = node.Control is ControlState.ShutDown or ControlState.ShutDownInRecovery;
        var standby =
            node.StandbySignal && node.Control is ControlState.ShutDownInRecovery or ControlState.InArchiveRecovery;
        // A shutdown checkpoint ends behind where it begins, so it lies on the line only if it begins before the line's
        // end there.
        var end = node.Timeline == node.PrimaryTimeline ? node.PrimaryWal : node.LeftAt;
        if (!node.SameSystem)
        {
            return new(RejoinStrategy.Rebuild, "it belongs to another system");
        }

        if (node.Namesake)
        {
            // pg_rewind would take equal numbers for one timeline.
            return new(
                RejoinStrategy.Rebuild,
                $"its timeline {node.Timeline} is another one than that of the primary's line: two promotions "
                    + "took the same number"
            );
        }

        if ((clean || standby) && end is { } left && (standby ? node.End <= left : node.End < left))
        {
            return new(
                RejoinStrategy.NoAction,
                $"it ended at {node.End} on timeline {node.Timeline}, which the primary's line goes through "
                    + $"until {left}"
            );
        }

        if (node.Timeline == node.PrimaryTimeline)
        {
            // pg_rewind finds no fork on one timeline and is content with what is not the same.
            return new(
                RejoinStrategy.Rebuild,
                clean
                    ? $"it has more of timeline {node.Timeline} than the primary"
                    : $"it crashed on the primary's own timeline {node.Timeline}"
            );
        }

        return node.CanRewind
            ? new(
                RejoinStrategy.Rewind,
                end is null
                    ? $"the primary's line never was on its timeline {node.Timeline}"
                    : $"the primary's line left its timeline {node.Timeline} at {end}, and it was not shut down "
                        + "before that"
            )
            : new(RejoinStrategy.Rebuild, "it has neither checksums nor wal_log_hints");
    }
}

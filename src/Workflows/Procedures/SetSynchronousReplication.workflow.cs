using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What SetSynchronousReplication takes.</summary>
public sealed record SetSynchronousReplicationInput : ProcedureInput
{
    /// <summary>How many standbys confirm each commit; 0 makes replication asynchronous.</summary>
    [Flag("How many standbys confirm each commit: 0 is asynchronous, 1 any one of them, …", Place = FlagPlace.Behind)]
    public int? Quorum { get; init; }

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() =>
        Quorum is < 0 or >= InitClusterInput.MostNodes
            ? [new("quorum", $"{Quorum} is not from 0 to {InitClusterInput.MostNodes - 1}")]
            : Missing("quorum", Quorum is null, "say how many standbys confirm each commit; 0 is asynchronous");
}

/// <summary>Changes how many standbys confirm each commit, on a primary that runs or is stopped, and whoever becomes
/// the primary.</summary>
[Workflow]
public sealed class SetSynchronousReplication : Procedure<SetSynchronousReplicationInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(SetSynchronousReplicationInput? input = null) =>
        RunAsync(
            input,
            SetSynchronousReplicationPlan.From,
            async plan =>
            {
                var primary = plan.Primary;

                if (plan.Lowers)
                {
                    PointOfNoReturn(); // whom it lets go must not wait again
                }

                await Step(
                    "synchronous-standbys",
                    plan.Runs
                        ? $"Commits on {primary} wait for {PgFlowText.Count(plan.Quorum, "standby")}"
                        : $"Commits on {primary} wait for {PgFlowText.Count(plan.Quorum, "standby")} when it starts",
                    () =>
                        plan.Runs
                            ? Nodes.DemandConfirmationsAsync(plan.After, plan.Unable, least: plan.Quorum)
                            : Nodes.ConfigureAsync(plan.After),
                    undo: () =>
                        plan.Runs ? Nodes.DemandConfirmationsAsync(plan.Before) : Nodes.ConfigureAsync(plan.Before)
                );
                if (plan.Runs)
                {
                    await Step(
                        "prove-endpoint",
                        $"A commit through the endpoint arrives on {primary}",
                        () => Endpoints.ProveAsync(primary)
                    );
                }

                // In force, and proven: a standby that can't write its file must not take that back from clients.
                if (!plan.Lowers)
                {
                    PointOfNoReturn();
                }

                await InParallel(
                    plan.Others,
                    node =>
                        Step(
                            $"remember/{node.Name}",
                            $"{node} has it in its settings, for when it becomes the primary",
                            () => Nodes.RememberQuorumAsync(node, plan.Quorum)
                        )
                );
                Conclude(plan.Runs ? plan.Summary : $"{plan.Summary}, as soon as {primary} starts");
            }
        );
}

/// <summary>Who confirms from now on.</summary>
internal sealed record SetSynchronousReplicationPlan : Plan
{
    public required NodeId Primary { get; init; }

    /// <summary>Whether the primary runs; else it finds its settings when it starts.</summary>
    public required bool Runs { get; init; }

    /// <summary>Whether commits that wait now are let go by it.</summary>
    public required bool Lowers { get; init; }

    /// <summary>Who is not asked.</summary>
    public required IReadOnlyList<NodeName> Unable { get; init; }

    /// <summary>The primary's settings of today, for the way back.</summary>
    public required NodeSettings Before { get; init; }

    /// <summary>The primary's settings from now on.</summary>
    public required NodeSettings After { get; init; }

    /// <summary>All other nodes that can be reached, stopped ones too.</summary>
    public required IReadOnlyList<NodeId> Others { get; init; }

    internal int Quorum => After.Quorum;

    internal override object Decision =>
        new
        {
            Primary,
            Runs,
            Lowers,
            After,
            Unable,
            Others,
        };

    /// <summary>Decides, or refuses.</summary>
    public static SetSynchronousReplicationPlan From(SetSynchronousReplicationInput input, ClusterState state)
    {
        var primary = PrimaryOf(state.RequireExisting());
        var (before, others) = (ClusterIntent.Of(state.Nodes, primary), state.Nodes.Where(node => node != primary));
        var intent = before with { Quorum = input.Quorum!.Value };
        var unable = others.Where(node => !CanConfirm(node, primary)).ToList();
        var confirmers = others.Except(unable).Select(node => node.Id).ToList();
        string[] against =
        [
            .. Checks.ConfirmationDrift(primary).Said(),
            .. intent.Quorum > confirmers.Count ? [TooFew(intent, confirmers, unable, primary)] : Array.Empty<string>(),
        ];
        Hint[] ways =
        [
            .. unable.Select(Hint.Afterwards).Select(hint => hint with { Text = "bring it back" }),
            Hint.Start("wait only for those that stream", input with { Quorum = confirmers.Count }),
        ];
        if (Failure.RefuseFor(against, intent.Quorum > confirmers.Count ? ways : []) is { } refusal)
        {
            throw refusal;
        }

        var reachable = others.Where(node => node.TakesSettings).ToList();
        var demand = Demand.Of(intent.Quorum, confirmers.Select(node => node.Name));
        var plan = new SetSynchronousReplicationPlan
        {
            Summary =
                intent.Quorum == 0
                    ? $"commits on {state.Cluster} wait for no standby: its replication is asynchronous"
                    : $"commits on {state.Cluster} wait for {intent.Quorum} of {string.Join(", ", confirmers)}",
            Facts =
            [
                $"primary {primary.Id} is {Checks.Describe(primary)}; its synchronous_standby_names is "
                    + $"'{primary.SynchronousStandbyNames}'",
            ],
            Warnings =
            [
                .. intent.Quorum == 0
                    ? others.Except(reachable).Select(NotWritten)
                    : unable.Select(node => node.TakesSettings ? NotAsked(node, primary) : NotWritten(node)),
            ],
            Primary = primary.Id,
            Runs = primary.Role is NodeRole.Primary,
            Lowers = primary.Demand.Confirmations > intent.Quorum,
            Unable = [.. unable.Select(node => node.Id.Name)],
            Before = before.Primary(primary.Id, primary.Demand),
            After = intent.Primary(primary.Id, demand),
            Others = [.. reachable.Select(node => node.Id)],
        };
        return
            primary.SynchronousStandbyNames == demand.ToString()
            && (primary.Role is not NodeRole.Primary || primary.EarlierStandbyNames is null)
            && reachable.Prepend(primary).All(node => node.Quorum == intent.Quorum)
            ? plan with
            {
                NothingToDo = true,
                Summary = Checks.NothingToDo($"{plan.Summary} already"),
            }
            : plan;
    }

    /// <summary>The node that accepts writes, or would if it were started.</summary>
    private static NodeState PrimaryOf(ClusterState state) =>
        state.Primaries.Count == 0
        && state.Nodes.Where(MayBePrimary).ToList() is [{ Role: NodeRole.Stopped, Control: not null } stopped]
        && state.Nodes.All(node => !(node.Timeline > stopped.Timeline))
            ? stopped
            : state.RequirePrimary();

    private static bool MayBePrimary(NodeState node) =>
        node.Role is not (NodeRole.Standby or NodeRole.Missing) && node.StandbySignal is not true && !node.LacksData;

    /// <summary>Whether it does, or could if the primary ran; one whose replay is paused does too.</summary>
    private static bool CanConfirm(NodeState node, NodeState primary) =>
        primary.Role is NodeRole.Primary ? primary.Streaming.Contains(node.Id.Name) : !Absences(node, primary).Any();

    /// <summary>Why a node can't confirm the primary's commits now, or could not if it ran.</summary>
    private static IEnumerable<string> Absences(NodeState node, NodeState primary) =>
        primary.Role is NodeRole.Primary ? Checks.ReplicationIssues(node, primary).Said()
        : node.Role is not NodeRole.Standby ? [$"{node.Id} is {Checks.Describe(node)}"]
        : node.Timeline != primary.Timeline || node.SystemIdentifier != primary.SystemIdentifier
            ? [$"{node.Id} is on timeline {node.Timeline}, not on {primary.Timeline}"]
        : [];

    private static string TooFew(
        ClusterIntent intent,
        List<NodeId> confirmers,
        List<NodeState> unable,
        NodeState primary
    ) =>
        string.Join(
            "; ",
            [
                $"{PgFlowText.Count(intent.Quorum, "standby")} can't confirm: "
                    + (
                        confirmers.Count == 0
                            ? $"none follows {primary.Id}"
                            : $"only {string.Join(", ", confirmers)} can, of {unable.Count + confirmers.Count}"
                    ),
                .. unable.SelectMany(node => Absences(node, primary)),
            ]
        );

    private static Finding NotAsked(NodeState node, NodeState primary) =>
        new(
            FindingCode.NotTakingPart,
            node.Id,
            $"it is not asked until it is back ({string.Join("; ", Absences(node, primary))})",
            Hint.Afterwards(node)
        );

    private static Finding NotWritten(NodeState node) =>
        new(FindingCode.NotTakingPart, node.Id, Checks.Describe(node), Hint.Afterwards(node));
}

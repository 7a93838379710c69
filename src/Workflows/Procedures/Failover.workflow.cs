using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What Failover takes.</summary>
public sealed record FailoverInput : ProcedureInput
{
    /// <summary>The node that becomes the primary; the one that has got furthest where none is named.</summary>
    [Flag("The node that becomes the primary; the best one where none is named")]
    public NodeName? To { get; init; }

    /// <summary>Fail over although the primary is healthy.</summary>
    [Flag("Fail over although the primary is healthy; recorded, and never the same as --yes")]
    public bool Force { get; init; }
}

/// <summary>Makes a standby the primary after the primary was lost.</summary>
[Workflow]
public sealed class Failover : Procedure<FailoverInput>
{
    private protected override string OutageStep => "fence";

    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(FailoverInput? input = null) =>
        RunAsync(
            input,
            FailoverPlan.FromAsync,
            async plan =>
            {
                // Fence first: with the network cut first, standbys would wait a minute for a sender that is gone.
                await RequiredStep(
                    "fence",
                    $"{plan.LostNames} fenced: writes nothing, can't restart as a primary; {plan.Likely.Node} "
                        + "leaves the standbys' endpoint",
                    () =>
                        Workflow.WhenAllAsync([
                            .. plan.Lost.Select(lost => Nodes.FenceAsync(lost.Id)),
                            Endpoints.LeaveAsync(plan.Likely.Node),
                        ]),
                    undo: async () =>
                    {
                        await InParallel(plan.Lost, lost => lost.ReturnAsync());
                        await Endpoints.OfferReadOnlyAsync(plan.Likely.Node);
                    }
                );
                var leftAt = Now;
                var winner = await WinnerAsync(plan);

                PointOfNoReturn();
                await AheadAsync(() => TakeOverAsync(plan, winner, leftAt));
            }
        );

    /// <summary>Who takes over; with one standby there is nothing to compare.</summary>
    private async Task<Candidate> WinnerAsync(FailoverPlan plan)
    {
        if (!plan.IsContested)
        {
            return plan.Likely;
        }

        var winner = await ResultStep(
            "compare-standbys",
            "The standbys' WAL compared",
            async () =>
            {
                var result = plan.Contest.Decide(await Nodes.CompareAsync(plan.Compared, plan.Contest.Live));
                Notes.AddRange(result.Risks);
                return result.Winner;
            }
        );
        return winner.Or(plan.Likely);
    }

    private async Task TakeOverAsync(FailoverPlan plan, Candidate winner, DateTimeOffset leftAt)
    {
        var (node, lost) = (winner.Node, plan.Lost);
        var followers = plan.Survivors.Where(other => other != node).ToList();
        if (node != plan.Likely.Node)
        {
            // not beside its promotion: it may be restarted
            await Step("leave-endpoint", $"{node} leaves the standbys' endpoint", () => Endpoints.LeaveAsync(node));
        }

        if (plan.Intent.Synchronous) // before anybody can commit
        {
            await RequiredStep(
                "require-confirmation",
                $"{node} has the settings of a synchronous primary",
                () => Nodes.ConfigureAsync(plan.Intent.Primary(node, followers))
            );
        }

        var openedAt = Now;
        var promoting = ResultStep("promote", $"{node} is promoted", () => Nodes.PromoteAsync(node, winner.Timeline));
        await Workflow.WhenAllAsync(
            promoting,
            Step(
                "move-endpoint",
                $"{node} has the virtual IP",
                () => Endpoints.MoveAsync(node, plan.AllNodes.Where(other => other != node))
            )
        );
        var promotion = await promoting;

        await Step(
            "prepare-primary",
            $"{node} has slots, settings and roles of a primary",
            async () =>
            {
                await Nodes.SetSlotsAsync(
                    node,
                    [.. plan.AllNodes.Where(other => other != node).Select(other => other.Name)]
                );
                await Nodes.ConfigureAsync(plan.Intent.Primary(node, followers));
                await Clusters.SetRolesAsync(node);
            }
        );
        // Side by side: in a synchronous cluster the commit waits for a standby that follows only now, and a broken
        // archive keeps nobody from following.
        // The procedure does not end before the history is there.
        await Workflow.WhenAllAsync(
            RequiredStep(
                "prove-endpoint",
                $"A commit through the endpoint arrives on {node}",
                () => Endpoints.ProveAsync(node)
            ),
            InParallel(
                followers,
                other =>
                    Step(
                        $"follow/{other.Name}",
                        $"{other} follows {node}",
                        () => Replication.AttachAsync(other, node, promotion.Value.Timeline, plan.Intent)
                    )
            ),
            RecordTimelineSwitchAsync(promotion, leftAt, openedAt)
        );
        await Step(
            "checkpoint",
            "Checkpoint, so that pg_rewind sees the new timeline",
            () => Nodes.CheckpointAsync(node)
        );
        await Step(
            "complete-archive",
            "Complete segments that the archive lacks are in it",
            () => Archives.CompleteAsync(node)
        );
        await InParallel(
            lost,
            old =>
                Step(
                    $"measure-loss/{old.Id.Name}",
                    $"WAL on {old.Id} that {node} never received",
                    async () =>
                        Notes.Add(LossText.Of(old.Id, node, await Archives.MeasureLossAsync(old.Id, promotion.Value)))
                )
        );
        await InParallel(
            lost,
            old =>
                Step(
                    $"salvage/{old.Id.Name}",
                    $"{old.Id}'s unarchived WAL is in the archive",
                    () => Archives.SalvageAsync(old.Id)
                )
        );
        Conclude(
            $"{node} is the primary of {node.Cluster}",
            lost.Select(old => $"{old.Id} is fenced; bring it back with: pgflow failback {old.Id.Cluster} {old.Id}")
        );
    }
}

/// <summary>Who is lost and who may take over.</summary>
internal sealed record FailoverPlan : Plan
{
    public required IReadOnlyList<FencedNode> Lost { get; init; }

    /// <summary>The running standbys on the live branch.</summary>
    public required IReadOnlyList<NodeId> Survivors { get; init; }

    /// <summary>The survivors, and standbys that do not run but may have more.</summary>
    public required IReadOnlyList<NodeId> Compared { get; init; }

    public required IReadOnlyList<NodeId> AllNodes { get; init; }

    /// <summary>Who would win by what was observed.</summary>
    public required Candidate Likely { get; init; }

    public required Contest Contest { get; init; }

    public required ClusterIntent Intent { get; init; }

    internal override object Decision =>
        new
        {
            Lost = Lost.Select(lost => lost.Id),
            Likely = Likely.Node,
            Likely.Timeline,
            Survivors,
            Compared,
            Intent,
        };

    /// <summary>Whether anybody but the likely winner may have what it lacks, or nobody knows what it has.</summary>
    internal bool IsContested =>
        Compared.Count > 1
        || Contest.Live?.Tip != Likely.Timeline
        || Contest.Confirmers?.Any(name => name != Likely.Node.Name) is true;

    internal string LostNames =>
        Lost.Count == 0 ? "No node needs to be" : string.Join(", ", Lost.Select(lost => lost.Id));

    /// <summary>Decides, or refuses; where the nodes do not agree on the live branch, the ledger tells.</summary>
    public static async Task<FailoverPlan> FromAsync(FailoverInput input, ClusterState state) =>
        From(
            input,
            state,
            LiveBranch.AgreedBy(LostOf(state), state.Standbys)
                ?? (
                    state.Standbys.Count == 0
                        ? null
                        : LiveBranch.By(await Repositories.GlanceAsync(state.Cluster), LostOf(state), state.Standbys)
                )
        );

    /// <summary>Decides, or refuses with all that stands against it.</summary>
    public static FailoverPlan From(FailoverInput input, ClusterState state, LiveBranch? live)
    {
        state.RequireExisting();
        var asked = input.To is { } to ? state.RequireNode(to) : null;
        if (asked is { Role: NodeRole.Primary })
        {
            throw Failure.Refuse($"{asked.Id} is the primary already");
        }

        var lost = LostOf(state);
        var strays = live is null
            ? []
            : state.Nodes.Where(node => !lost.Contains(node) && live.ReasonAgainst(node) is not null).ToList();
        // A person may insist on a node that no rule would take.
        var survivors = state.Standbys.Where(node => !strays.Contains(node) || (input.Force && node == asked)).ToList();
        var absent = state.Nodes.Except(survivors).Except(lost).ToList();
        var likely = asked ?? survivors.OrderByDescending(node => node.Wal).FirstOrDefault();
        string[] against =
        [
            .. asked is { Role: not NodeRole.Standby }
                ? [$"{asked.Id} is no running standby ({Checks.Describe(asked)})"]
                : Array.Empty<string>(),
            .. survivors.Count == 0 ? [WhyNobody(state, strays, live)] : Array.Empty<string>(),
            .. asked is not null && strays.Contains(asked) && !input.Force
                ? [$"{live!.ReasonAgainst(asked)}: {asked.Id} can't go on with it; to take it all the same: --force"]
                : Array.Empty<string>(),
            .. live is null && survivors.Count > 0 && !input.Force ? [WhyUnknown(state)] : Array.Empty<string>(),
            .. input.Force
                ? []
                : state.Primaries.Select(node =>
                    $"{node.Id} is healthy and accepts writes: change the primary with pgflow switchover "
                    + $"{state.Cluster}, or fence it all the same with --force"
                ),
            .. survivors.Where(node => node.ReplayPaused).Select(Checks.PauseOf).Said(),
            .. Checks.ConfigurationDrift(survivors).Said(),
        ];
        if (Failure.RefuseFor(against) is { } refusal)
        {
            throw refusal;
        }

        var intent = ClusterIntent.Of(state);
        var compared = survivors.Concat(absent.Where(node => MayHaveMore(node, live))).ToList();
        return new()
        {
            Summary =
                $"{likely!.Id} becomes the primary of {state.Cluster}; "
                + $"{(lost.Count == 0 ? "no node needs to be fenced" : $"{Checks.Names(lost)} fenced")}",
            Facts =
            [
                $"lost: {string.Join("; ", lost.Select(node => $"{node.Id}, {Checks.Describe(node)}"))}",
                $"standbys that answer: {Checks.Names(survivors)}",
            ],
            Warnings =
            [
                .. live is { Doubt: { } doubt }
                    ? [new(FindingCode.LiveTimelineDoubtful, Detail: doubt)]
                    : Array.Empty<Finding>(),
                .. state.Primaries.Select(node => new Finding(FindingCode.CommitsMayBeLost, node.Id)),
                .. Checks.ChangedRoles([likely]),
                .. absent.Select(node => Absent(node, live)),
                .. asked is not null && strays.Contains(asked)
                    ? [new(FindingCode.LiveBranchDropped, asked.Id, live!.ReasonAgainst(asked))]
                    : Array.Empty<Finding>(),
                .. Checks.SummarizersOf(likely),
            ],
            Lost = [.. lost.Select(FencedNode.Of)],
            Survivors = [.. survivors.Select(node => node.Id)],
            Compared = [.. compared.Select(node => node.Id)],
            AllNodes = [.. state.Nodes.Select(node => node.Id)],
            Likely = new(likely.Id, likely.Timeline!.Value, likely.Wal) { ReplayPaused = likely.ReplayPaused },
            Contest = new(live?.Line, asked?.Id, intent.Synchronous ? ConfirmersOf(state, lost) : null, input.Force),
            Intent = intent,
        };
    }

    /// <summary>A node that is not proven to be a standby may still be, or restart as, a primary.</summary>
    private static List<NodeState> LostOf(ClusterState state) => [.. state.Nodes.Where(MayBePrimary)];

    private static string WhyNobody(ClusterState state, IReadOnlyList<NodeState> strays, LiveBranch? live) =>
        state.Standbys.Count == 0
            ? "no standby answers: "
                + $"{string.Join("; ", state.Nodes.Select(node => $"{node.Id} is {Checks.Describe(node)}"))}"
            : "no standby has the live branch: "
                + $"{string.Join("; ", strays.Select(node => live!.ReasonAgainst(node)))}; to take one all the same: "
                + "--to NODE --force";

    private static string WhyUnknown(ClusterState state) =>
        $"nobody can tell which branch is live ({string.Join(", ", state.Nodes.Select(TimelineOf))}); "
        + "name the node to go on with: --to NODE --force";

    private static string TimelineOf(NodeState node) =>
        node.Timeline is { } timeline ? $"{node.Id} is on timeline {timeline}" : $"{node.Id} does not say";

    private static Finding Absent(NodeState node, LiveBranch? live) =>
        live?.ReasonAgainst(node) is { } why
            ? new(FindingCode.NoCandidate, node.Id, why, Hint.Afterwards(node))
            : new(FindingCode.NotTakingPart, node.Id, Checks.Describe(node), Hint.Afterwards(node));

    /// <summary>A standby that does not run may have WAL that no running one has.</summary>
    private static bool MayHaveMore(NodeState node, LiveBranch? live) =>
        node.Role is not (NodeRole.Standby or NodeRole.Missing)
        && (node.Timeline is null || live is null || node.Timeline == live.Line.Tip);

    /// <summary>Of whom one had to confirm each commit: as the lost primary has it in its settings, else all its
    /// standbys.</summary>
    private static List<NodeName> ConfirmersOf(ClusterState state, IReadOnlyCollection<NodeState> lost) =>
        lost.SelectMany(node => node.Confirmers).Distinct().Order().ToList() is { Count: > 0 } named
            ? named
            : [.. state.Nodes.Except(lost).Select(node => node.Id.Name)];

    private static bool MayBePrimary(NodeState node) =>
        node.Role switch
        {
            NodeRole.Primary => true,
            NodeRole.Standby or NodeRole.Missing => false,
            NodeRole.Stopped => node.StandbySignal is not true || node.Endpoint is EndpointRole.ReadWrite,
            _ => node.Endpoint is EndpointRole.ReadWrite || node.StandbySignal is not true,
        };
}

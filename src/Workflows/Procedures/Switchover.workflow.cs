using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What Switchover takes.</summary>
public sealed record SwitchoverInput : ProcedureInput
{
    /// <summary>The node that becomes the primary; the standby with the least lag where none is named.</summary>
    [Flag("The node that becomes the primary; the best one where none is named")]
    public NodeName? To { get; init; }

    /// <summary>Go on although a standby does not answer.</summary>
    [Flag("Go on although a standby does not answer; recorded, and never the same as --yes")]
    public bool Force { get; init; }

    /// <summary>How long the primary's fast stop may take, in seconds, before everything is undone: 90 where nothing is
    /// said.</summary>
    [Flag("How long the primary's fast stop may take before all is undone (default 90)", Value = "S")]
    public int StopWithinSeconds { get; init; } = StopLimit.Default;

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() => StopLimit.Problems(StopWithinSeconds);
}

/// <summary>Makes another node the primary while all are healthy; no acknowledged row is lost.</summary>
[Workflow]
public sealed class Switchover : Procedure<SwitchoverInput>
{
    private protected override string OutageStep => "stop";

    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(SwitchoverInput? input = null) =>
        RunAsync(
            input,
            SwitchoverPlan.From,
            async plan =>
            {
                var (old, candidate, intent) = (plan.Old, plan.Candidate, plan.Intent);

                await Step(
                    "catch-up",
                    $"{candidate} has caught up with {old}",
                    () => Nodes.WaitForReplayAsync(candidate, old)
                );
                await Step(
                    "prepare-candidate",
                    $"{candidate} has slots and settings of a primary",
                    async () =>
                    {
                        await Nodes.ConfigureAsync(
                            intent.NewPrimary(candidate, plan.WhoConfirms) with
                            {
                                Upstream = old.Name,
                                Timeline = plan.Timeline,
                            }
                        );
                        await Nodes.SetSlotsAsync(candidate, [.. plan.AllOthers.Select(node => node.Name)]);
                    },
                    undo: async () =>
                    {
                        await Nodes.ConfigureAsync(intent.Standby(candidate, old, plan.Timeline));
                        await Nodes.SetSlotsAsync(candidate, []);
                    }
                );
                if (plan.SummarizerFails)
                {
                    await Step(
                        "restart-summarizer",
                        $"{candidate}'s WAL summarizer begins anew",
                        () => RepairCluster.RestartSummarizerAsync(candidate, old)
                    );
                }

                await Step(
                    "leave-endpoint",
                    $"{candidate} leaves the standbys' endpoint",
                    async () =>
                    {
                        await Endpoints.LeaveAsync(candidate);
                        await Nodes.StartAsync(candidate); // an attempt that restarts it may have ended in between
                    },
                    undo: async () =>
                    {
                        await Nodes.StartAsync(candidate);
                        await Endpoints.OfferReadOnlyAsync(candidate);
                    }
                );
                await Step(
                    "prepare-stop",
                    $"{old} has little to write and to send when it stops",
                    async () =>
                    {
                        // first what may take long, so that little becomes dirty after the last one
                        await Nodes.CheckpointAsync(old);
                        await Nodes.WaitForReplayAsync(candidate, old);
                        await Nodes.CheckpointAsync(candidate);

                        await Nodes.PrepareStopAsync(old);
                        await Nodes.WaitForReplayAsync(candidate, old);
                        await Nodes.CheckpointAsync(candidate); // makes its next WAL segment, as the old one's did
                    }
                );

                var end = await ResultStep(
                    "stop",
                    $"{old} stopped: logins refused, sessions ended",
                    async () =>
                    {
                        // before it is stopped: Docker keeps the files of an ending container to itself
                        await NodeRoles.MarkStandbyAsync(old);
                        return await NodeRoles.StopAsync(old, plan.StopWithinSeconds, candidate);
                    },
                    undo: () => NodeRoles.UnfenceAsync(old, running: true, standby: false)
                );
                await RequiredStep(
                    "prove-replay",
                    $"{candidate} has all that {old} wrote",
                    () => NodeRoles.ProveReplayedAsync(candidate, end.Value)
                );
                var leftAt = Now;

                PointOfNoReturn();
                var promoting = ResultStep(
                    "promote",
                    $"{candidate} is promoted",
                    () => NodeRoles.PromoteAsync(candidate, plan.Timeline)
                );
                await Workflow.WhenAllAsync(
                    promoting,
                    Step(
                        "move-endpoint",
                        $"Endpoint to {candidate}, when nothing of {old} is left",
                        () => Endpoints.MoveAsync(candidate, old, hasShutDown: true)
                    )
                );
                var promotion = await promoting;
                await Step("set-roles", $"{candidate} has PgFlow's own roles", () => Clusters.SetRolesAsync(candidate));

                // Side by side: in a synchronous cluster the commit waits for a standby that follows only now.
                await Workflow.WhenAllAsync(
                    RequiredStep(
                        "prove-endpoint",
                        $"A commit through the endpoint arrives on {candidate}",
                        () => Endpoints.ProveAsync(candidate)
                    ),
                    Step(
                        $"follow/{old.Name}",
                        $"{old}'s unarchived WAL is in the archive, and it follows {candidate}",
                        async () =>
                        {
                            // a standby recycles what it had not archived as a primary
                            await Archives.SalvageAsync(old);
                            await FollowAsync(old);
                        }
                    ),
                    InParallel(
                        plan.Followers,
                        node => Step($"follow/{node.Name}", $"{node} follows {candidate}", () => FollowAsync(node))
                    ),
                    RecordTimelineSwitchAsync(promotion, leftAt, openedAt: leftAt)
                );
                await Step(
                    "synchronous-standbys",
                    $"synchronous_standby_names on {candidate} matches the cluster's configuration",
                    () => Nodes.DemandConfirmationsAsync(intent.Primary(candidate))
                );

                Task FollowAsync(NodeId node) =>
                    Replication.AttachAsync(node, candidate, promotion.Value.Timeline, intent);

                Conclude($"{candidate} is the primary of {candidate.Cluster}, {old} its standby");
            }
        );
}

/// <summary>Which node gives the role to which.</summary>
internal sealed record SwitchoverPlan : Plan
{
    public required NodeId Old { get; init; }

    public required NodeId Candidate { get; init; }

    /// <summary>How long the old primary's fast stop may take.</summary>
    public required int StopWithinSeconds { get; init; }

    /// <summary>The other standbys that take part.</summary>
    public required IReadOnlyList<NodeId> Followers { get; init; }

    /// <summary>Of whom the candidate demands confirmation as soon as it is the primary: nobody does where only the old
    /// primary could, which is away then.</summary>
    public IEnumerable<NodeId> WhoConfirms => Followers.Count == 0 ? [] : Followers.Prepend(Old);

    /// <summary>All nodes but the candidate: each has a slot.</summary>
    public required IReadOnlyList<NodeId> AllOthers { get; init; }

    public required Timeline Timeline { get; init; }

    /// <summary>Whether the candidate's WAL summarizer runs into errors.</summary>
    public required bool SummarizerFails { get; init; }

    public required ClusterIntent Intent { get; init; }

    internal override object Decision =>
        new
        {
            Old,
            Candidate,
            Followers,
            Timeline,
            SummarizerFails,
            Intent,
        };

    /// <summary>Decides, or refuses with all that stands against it.</summary>
    public static SwitchoverPlan From(SwitchoverInput input, ClusterState state)
    {
        var old = state.RequireExisting().RequirePrimary();
        var candidate = input.To is { } to ? state.RequireNode(to) : BestStandby(state, old);
        var others = state.Nodes.Where(node => node.Id != candidate.Id && node.Id != old.Id).ToList();
        var absent = others.Where(node => Checks.ReplicationIssues(node, old).Any()).ToList();
        string Why(NodeState node) => string.Join(", ", Checks.ReplicationIssues(node, old).Said());
        Finding[] archive = [.. Checks.ArchiverFindingsOf(old)];
        var plan = new SwitchoverPlan
        {
            Summary = $"{candidate.Id} becomes the primary of {state.Cluster}, {old.Id} its standby",
            Facts = [$"primary {old.Id} on timeline {old.Timeline}, standbys {Checks.Names(state.Standbys)}"],
            Warnings =
            [
                .. Checks.ChangedRoles([old]),
                .. absent.Select(node => new Finding(
                    FindingCode.NotTakingPart,
                    node.Id,
                    Why(node),
                    Hint.Afterwards(node)
                )),
                .. archive,
                .. archive.Length > 0 ? [new(FindingCode.StaysDown, old.Id)] : Array.Empty<Finding>(),
                .. Checks.SlotsLeftBehind(old, candidate),
                .. Checks.SummarizersOf(candidate),
            ],
            Old = old.Id,
            Candidate = candidate.Id,
            StopWithinSeconds = input.StopWithinSeconds,
            Followers = [.. others.Except(absent).Select(node => node.Id)],
            AllOthers = [.. state.Nodes.Where(node => node.Id != candidate.Id).Select(node => node.Id)],
            Timeline = old.Timeline!.Value,
            SummarizerFails = candidate.SummarizerFails,
            Intent = ClusterIntent.Of(state),
        };
        if (candidate.Id == old.Id)
        {
            return plan with
            {
                NothingToDo = true,
                Summary = Checks.NothingToDo($"{old.Id} is the primary of {state.Cluster} already", old, state),
            };
        }

        string[] against =
        [
            .. Checks.CandidateBlockers(candidate, old).Said(),
            .. Checks.ConfigurationDrift(old, candidate).Said(),
            .. input.Force ? [] : archive.Said(),
            .. input.Force ? [] : absent.Select(Why),
        ];
        Hint[] insist =
            !input.Force && archive.Length + absent.Count > 0
                ? [Hint.Start("go on all the same", input with { Force = true })]
                : [];
        return Failure.RefuseFor(against, insist) is { } refusal ? throw refusal : plan;
    }

    private static NodeState BestStandby(ClusterState state, NodeState primary) =>
        state
            .Standbys.OrderBy(node => Checks.CandidateBlockers(node, primary).Count())
            .ThenByDescending(node => node.Replayed)
            .FirstOrDefault()
        ?? throw Failure.Refuse(
            string.Join(
                "; ",
                [
                    $"{state.Cluster} has no running standby",
                    .. state
                        .Nodes.Where(node => node != primary)
                        .Select(node => $"{node.Id} is {Checks.Describe(node)}"),
                ]
            )
        );
}

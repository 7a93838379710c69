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
                            .. plan.Lost.Select(lost => NodeRoles.FenceAsync(lost.Id)),
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
                var result = plan.Decide(await NodeRoles.CompareAsync(plan.Compared, plan.Contest.Live));
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

        if (plan.Intent.Quorum > 0) // before anybody can commit
        {
            await RequiredStep(
                "require-confirmation",
                $"{node} has the settings of a synchronous primary",
                () => Nodes.ConfigureAsync(plan.Intent.NewPrimary(node, followers))
            );
        }

        var openedAt = Now;
        var promoting = ResultStep(
            "promote",
            $"{node} is promoted",
            () => NodeRoles.PromoteAsync(node, winner.Timeline)
        );
        await Workflow.WhenAllAsync(
            promoting,
            Step("move-endpoint", $"{node} has the virtual IP", () => Endpoints.MoveAsync(node, plan.EndpointHolder))
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
                await Nodes.ConfigureAsync(plan.Intent.NewPrimary(node, followers));
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
        if (plan.Intent.Quorum > 0)
        {
            await Step(
                "synchronous-standbys",
                $"synchronous_standby_names on {node} has those that follow",
                () => Nodes.DemandConfirmationsAsync(plan.Intent.Primary(node))
            );
        }

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
            lost.Select(old => $"{old.Id} is fenced"),
            lost.Select(old => Hint.Rejoin(old.Id.Cluster, old.Id.Name))
        );
    }
}

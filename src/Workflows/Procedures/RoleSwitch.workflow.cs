using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>A procedure that makes another node the primary while all are healthy.</summary>
/// <typeparam name="TInput">What it takes.</typeparam>
public abstract class RoleSwitch<TInput> : Procedure<TInput>
    where TInput : ProcedureInput, new()
{
    private protected override string OutageStep => "stop";

    /// <summary>The steps of it; no acknowledged row is lost.</summary>
    /// <param name="plan">Who gives the role to whom.</param>
    /// <param name="change">What is done to the stopped old primary; first, since it may leave that without a
    /// container when it is broken off.</param>
    private protected async Task SwitchAsync(SwitchoverPlan plan, Func<Task>? change = null)
    {
        var (old, candidate, intent) = (plan.Old, plan.Candidate, plan.Intent);

        await Step("catch-up", $"{candidate} has caught up with {old}", () => Nodes.WaitForReplayAsync(candidate, old));
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
                    await (change?.Invoke() ?? Task.CompletedTask);
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

        Task FollowAsync(NodeId node) => Replication.AttachAsync(node, candidate, promotion.Value.Timeline, intent);
    }
}

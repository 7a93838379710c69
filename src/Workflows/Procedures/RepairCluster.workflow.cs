using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What RepairCluster takes.</summary>
public sealed record RepairClusterInput : ProcedureInput
{
    /// <summary>The node whose data is the cluster's, where none runs and several could be the primary.</summary>
    [Flag("The node whose data is the cluster's, where no primary runs and several nodes hold a primary's data")]
    public NodeName? Primary { get; init; }
}

/// <summary>Makes again what is missing of a cluster (networks, volumes, containers); puts every node back in its
/// place.</summary>
[Workflow]
public sealed class RepairCluster : Procedure<RepairClusterInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(RepairClusterInput? input = null) =>
        RunAsync(
            input,
            RepairClusterPlan.From,
            async plan =>
            {
                var (cluster, primary, returning) = (plan.Spec.Cluster, plan.Primary, plan.Returning);

                await Step(
                    "recreate",
                    "Networks, volumes and containers that are missing are made again",
                    () => Clusters.RecreateAsync(plan.Spec, plan.Members),
                    undo: () => Clusters.TakeBackAsync(cluster, plan.Members)
                );

                PointOfNoReturn();
                await InParallel(
                    returning,
                    node =>
                        RequiredStep(
                            $"fence/{node.Id.Name}",
                            $"{node} can only restart as a standby",
                            () => NodeRoles.FenceAsync(node.Id, atOnce: true)
                        )
                );
                var timeline = plan.Timeline;
                if (plan.StartsPrimary)
                {
                    timeline = (
                        await ResultStep(
                            "start-primary",
                            $"{primary} runs as the primary that it was",
                            () => StartAsync(primary, plan)
                        )
                    ).Or(timeline);
                }

                await Step(
                    "prepare-primary",
                    $"{primary} keeps WAL for every other node and has PgFlow's own roles",
                    async () =>
                    {
                        await Nodes.SetSlotsAsync(primary, plan.Others);
                        await Clusters.SetRolesAsync(primary);
                    }
                );
                await InParallel(
                    plan.Serving,
                    node =>
                        Step(
                            $"connect/{node.Name}",
                            $"{node} is restarted by Docker, and reached by the others",
                            () => Nodes.ConnectAsync(node)
                        )
                );
                await InParallel(
                    plan.Outdated,
                    node =>
                        Step(
                            $"record-members/{node.Name}",
                            $"{node} has the cluster's nodes in its settings",
                            () => Nodes.RememberMembersAsync(node, plan.Intent.Members)
                        )
                );
                await Step(
                    "move-endpoint",
                    $"Endpoint on {primary}",
                    () => Endpoints.MoveAsync(primary, plan.EndpointHolder)
                );
                await Step(
                    "prove-archive",
                    "The archive takes its WAL",
                    async () =>
                    {
                        await Archives.PublishHistoryAsync(primary);
                        await Archives.ProveAsync(primary);
                    }
                );
                await InParallel(
                    plan.Serving.Where(node => node != primary),
                    node =>
                        Step(
                            $"offer/{node.Name}",
                            $"{node} is on the read-only endpoint",
                            () => Endpoints.OfferReadOnlyAsync(node)
                        )
                );
                await InParallel(
                    returning,
                    node =>
                        RequiredStep(
                            $"rejoin/{node.Id.Name}",
                            $"{node}'s data continues {primary}'s line",
                            async () => Notes.Add(await ContinueLineAsync(node, plan))
                        )
                );
                await InParallel(
                    returning,
                    node =>
                        Step(
                            $"follow/{node.Id.Name}",
                            $"{node} follows {primary}",
                            () => Replication.AttachAsync(node.Id, primary, timeline, plan.Intent)
                        )
                );
                await Step(
                    "synchronous-standbys",
                    $"synchronous_standby_names on {primary} matches the cluster's configuration",
                    () => Nodes.DemandConfirmationsAsync(plan.Intent.Primary(primary))
                );
                await InParallel(
                    plan.Summarizers,
                    node =>
                        Step(
                            $"restart-summarizer/{node.Name}",
                            $"{node}'s WAL summarizer begins anew",
                            async () =>
                            {
                                if (!await RestartSummarizerAsync(node, primary))
                                {
                                    Notes.Add(
                                        $"{node}'s WAL summarizer fails again and is off; see: docker logs "
                                            + $"{node.Container}; a standby gets well by a fresh copy"
                                    );
                                    Hints.AddRange(node == primary ? [] : [Hint.Remake(node)]);
                                }
                            }
                        )
                );
                // Only now: a commit of a synchronous cluster waits for a standby that may have been the missing one.
                await RequiredStep(
                    "prove-endpoint",
                    $"A commit through the endpoint arrives on {primary}",
                    () => Endpoints.ProveAsync(primary)
                );
                if (plan.LacksRepository)
                {
                    await Step(
                        "backup",
                        "A base backup, with which the new archive begins",
                        () => BaseBackups.TakeAsync(primary, primary, $"after {Workflow.Info.WorkflowId}")
                    );
                }

                await Step(
                    "tidy-up",
                    "What was set aside is removed",
                    () => Clusters.TidyUpAsync(cluster, plan.Members)
                );
                Conclude(
                    $"{cluster} is whole again: {primary} is the "
                        + $"primary{(returning.Count == 0 ? "" : $", {string.Join(", ", returning)} came back")}"
                );
            }
        );

    /// <returns>Its timeline: pg_control may tell an older one where it crashed soon after its promotion.</returns>
    private static async Task<Timeline> StartAsync(NodeId primary, RepairClusterPlan plan)
    {
        await Nodes.ConfigureAsync(plan.Intent.Primary(primary, Demand.Parse(plan.StandbyNames)));
        await Nodes.StartAsync(primary);
        return (await Clusters.ObserveAsync(primary.Cluster)).RequirePrimary().Timeline!.Value;
    }

    /// <summary>A standby has a restartpoint, which removes WAL, only at a checkpoint of the primary that it has
    /// replayed.</summary>
    internal static async Task<bool> RestartSummarizerAsync(NodeId node, NodeId primary)
    {
        if (node != primary)
        {
            await Nodes.CheckpointAsync(primary);
            await Nodes.WaitForReplayAsync(node, primary);
        }

        return await Nodes.RestartSummarizerAsync(node);
    }

    /// <returns>How it was done, as a sentence.</returns>
    private static async Task<string> ContinueLineAsync(ReturningNode node, RepairClusterPlan plan)
    {
        await Archives.SalvageAsync(node.Id);
        if (node.HasData)
        {
            var way = Rejoin.From(await DataDirectories.ExamineAsync(node.Id, plan.Primary)).Within(plan.Tablespaces);
            return await Failback.ContinueLineAsync(way, node.Id, plan.Primary);
        }

        await Replication.CloneAsync(node.Id, plan.Primary);
        return $"{node} is a new copy of {plan.Primary}: its data was gone";
    }
}

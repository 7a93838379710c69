using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What RecoverCluster takes: one target, and perhaps the branch that it lies on.</summary>
public sealed record RecoverClusterInput : TargetInput
{
    /// <summary>Stop read-only at the target and wait until a person confirms (<c>approve</c>), moves on (<c>move</c>)
    /// or rolls back (<c>reject</c>).</summary>
    [Flag("Stop read-only at the target; then approve, move or reject it")]
    public bool Inspect { get; init; }

    /// <summary>How long the primary's fast stop may take, in seconds, before everything is undone: 90 where nothing is
    /// said.</summary>
    [Flag("How long the primary's fast stop may take before all is undone (default 90)", Value = "S")]
    public int StopWithinSeconds { get; init; } = StopLimit.Default;

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() => [.. base.Check(), .. StopLimit.Problems(StopWithinSeconds)];
}

/// <summary>Brings a whole cluster back to a position in its past, on the branch that was live then, and remakes its
/// standbys.</summary>
[Workflow]
public sealed class RecoverCluster : Procedure<RecoverClusterInput>
{
    private Move? _move;

    private protected override string OutageStep => "fence";

    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(RecoverClusterInput? input = null) =>
        RunAsync(
            input,
            RecoverClusterPlan.FromAsync,
            async plan =>
            {
                var (cluster, node) = (plan.Input.Cluster, plan.Node);

                await Step("end-backup", "No backup is under way", () => Leases.EndBackupAsync(cluster));
                await Workflow.WhenAllAsync(
                    RequiredStep(
                        "fence",
                        "All nodes are fenced: clients are disconnected and no node can restart as a primary",
                        () => LeaveBranchAsync(plan),
                        undo: () => ReturnAsync(plan)
                    ),
                    Step(
                        "begin-restore",
                        $"Backup {plan.Target.Backups[^1]} is being copied beside {node}'s data",
                        () => Recoveries.BeginRestoreAsync(node, cluster, plan.Target)
                    )
                );
                var leftAt = Now;
                await InParallel(
                    plan.Nodes,
                    other =>
                        Step(
                            $"salvage/{other.Id.Name}",
                            $"{other.Id}'s unarchived WAL is in the archive",
                            () => Archives.SalvageAsync(other.Id)
                        )
                );
                var target = plan.Target;
                if (plan.IsOpen)
                {
                    target = (
                        await ResultStep(
                            "resolve-again",
                            "The target stands, with all the WAL there is",
                            async () => plan.Confirmed(await Repositories.ResolveAsync(cluster, plan.Input.Target))
                        )
                    ).Or(target);
                }

                await Step(
                    "restore",
                    $"Backup {target.Backups[^1]} and its WAL lie beside {node}'s data",
                    () => Recoveries.RestoreAsync(node, cluster, target)
                );
                await Step(
                    "swap",
                    $"{node} uses them; its data of today is set aside",
                    () => DataDirectories.SwapAsync(node),
                    undo: () => DataDirectories.SwapBackAsync(node)
                );
                await RequiredStep(
                    "replay",
                    $"{node} has replayed everything up to the target, and nothing more",
                    () => ReplayAsync(plan, target),
                    undo: async () =>
                    {
                        await NodeRoles.FenceAsync(node, atOnce: true);
                        await Nodes.ConfigureAsync(plan.SettingsOfToday);
                    }
                );
                if (plan.Input.Inspect)
                {
                    target = await InspectAsync(plan, target);
                }

                PointOfNoReturn();
                var openedAt = Now;
                var promotion = await ResultStep("promote", $"{node} is promoted", () => PromoteAsync(node, target));
                await Step(
                    "prepare-primary",
                    $"{node} has the settings and slots of a primary, and the virtual IP",
                    () =>
                        Workflow.WhenAllAsync(
                            Nodes.ConfigureAsync(plan.Intent.Primary(node)),
                            Nodes.SetSlotsAsync(node, plan.Slots),
                            Endpoints.TakeAsync(node)
                        )
                );
                await RecordTimelineSwitchAsync(promotion, leftAt, openedAt);
                await Step(
                    "set-roles",
                    $"{node} has PgFlow's own roles as they are today",
                    () => Clusters.SetRolesAsync(node)
                );

                await Workflow.WhenAllAsync(
                    RequiredStep(
                        "prove-endpoint",
                        "A commit through the endpoint arrives on it",
                        () => Endpoints.ProveAsync(node)
                    ),
                    RemakeStandbysAsync()
                );
                async Task RemakeStandbysAsync()
                {
                    await InParallel(
                        plan.Standbys,
                        standby =>
                            Step(
                                $"copy/{standby.Name}",
                                $"{standby} is a fresh copy of {node}",
                                () => Replication.CloneAsync(standby, node)
                            )
                    );
                    await InParallel(
                        plan.Standbys,
                        standby =>
                            Step(
                                $"follow/{standby.Name}",
                                $"{standby} follows {node}",
                                () => Replication.AttachAsync(standby, node, promotion.Value.Timeline, plan.Intent)
                            )
                    );
                }

                await Step(
                    "synchronous-standbys",
                    $"synchronous_standby_names on {node} matches the cluster's configuration",
                    () => Nodes.DemandConfirmationsAsync(plan.Intent.Primary(node))
                );
                await Step(
                    "tidy-up",
                    "What was set aside is removed",
                    () => Clusters.TidyUpAsync(cluster, plan.Nodes.Select(node => node.Id))
                );
                await Step(
                    "backup",
                    "A base backup on the new timeline",
                    () =>
                        BaseBackups.TakeAsync(
                            BaseBackups.SourceOf(node, plan.Standbys, plan.FullPageWrites),
                            node,
                            $"after {Workflow.Info.WorkflowId}"
                        )
                );
                Conclude(
                    $"{cluster} is as it was at {TargetText.Place(target)}; {node} is the primary, on timeline "
                        + $"{target.NewTimeline}"
                );
            }
        );

    /// <summary>Moves the target of a recovery that is paused for inspection.</summary>
    /// <returns>Where it replays on to.</returns>
    [WorkflowUpdate(
        "move",
        Description = "Replays on to a later target on the same branch: {\"toTime\": \"…\"} "
            + "or any other target of RecoverCluster."
    )]
    public Task<string> MoveAsync(TargetInput target)
    {
        ArgumentNullException.ThrowIfNull(target);
        _move = new(target.Target, new());
        Record($"move to {target.Target.Kind.Name} {target.Target.Words}", target.By, target.Reason);
        return _move.Answer.Task;
    }

    /// <summary>Refuses a target that can't be read, and one that comes while nothing waits.</summary>
    [WorkflowUpdateValidator(nameof(MoveAsync))]
    public void ValidateMove(TargetInput target)
    {
        ArgumentNullException.ThrowIfNull(target);
        RequireWaiting();
        if (_move is not null)
        {
            throw new ApplicationFailureException("another move is under way");
        }

        if ((target with { Cluster = Cluster!.Value }).Problems() is { Count: > 0 } problems)
        {
            throw new ApplicationFailureException(string.Join("; ", problems), errorType: FailureTypes.InvalidInput);
        }
    }

    private static async Task LeaveBranchAsync(RecoverClusterPlan plan)
    {
        if (plan.Primary is { } primary)
        {
            // while its standbys still receive; its clients' sessions end while it has its address
            await NodeRoles.StopAsync(primary, plan.Input.StopWithinSeconds);
        }

        // a primary that answers has stopped; standbys are made anew
        await InParallel(plan.Nodes, node => NodeRoles.FenceAsync(node.Id, atOnce: true));
    }

    /// <summary>Everything is as it was before: the old primary first, so that its standbys find it.</summary>
    private static async Task ReturnAsync(RecoverClusterPlan plan)
    {
        foreach (var node in plan.Nodes.OrderBy(node => node.Id == plan.Node ? 0 : 1))
        {
            await node.ReturnAsync();
        }

        await Clusters.TidyUpAsync(plan.Input.Cluster, plan.Nodes.Select(node => node.Id));
    }

    private async Task ReplayAsync(RecoverClusterPlan plan, ResolvedTarget target)
    {
        await Nodes.ConfigureAsync(plan.Intent.Recovering(plan.Node, target));
        var end = await Recoveries.ReplayAsync(plan.Node, target);
        Notes.AddRange(
            end.Raised.Select(raised =>
                $"{raised} was set on {plan.Node}: the WAL was written with it; keep it until all standbys have it"
            )
        );
    }

    private static async Task<Promotion> PromoteAsync(NodeId node, ResolvedTarget target)
    {
        var promotion = await NodeRoles.PromoteAsync(node, target.Timeline);
        return promotion.Parent == target.Timeline && promotion.Timeline == target.NewTimeline
            ? promotion
            : throw Failure.Break(
                $"{node} opened timeline {promotion.Timeline} from {promotion.Parent}; expected was "
                    + $"{target.NewTimeline} from {target.Timeline}"
            );
    }

    /// <returns>The target that was confirmed.</returns>
    private async Task<ResolvedTarget> InspectAsync(RecoverClusterPlan plan, ResolvedTarget target)
    {
        await Step(
            "offer",
            $"{plan.Node} can be read as {plan.Node.Cluster}-ro, for inspection",
            () => Endpoints.OfferReadOnlyAsync(plan.Node),
            undo: () => Endpoints.LeaveAsync(plan.Node)
        );
        try
        {
            while (!await ConfirmedAsync(() => _move is not null))
            {
                target = await MovedAsync(plan, target, _move!);
            }
        }
        finally
        {
            _move?.Answer.SetException(Failure.Refuse("it was confirmed or ended at the same time"));
        }

        await Step(
            "leave-endpoint",
            $"{plan.Node} is removed from the read-only endpoint",
            () => Endpoints.LeaveAsync(plan.Node)
        );
        await RequiredStep(
            "prove-position",
            $"{plan.Node} still stands where it was approved",
            () => Recoveries.ReplayAsync(plan.Node, target)
        );
        return target;
    }

    /// <summary>A target that is not recoverable is said, and changes nothing: a person is still looking.</summary>
    private async Task<ResolvedTarget> MovedAsync(RecoverClusterPlan plan, ResolvedTarget target, Move move)
    {
        _move = null;
        ResolvedTarget later;
        try
        {
            later = await Repositories.ResolveAsync(
                plan.Input.Cluster,
                move.Wanted with
                {
                    Timeline = move.Wanted.Timeline ?? target.Timeline,
                }
            );
        }
        catch (ActivityFailureException e)
        {
            return Stay(TemporalFailures.Why(e));
        }

        if (later.Timeline != target.Timeline || later.End < target.End)
        {
            return Stay(
                $"{later.End} on timeline {later.Timeline} is not behind {target.End} on timeline "
                    + $"{target.Timeline}; replay goes only forward: reject, and recover anew"
            );
        }

        Replan(plan.MovedTo(later)); // what is approved is what now is to come
        move.Answer.SetResult($"replays on to {TargetText.Place(later)}");
        await Step(
            $"move/{later.End}",
            $"The target is moved to {later.End}",
            async () =>
            {
                await NodeRoles.FenceAsync(plan.Node);
                await Recoveries.FetchWalAsync(plan.Node, plan.Input.Cluster, later);
                await ReplayAsync(plan, later);
                await Endpoints.OfferReadOnlyAsync(plan.Node);
            }
        );
        return later;

        ResolvedTarget Stay(string why)
        {
            Notes.Add($"not moved: {why}");
            move.Answer.SetException(Failure.Refuse(why));
            return target;
        }
    }

    /// <summary>A later target that a person has asked for, and what is answered.</summary>
    private sealed record Move(RecoveryTarget Wanted, TaskCompletionSource<string> Answer);
}

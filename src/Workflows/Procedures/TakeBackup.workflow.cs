using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What TakeBackup takes.</summary>
public sealed record TakeBackupInput : ProcedureInput
{
    /// <summary>The node that is copied; a standby where there is a good one and none is named.</summary>
    [Flag("The node that is copied; a standby where none is named")]
    public NodeName? Node { get; init; }

    /// <summary>Only what has changed since the newest backup.</summary>
    [Flag("Only what has changed since the newest backup (PostgreSQL 17)")]
    public bool Incremental { get; init; }

    /// <summary>A note that stays with the backup.</summary>
    [Flag("A note that stays with the backup", Value = "TEXT")]
    public string? Annotation { get; init; }

    /// <summary>Afterwards remove what the newest so many full backups of each branch don't need; nothing goes where
    /// neither this nor keepDays is given.</summary>
    [Flag("Afterwards remove what is not needed for the newest N full backups of each branch")]
    public int? Keep { get; init; }

    /// <summary>Afterwards remove what no time of the last so many days needs.</summary>
    [Flag("Afterwards remove what is not needed to go back to every time of the last D days", Value = "D")]
    public int? KeepDays { get; init; }

    internal RetentionPolicy? Policy =>
        Keep is null && KeepDays is null ? null : new(Keep, KeepDays is { } days ? TimeSpan.FromDays(days) : null);

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() =>
        [
            .. Unfit("annotation", Annotation, 1000, lines: true),
            .. Keep is < 1 or > 10_000 ? [new("keep", $"{Keep} is not from 1 to 10000")] : Array.Empty<InputProblem>(),
            .. KeepDays is < 1 or > 36_500
                ? [new("keepDays", $"{KeepDays} is not from 1 to 36500")]
                : Array.Empty<InputProblem>(),
        ];
}

/// <summary>Copies a node into the repository, and proves that the archive has all that a recovery of the copy
/// needs.</summary>
[Workflow]
public sealed class TakeBackup : Procedure<TakeBackupInput>
{
    private protected override LeaseKind Lease => LeaseKind.Backup;

    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(TakeBackupInput? input = null) =>
        RunAsync(
            input,
            TakeBackupPlan.FromAsync,
            async plan =>
            {
                var (source, primary) = (plan.Source, plan.Primary);

                var parent = new BackupParent(Id: null);
                if (plan.Input.Incremental)
                {
                    parent = (
                        await ResultStep(
                            "choose-parent",
                            "The backup that it builds on",
                            () => ChooseParentAsync(source)
                        )
                    ).Or(parent);
                }

                var copied = await ResultStep(
                    "copy",
                    $"A copy of {source} is staged in the repository",
                    () =>
                        BaseBackups.CopyAsync(
                            source,
                            primary,
                            parent,
                            plan.Input.Annotation,
                            orPrimary: plan.Input.Node is null
                        ),
                    undo: () => Backups.DiscardAsync(primary.Cluster)
                );
                await Step(
                    "prove",
                    "The archive has all the WAL that it needs, and its files are as its manifest says",
                    () => BaseBackups.ProveAsync(primary, copied.Value)
                );
                await Step(
                    "publish",
                    "It is published",
                    async () =>
                    {
                        var backup = copied.Value;
                        await Backups.PublishAsync(primary.Cluster, backup);
                        Conclude(
                            $"{(backup.Parent is null ? "full" : "incremental")} backup {backup.Id} of "
                                + $"{primary.Cluster}: {PgFlowText.Bytes(backup.Bytes)} from {backup.Node}, "
                                + $"{backup.WalRanges[0].Start} to {backup.End} on timeline {backup.Timeline}"
                        );
                    }
                );

                if (plan.Input.Policy is { } policy)
                {
                    PointOfNoReturn(); // it is published: nothing that follows takes it back
                    await RemoveUnneededAsync(primary.Cluster, policy);
                }
            }
        );

    private async Task<BackupParent> ChooseParentAsync(NodeId source)
    {
        var parent = await Backups.ChooseParentAsync(source);
        if (parent.WhyFull is { } why)
        {
            Notes.Add($"a full backup, not an incremental one: {why}");
        }

        return parent;
    }

    /// <summary>A removal that fails is said; the backup stands.</summary>
    private async Task RemoveUnneededAsync(ClusterName cluster, RetentionPolicy policy)
    {
        var found = await ResultStep(
            "find-expired",
            "What no kept backup needs is found",
            () => UnlessItFailsAsync(() => Repositories.FindExpiredAsync(cluster, policy))
        );
        await Step(
            "remove-expired",
            "It is removed",
            () =>
                UnlessItFailsAsync(async () =>
                {
                    if (found.Value is not { IsEmpty: false } going)
                    {
                        return true;
                    }

                    var expired = new ExpirationSet(
                        [.. going.Backups.Select(backup => backup.What)],
                        going.Segments,
                        going.SegmentSize
                    );
                    await Backups.RemoveAsync(cluster, expired);
                    Notes.Add(
                        $"{PgFlowText.Count(going.Backups.Count, "backup")} and "
                            + $"{PgFlowText.Count(expired.SegmentCount, "WAL segment")} were removed"
                    );
                    Notes.AddRange(
                        PgFlowText.First([
                            .. going.Backups.Select(backup => $"removed backup {backup.What}: {backup.Why}"),
                        ])
                    );
                    Notes.AddRange(
                        PgFlowText.First([.. going.Wal.Select(wal => $"removed WAL {wal.What}: {wal.Why}")])
                    );
                    return true;
                })
        );
    }

    private async Task<T?> UnlessItFailsAsync<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (ActivityFailureException e) when (!TemporalFailures.IsLeaseLost(e))
        {
            Notes.Add($"nothing more was removed: {TemporalFailures.Why(e)}");
            return default;
        }
    }
}

/// <summary>Which node is copied.</summary>
internal sealed record TakeBackupPlan : Plan
{
    /// <summary>As many of a kind as Temporal takes in a report.</summary>
    private const int MostNamed = 500;

    public required TakeBackupInput Input { get; init; }

    public required NodeId Source { get; init; }

    public required NodeId Primary { get; init; }

    public required Timeline Timeline { get; init; }

    internal override object Decision =>
        new
        {
            Source,
            Primary,
            Timeline,
            Input.Incremental,
            Input.Policy,
        };

    /// <summary>Decides, or refuses; for a person who reads the plan, with what is removed afterwards.</summary>
    public static async Task<TakeBackupPlan> FromAsync(TakeBackupInput input, ClusterState state)
    {
        var plan = From(input, state);
        if (input.Policy is not { } policy || !(input.DryRun || input.Approve))
        {
            return plan;
        }

        var primary = state.RequirePrimary();
        var going = await Repositories.FindExpiredAsync(
            input.Cluster,
            policy,
            new(plan.Source.Name, primary.Timeline!.Value, primary.Wal!.Value, input.Incremental)
        );
        return plan with
        {
            Warnings = [.. plan.Warnings, .. Expiring("backup", going.Backups), .. Expiring("WAL", going.Wal)],
        };
    }

    private static IEnumerable<Finding> Expiring(string kind, IReadOnlyList<Removal> gone) =>
        [
            .. gone.Take(MostNamed)
                .Select(one => new Finding(
                    FindingCode.Expires,
                    Detail: $"{kind} {one.What} will be removed: {one.Why}"
                )),
            .. gone.Count > MostNamed
                ? [new(FindingCode.MoreExpires, Detail: $"{gone.Count - MostNamed} more of {kind} will be removed")]
                : Array.Empty<Finding>(),
        ];

    /// <summary>The pure part of the decision.</summary>
    public static TakeBackupPlan From(TakeBackupInput input, ClusterState state)
    {
        var primary = state.RequireExisting().RequireNoTablespaces().RequirePrimary();
        var source = SourceOf(input, state, primary);
        return new()
        {
            Summary = $"{(input.Incremental ? "an incremental" : "a full")} backup of {state.Cluster} from {source.Id}",
            Facts =
            [
                $"{source.Id} is {Checks.Describe(source)} on timeline {primary.Timeline}",
                .. input.Policy is { } policy
                    ? [$"what {policy} does not need is removed afterwards"]
                    : Array.Empty<string>(),
            ],
            Warnings =
                source == primary && state.Nodes.Count > 1 && input.Node is null
                    ?
                    [
                        new(
                            FindingCode.PrimaryBearsLoad,
                            primary.Id,
                            primary.FullPageWrites
                                ? $"no standby is fit for it: the primary {primary.Id} bears the load"
                                : $"full_page_writes is off on {primary.Id}: no standby of it can be copied, the "
                                    + "primary bears the load"
                        ),
                    ]
                    : [],
            Input = input,
            Source = source.Id,
            Primary = primary.Id,
            Timeline = primary.Timeline!.Value,
        };
    }

    private static NodeState SourceOf(TakeBackupInput input, ClusterState state, NodeState primary)
    {
        if (input.Node is not { } named)
        {
            var fit = state.Nodes.Where(other => other != primary && !Checks.CandidateBlockers(other, primary).Any());
            return state.RequireNode(
                BaseBackups
                    .SourceOf(
                        primary.Id,
                        fit.OrderByDescending(other => other.Replayed).Select(other => other.Id),
                        primary.FullPageWrites
                    )
                    .Name
            );
        }

        var node = state.RequireNode(named);
        return node == primary || Failure.RefuseFor([.. CandidateBlockers(node, primary)]) is not { } refusal
            ? node
            : throw refusal;
    }

    private static IEnumerable<string> CandidateBlockers(NodeState node, NodeState primary) =>
        [
            .. Checks.CandidateBlockers(node, primary).Said(),
            .. primary.FullPageWrites
                ? Array.Empty<string>()
                : [$"full_page_writes is off on {primary.Id}: only that one can be copied"],
        ];
}

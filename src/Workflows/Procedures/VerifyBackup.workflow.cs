using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What VerifyBackup takes.</summary>
public sealed record VerifyBackupInput : ProcedureInput
{
    /// <summary>The backup, recovered to its own end; where none is given, the one that a recovery to the latest would
    /// use, recovered to the latest.</summary>
    [Flag(
        "The backup, to its own end; the newest, to the latest, where none is named",
        Place = FlagPlace.BehindOptional,
        Words = FlagWords.Backups
    )]
    public string? Backup { get; init; }

    internal RecoveryTarget Target => Backup is { } id ? new BackupTarget(id) : new LatestTarget();

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() =>
        Backup is { } id && (string.IsNullOrWhiteSpace(id) || id.Length > 63)
            ?
            [
                new(
                    "backup",
                    $"'{id}' is not the ID of a backup; give one of 1 to 63 characters, or none for the newest"
                ),
            ]
            : [];
}

/// <summary>Proves that a backup can be recovered, by recovering it in a container of its own, without
/// network.</summary>
[Workflow]
public sealed class VerifyBackup : Procedure<VerifyBackupInput>
{
    private protected override LeaseKind Lease => LeaseKind.Verify;

    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(VerifyBackupInput? input = null) =>
        RunAsync(
            input,
            VerifyBackupPlan.FromAsync,
            async plan =>
            {
                await Step(
                    "verify",
                    $"{plan.Backup} is recovered in a container of its own, opened, and every table and B-tree checked",
                    async () =>
                    {
                        var proof = await Backups.VerifyAsync(plan.Input.Cluster, plan.Target);
                        Conclude(
                            $"backup {plan.Backup} of {plan.Input.Cluster} can be recovered: "
                                + $"{PgFlowText.Bytes(proof.Bytes)} up to {plan.Target.End} on timeline "
                                + $"{plan.Target.Timeline} without damage; restored in {proof.RestoreSeconds} s, "
                                + $"replayed in {proof.ReplaySeconds} s, checked in {proof.CheckSeconds} s"
                        );
                    }
                );
            }
        );
}

/// <summary>Which backup is recovered, up to where.</summary>
internal sealed record VerifyBackupPlan : Plan
{
    public required VerifyBackupInput Input { get; init; }

    public required ResolvedTarget Target { get; init; }

    public string Backup => Target.Backups[^1];

    internal override object Decision =>
        new
        {
            Target.Backups,
            Target.Timeline,
            End = Target.EndOfBranch ? (Lsn?)null : Target.End,
        };

    /// <summary>Decides, or refuses.</summary>
    public static async Task<VerifyBackupPlan> FromAsync(VerifyBackupInput input, ClusterState state)
    {
        state.RequireExisting();
        return From(input, await Repositories.ResolveAsync(input.Cluster, input.Target));
    }

    /// <summary>The pure part of the decision.</summary>
    internal static VerifyBackupPlan From(VerifyBackupInput input, ResolvedTarget target) =>
        input.Backup is { } named && named != target.Backups[^1]
            ? throw Failure.Refuse(
                $"{named} can't be recovered by itself: WAL of its own is missing, and only "
                    + $"{target.Backups[^1]} leads to its end"
            )
            : new()
            {
                Summary =
                    $"backup {target.Backups[^1]} of {input.Cluster} is recovered on trial, to "
                    + $"{TargetText.Place(target)}",
                Facts =
                [
                    $"backup: {string.Join(" + ", target.Backups)}, {PgFlowText.Bytes(target.BackupBytes)}",
                    target.Why,
                ],
                Input = input,
                Target = target,
            };
}

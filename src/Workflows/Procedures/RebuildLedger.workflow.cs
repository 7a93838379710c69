using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What RebuildLedger takes.</summary>
public sealed record RebuildLedgerInput : ProcedureInput;

/// <summary>Writes into the ledger what it lacks and the WAL tells: when timelines were opened, and restore points.
/// What the ledger has stays as it is.</summary>
[Workflow]
public sealed class RebuildLedger : Procedure<RebuildLedgerInput>
{
    // It may read for long: a failover must not wait. Whatever a procedure writes meanwhile counts.
    private protected override LeaseKind Lease => LeaseKind.Backup;

    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(RebuildLedgerInput? input = null) =>
        RunAsync(
            input,
            RebuildLedgerPlan.FromAsync,
            async plan =>
            {
                await Step(
                    "complete-ledger",
                    $"The ledger has {plan.What}",
                    () =>
                        Ledger.CompleteAsync(
                            plan.Cluster,
                            plan.OpeningsBy(Workflow.Info.WorkflowId),
                            plan.RestorePoints
                        )
                );
                await RequiredStep("prove-ledger", "A recovery finds them", () => ProveAsync(plan));
            }
        );

    private async Task ProveAsync(RebuildLedgerPlan plan)
    {
        if (
            await Ledger.FindLackingAsync(
                plan.Cluster,
                [.. plan.Openings.Select(opening => opening.Timeline)],
                [.. plan.RestorePoints.Select(point => point.Name)]
            ) is
            { Count: > 0 } lacking
        )
        {
            throw Failure.Break($"the ledger still lacks {string.Join(", ", lacking)}");
        }

        Notes.AddRange(plan.Warnings);
        Conclude($"the ledger of {plan.Cluster} has {plan.What}, read from the WAL");
    }
}

/// <summary>What is written into the ledger.</summary>
internal sealed record RebuildLedgerPlan : Plan
{
    public required ClusterName Cluster { get; init; }

    public required IReadOnlyList<TimelineOpened> Openings { get; init; }

    public required IReadOnlyList<RestorePoint> RestorePoints { get; init; }

    internal override object Decision =>
        new
        {
            Cluster,
            Openings,
            RestorePoints,
        };

    /// <summary>What it comes to, in a few words.</summary>
    internal string What =>
        string.Join(
            " and ",
            (string[])
                [
                    .. Openings.Count > 0
                        ?
                        [
                            $"{(Openings.Count == 1 ? "the opening" : "the openings")} of timeline "
                                + $"{string.Join(", ", Openings.Select(opening => opening.Timeline).Order())}",
                        ]
                        : Array.Empty<string>(),
                    .. RestorePoints.Count > 0
                        ? [PgFlowText.Count(RestorePoints.Count, "restore point")]
                        : Array.Empty<string>(),
                ]
        );

    /// <summary>Decides, or refuses.</summary>
    public static async Task<RebuildLedgerPlan> FromAsync(RebuildLedgerInput input, ClusterState state)
    {
        state.RequireExisting();
        return From(input.Cluster, await Repositories.FindUnrecordedAsync(input.Cluster));
    }

    /// <summary>The pure part of the decision.</summary>
    internal static RebuildLedgerPlan From(ClusterName cluster, Unrecorded lacking)
    {
        var plan = new RebuildLedgerPlan
        {
            Summary = $"the ledger of {cluster} has all that the WAL tells; nothing was done",
            Facts =
            [
                .. lacking.Openings.Select(found =>
                    $"timeline {found.Entry.Timeline}: {Describe(found.Entry)}; by {found.Source}"
                ),
                .. lacking.RestorePoints.Select(found =>
                    $"restore point {found.Entry.Name}: {found.Entry.Lsn} on timeline {found.Entry.Timeline}, "
                    + $"{PgFlowText.Exact(found.Entry.At)}; by {found.Source}"
                ),
            ],
            Warnings = lacking.Unknown,
            Cluster = cluster,
            Openings = [.. lacking.Openings.Select(found => found.Entry)],
            RestorePoints = [.. lacking.RestorePoints.Select(found => found.Entry)],
        };
        return plan.What.Length > 0
            ? plan with
            {
                Summary = $"the ledger of {cluster} gets {plan.What}, read from the WAL",
            }
            : plan with
            {
                NothingToDo = true,
                Summary = string.Join("; ", [plan.Summary, .. lacking.Unknown]),
            };
    }

    /// <summary>The openings, with the workflow that writes them.</summary>
    internal IReadOnlyList<TimelineOpened> OpeningsBy(string workflow) =>
        [.. Openings.Select(opening => opening with { Procedure = workflow })];

    private static string Describe(TimelineOpened opening) =>
        $"opened at {PgFlowText.Exact(opening.OpenedAt)} by {opening.Kind}"
        + (
            opening.Parent is { } parent
                ? $", from timeline {parent} at "
                    + $"{opening.SwitchedAt}{(opening.Continues ? ", where that had ended" : "")}"
                : ""
        )
        + (opening.PreviousEndedAt is { } ended ? $"; what was live before ended at {PgFlowText.Exact(ended)}" : "");
}

using System.Text.RegularExpressions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What CreateRestorePoint takes.</summary>
public sealed partial record CreateRestorePointInput : ProcedureInput
{
    /// <summary>The name; used once in a cluster.</summary>
    [Flag("The name; used once in a cluster", Place = FlagPlace.Behind)]
    public string? Name { get; init; }

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() =>
        Name is null || IsName(Name)
            ? Missing("name", Name is null, "name the restore point")
            :
            [
                new(
                    "name",
                    $"'{Name}' is no name of a restore point: 1 to 63 letters, digits, dots, underscores or hyphens"
                ),
            ];

    /// <summary>Whether the ledger takes it; PostgreSQL takes anything.</summary>
    internal static bool IsName(string text) => Pattern().IsMatch(text);

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}

/// <summary>Gives the position of now a name that a recovery can go back to.</summary>
[Workflow]
public sealed class CreateRestorePoint : Procedure<CreateRestorePointInput>
{
    private protected override LeaseKind Lease => LeaseKind.Backup;

    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(CreateRestorePointInput? input = null) =>
        RunAsync(
            input,
            CreateRestorePointPlan.From,
            async plan =>
            {
                await Step(
                    "find-point",
                    $"No restore point of {plan.Primary.Cluster} is called {plan.Name}",
                    async () =>
                    {
                        if (await Ledger.FindPointAsync(plan.Primary.Cluster, plan.Name) is { } there)
                        {
                            throw Failure.Refuse(
                                $"name: there is a restore point {plan.Name} already, at {there.Lsn} on "
                                    + $"timeline {there.Timeline}, made {there.At:yyyy-MM-dd HH:mm:ss}Z; choose "
                                    + "another name"
                            );
                        }
                    }
                );

                // A second record of the name, after a crash, does no harm: a recovery goes to the position in the
                // ledger.
                var point = await ResultStep(
                    "write-point",
                    $"{plan.Primary} has it in its WAL",
                    () => Nodes.CreatePointAsync(plan.Primary, plan.Name)
                );
                await Step("prove-archive", "The archive has that WAL", () => Archives.ProveAsync(plan.Primary));
                await Step(
                    "record-point",
                    "The ledger knows it",
                    async () =>
                    {
                        var (name, timeline, lsn, at) = point.Value;
                        await Ledger.AddPointAsync(plan.Primary.Cluster, point.Value);
                        Conclude(
                            $"{plan.Primary.Cluster} has restore point {name}: {lsn} on timeline {timeline}, "
                                + $"{at:yyyy-MM-dd HH:mm:ss.fff}Z"
                        );
                    }
                );
            }
        );
}

/// <summary>Which position gets a name.</summary>
internal sealed record CreateRestorePointPlan : Plan
{
    public required NodeId Primary { get; init; }

    public required string Name { get; init; }

    public required Timeline Timeline { get; init; }

    internal override object Decision =>
        new
        {
            Primary,
            Timeline,
            Name,
        };

    /// <summary>Decides, or refuses.</summary>
    public static CreateRestorePointPlan From(CreateRestorePointInput input, ClusterState state)
    {
        var primary = state.RequireExisting().RequirePrimary();
        return new()
        {
            Summary = $"restore point {input.Name} on {primary.Id}",
            Facts = [$"primary {primary.Id} on timeline {primary.Timeline}"],
            Primary = primary.Id,
            Name = input.Name!,
            Timeline = primary.Timeline!.Value,
        };
    }
}

using System.Text.Json;

namespace PgFlow.Workflows.Recovery.Targets;

public partial record TargetInput
{
    /// <summary>All there is on the branch.</summary>
    [Flag("All there is on the branch")]
    public bool Latest { get; init; }
}

/// <summary>All there is on the branch.</summary>
public sealed record LatestTarget : RecoveryTarget
{
    internal static TargetKind Description { get; } =
        new(
            "latest",
            "latest",
            input => input.Latest ? "true" : null,
            (_, _) => new LatestTarget(),
            json => json.ValueKind is JsonValueKind.True ? new LatestTarget() : null
        );

    internal override TargetKind Kind => Description;

    internal override object Value => true;

    internal override Task<Position> FindAsync(TargetSearch search) => search.AtEndAsync(search.BranchOf(Timeline));
}

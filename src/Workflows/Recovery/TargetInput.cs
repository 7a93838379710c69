namespace PgFlow.Workflows;

/// <summary>The fields that name a target; exactly one of them, and perhaps <see cref="Timeline"/>.</summary>
public record TargetInput : ProcedureInput
{
    /// <summary>Everything committed up to this time: ISO 8601 with an offset or Z.</summary>
    public string? ToTime { get; init; }

    /// <summary>A restore point.</summary>
    public string? ToPoint { get; init; }

    /// <summary>Every record that begins before this position.</summary>
    public string? ToLsn { get; init; }

    /// <summary>Everything up to this transaction's commit, and it.</summary>
    public string? ToXid { get; init; }

    /// <summary>The end of this backup.</summary>
    public string? ToBackup { get; init; }

    /// <summary>All there is on the branch.</summary>
    public bool Latest { get; init; }

    /// <summary>The branch; where none is given, the one that was live then.</summary>
    public uint? Timeline { get; init; }

    internal RecoveryTarget Target => Read().Target!;

    /// <inheritdoc/>
    protected override IEnumerable<string> Check() => Read().Problems;

    private (RecoveryTarget? Target, IReadOnlyList<string> Problems) Read() => TargetFields.Read(ToTime, ToPoint, ToLsn, ToXid, ToBackup, Latest, Timeline);
}

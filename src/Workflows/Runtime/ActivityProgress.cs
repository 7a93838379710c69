namespace PgFlow.Workflows.Runtime;

/// <summary>How far an activity has got: what its heartbeats carry, for the CLI and the Web UI.</summary>
/// <param name="Phase">What is being done; the same words as long as it is the same.</param>
/// <param name="Percent">How much of it is done, from 0 to 100; null where that is not known.</param>
/// <param name="Bytes">How many bytes that is.</param>
/// <param name="TotalBytes">Of how many.</param>
/// <param name="EtaSeconds">How long the rest takes at the pace so far.</param>
/// <param name="Step">The number of the step that it belongs to; null for what is done outside of steps.</param>
/// <param name="Seen">Of the witness: the primary when it was last well, so that another worker knows it too.</param>
public sealed record ActivityProgress(
    string Phase,
    double? Percent = null,
    long? Bytes = null,
    long? TotalBytes = null,
    double? EtaSeconds = null,
    int? Step = null,
    PrimarySeen? Seen = null
)
{
    /// <summary>The phase of an activity that has not said anything yet.</summary>
    public const string Started = "started";
}

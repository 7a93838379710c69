using System.Text.Json;

namespace PgFlow.Cli.Commands;

/// <summary>A cluster as it was looked at, and what works on it.</summary>
/// <param name="Cluster">Its name.</param>
/// <param name="Inspection">What was found; null where nothing could be.</param>
/// <param name="End">How the look ended.</param>
/// <param name="Open">The procedures that run.</param>
/// <param name="Schedules">What starts by itself.</param>
/// <param name="Witness">Who watches it; null where nobody does.</param>
internal sealed record ClusterStatus(
    string Cluster,
    Inspection? Inspection,
    ProcedureResult End,
    IReadOnlyList<Run> Open,
    IReadOnlyList<ScheduledRun> Schedules,
    Witnessed? Witness = null
)
{
    /// <summary>Whether nobody has to look.</summary>
    public bool Healthy => Inspection is { Healthy: true } && !Schedules.Any(schedule => schedule.Failed);

    public int ExitCode =>
        Inspection switch
        {
            _ when Healthy => ExitCodes.Done,
            null when End.ExitCode is ExitCodes.Refused or ExitCodes.Usage => End.ExitCode,
            _ => ExitCodes.Failed,
        };

    /// <summary>The form of <c>-o json</c>.</summary>
    public object Json =>
        new
        {
            cluster = Cluster,
            healthy = Healthy,
            findings = Inspection?.Findings,
            detail = Inspection is null ? End.Detail : null,
            hints = Inspection is null ? End.Hints : null,
            running = Open,
            schedules = Schedules,
            witness = Witness,
            state = Inspection?.State,
            archive = Inspection?.Archive,
        };

    public static Inspection? InspectionOf(ProcedureResult end) =>
        end.Result?.Deserialize<Inspection>(PgFlowJson.Options);
}

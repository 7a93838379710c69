namespace PgFlow.Cli;

/// <summary>What pgflow's exit says. Scripts depend on these numbers.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Refused = 3;
    public const int ClusterBusy = 4;
    public const int Unreachable = 5;
    public const int StillRunning = 6;
    public const int Incomplete = 7;
    public const int Cancelled = 8;
    public const int StoppedFollowing = 130;

    public static int Of(ProcedureStatus outcome) =>
        outcome switch
        {
            ProcedureStatus.Planned or ProcedureStatus.Succeeded => Done,
            ProcedureStatus.Unchanged => Failed,
            ProcedureStatus.Refused => Refused,
            ProcedureStatus.ClusterBusy => ClusterBusy,
            ProcedureStatus.Incomplete => Incomplete,
            ProcedureStatus.Cancelled => Cancelled,
            _ => StillRunning,
        };

    /// <summary>For the type of a failed workflow. One that PgFlow did not give says nothing of the cluster, so
    /// somebody must look.</summary>
    public static int OfFailure(string? type) =>
        type switch
        {
            FailureTypes.InvalidInput => Usage,
            _ when Enum.TryParse<ProcedureStatus>(type, out var outcome) => Of(outcome),
            _ => Incomplete,
        };
}

namespace PgFlow.Workflows.Runtime;

/// <summary>A lease that a procedure holds, how that procedure stands, and what can be done about it.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="Kind">What the lease is for.</param>
/// <param name="Procedure">The procedure.</param>
/// <param name="WorkflowId">Its workflow.</param>
/// <param name="Since">When it began.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="Outcome">Where it is, as its search attribute says.</param>
/// <param name="Stuck">Why it makes no progress; null where it does.</param>
public sealed record HeldLease(
    ClusterName Cluster,
    LeaseKind Kind,
    string Procedure,
    string WorkflowId,
    DateTimeOffset Since,
    string By,
    string Outcome,
    string? Stuck = null
)
{
    /// <summary>As many attempts as fit into a minute: then nobody waits for the next one.</summary>
    public const int MostAttempts = 15;

    /// <summary>A worker that fails on a workflow's code may be an old one beside a new one; not this often.</summary>
    private const int MostWorkflowAttempts = 3;

    private static readonly string Blocked = PgFlowText.Word(ProcedureStatus.Blocked);

    /// <summary>Another procedure may take the cluster from it, where a person decides so: it does nothing before a
    /// person comes.</summary>
    public bool CanBeTaken => Outcome == Blocked || Stuck is not null;

    /// <summary>Who holds it, and the ways on.</summary>
    public string Sentence
    {
        get
        {
            var what = Kind is LeaseKind.Cluster ? $"{Cluster} is" : $"{Cluster}'s {PgFlowText.Word(Kind)} lease is";
            return $"{what} held by {Procedure} {WorkflowId}, started {Since:yyyy-MM-dd HH:mm:ss}Z by {By}, now "
                + $"{Outcome}"
                + $"{(Stuck is null ? "" : $" without progress ({Stuck})")}; {Ways}";
        }
    }

    private string Ways =>
        Outcome switch
        {
            _ when Outcome == Blocked =>
                $"decide it (pgflow show {WorkflowId}, then pgflow resolve {WorkflowId} retry, skip or abort){OrTake}",
            "inspecting" =>
                $"it waits for a person: pgflow approve {WorkflowId}, or pgflow reject {WorkflowId}, which rolls "
                    + "it back",
            _ when Stuck is not null => $"end it (pgflow cancel {WorkflowId}){OrTake}",
            _ => $"wait for it (pgflow watch {WorkflowId}) or end it (pgflow cancel {WorkflowId})",
        };

    private string OrTake => $", or take the cluster from it: --take-over {WorkflowId}";

    /// <summary>Why a procedure makes no progress, by what Temporal says of it: the workers fail on its code, or on one
    /// of its activities.</summary>
    public static string? WhyStuck(
        int workflowTaskAttempt,
        IEnumerable<(string Activity, int Attempt, string? LastFailure)> pending
    ) =>
        workflowTaskAttempt > MostWorkflowAttempts
            ? $"the workers fail on its code, attempt {workflowTaskAttempt}"
            : pending
                .Where(activity => activity.Attempt > MostAttempts)
                .Select(activity =>
                    $"{activity.Activity}, attempt {activity.Attempt}: {Failure.Said(activity.LastFailure)}"
                )
                .FirstOrDefault();
}

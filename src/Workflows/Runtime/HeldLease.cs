using System.Text.Json.Serialization;

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
    [JsonIgnore]
    public bool CanBeTaken => Outcome == Blocked || Stuck is not null;

    /// <summary>Who holds it.</summary>
    [JsonIgnore]
    public string Sentence
    {
        get
        {
            var what = Kind is LeaseKind.Cluster ? $"{Cluster} is" : $"{Cluster}'s {PgFlowText.Word(Kind)} lease is";
            return $"{what} held by {Procedure} {WorkflowId}, started {Since:yyyy-MM-dd HH:mm:ss}Z by {By}, now "
                + $"{Outcome}"
                + $"{(Stuck is null ? "" : $" without progress ({Stuck})")}";
        }
    }

    /// <summary>The ways on.</summary>
    [JsonIgnore]
    public IReadOnlyList<Hint> Hints =>
        Outcome switch
        {
            _ when Outcome == Blocked =>
            [
                On("see what it waits for", WorkflowAction.Show),
                Hint.Resolve("decide it (retry, skip or abort)", WorkflowId, ResolveAction.Retry),
            ],
            "inspecting" =>
            [
                On("it waits for a person", WorkflowAction.Approve),
                On("roll it back", WorkflowAction.Reject),
            ],
            _ when Stuck is not null => [End],
            _ => [On("wait for it", WorkflowAction.Watch), End],
        };

    private Hint End => On("end it", WorkflowAction.Cancel);

    private Hint On(string text, WorkflowAction action) => Hint.On(text, WorkflowId, action);

    /// <summary>What is said to a procedure that wants the lease, and was given <paramref name="asking"/>; or to one
    /// that needs another lease and fails because of <paramref name="besides"/>, which can't take this one.</summary>
    internal PgFlowException RefusalOf(ProcedureInput asking, string besides = "") =>
        Failure.Busy(
            Sentence + besides,
            [
                .. Hints,
                .. CanBeTaken && besides.Length == 0
                    ? [Hint.Start("take the cluster from it", asking with { TakeOver = WorkflowId })]
                    : Array.Empty<Hint>(),
            ]
        );

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

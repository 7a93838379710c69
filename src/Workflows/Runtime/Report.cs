using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Runtime;

/// <summary>How a procedure ended, or where it is.</summary>
public enum ProcedureStatus
{
    /// <summary>It works.</summary>
    Running,

    /// <summary>It waits for approval and holds no lease.</summary>
    WaitingForApproval,

    /// <summary>It can't go on without a person: see <see cref="ProcedureProgress.Blocked"/>.</summary>
    Blocked,

    /// <summary>It works back towards where it began.</summary>
    Undoing,

    /// <summary>A dry run: nothing was done.</summary>
    Planned,

    /// <summary>All checks passed, or there was nothing to do.</summary>
    Succeeded,

    /// <summary>A safety check or a person said no; the cluster is unchanged.</summary>
    Refused,

    /// <summary>Another procedure holds the cluster.</summary>
    ClusterBusy,

    /// <summary>Failed; the cluster is unchanged.</summary>
    Unchanged,

    /// <summary>A person ended it, or left a step out, past the point of no return or on the way back: something is
    /// left to do.</summary>
    Incomplete,

    /// <summary>Cancelled; all was undone.</summary>
    Cancelled,

    /// <summary>It has stopped read-only at its target, holds the lease, and waits until a person confirms, moves on or
    /// goes back.</summary>
    Inspecting,
}

/// <summary>What a procedure did: its result, the details of its failure, and its record in the ledger.</summary>
public sealed record Report
{
    /// <summary>The workflow type.</summary>
    public required string Procedure { get; init; }

    /// <summary>The cluster.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>How it ended.</summary>
    public required ProcedureStatus Outcome { get; init; }

    /// <summary>The end in one sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>What to do about its end.</summary>
    public IReadOnlyList<Hint> Hints { get; init; } = [];

    /// <summary>Who asked for it.</summary>
    public required string By { get; init; }

    /// <summary>Why, in their words.</summary>
    public string? Reason { get; init; }

    /// <summary>What people have told it meanwhile, in order.</summary>
    public IReadOnlyList<HumanAct> Acts { get; init; } = [];

    /// <summary>What was planned; null when it ended before there was a plan.</summary>
    public PlanView? Plan { get; init; }

    /// <summary>What was done, in order.</summary>
    public IReadOnlyList<StepReport> Steps { get; init; } = [];

    /// <summary>What a reader should know besides: what may be lost, what was left out, who decided what.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset EndedAt { get; init; }

    /// <summary>How long it waited for a person to approve, to look or to decide, in milliseconds.</summary>
    public long WaitedMilliseconds { get; init; }

    /// <summary>How long clients could not write because of it, in milliseconds: from the step that keeps them from
    /// writing to the proof that they can; null where it has no such step, or nothing has proven the end.</summary>
    public long? OutageMilliseconds { get; init; }

    /// <summary>How long it worked.</summary>
    [JsonIgnore]
    public TimeSpan Took => EndedAt - StartedAt - TimeSpan.FromMilliseconds(WaitedMilliseconds);

    /// <summary>Its workflow.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>The run of that workflow.</summary>
    public required string RunId { get; init; }
}

/// <summary>What a person has told a procedure.</summary>
/// <param name="What">The update's name, and what it was about; <c>cancel</c>.</param>
/// <param name="By">Who.</param>
/// <param name="Reason">Why, in their words.</param>
/// <param name="At">When Temporal had it.</param>
public sealed record HumanAct(string What, string By, string? Reason, DateTimeOffset At);

/// <summary>A plan as people read it, before and after.</summary>
/// <param name="Summary">What it comes to, in one sentence.</param>
/// <param name="Facts">What it rests on; a change of these after an approval refuses the procedure.</param>
/// <param name="Warnings">What a person should weigh.</param>
/// <param name="Steps">The steps in order.</param>
/// <param name="Hash">Stands for what was decided, and the steps, in an approval.</param>
public sealed record PlanView(
    string Summary,
    IReadOnlyList<string> Facts,
    IReadOnlyList<Finding> Warnings,
    IReadOnlyList<PlannedStep> Steps,
    string Hash
);

/// <summary>A step ahead.</summary>
/// <param name="Id">What it is, in its runbook: the same whatever its title says.</param>
/// <param name="Title">Its effect, in words that a person on call understands.</param>
/// <param name="AfterPointOfNoReturn">Whether it stands behind the point of no return.</param>
public sealed record PlannedStep(string Id, string Title, bool AfterPointOfNoReturn = false);

/// <summary>Where a step is.</summary>
public enum StepState
{
    /// <summary>Not begun.</summary>
    Pending,

    /// <summary>Working.</summary>
    Running,

    /// <summary>Done; its checks passed.</summary>
    Done,

    /// <summary>Failed.</summary>
    Failed,

    /// <summary>Waits for a person.</summary>
    Blocked,

    /// <summary>A person said to go on without it.</summary>
    Skipped,
}

/// <summary>One step.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Id">What it is, in its runbook: the same whatever its title says.</param>
/// <param name="Title">Its effect, in words that a person on call understands.</param>
/// <param name="State">Where it is.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Error">What went wrong, as long as it is.</param>
/// <param name="AfterPointOfNoReturn">Whether it stands behind the point of no return.</param>
public sealed record StepReport(
    int Number,
    string Id,
    string Title,
    StepState State,
    DateTimeOffset? StartedAt = null,
    long? Milliseconds = null,
    string? Error = null,
    bool AfterPointOfNoReturn = false
);

/// <summary>The answer to the query <c>progress</c>.</summary>
/// <param name="Procedure">The workflow type.</param>
/// <param name="Cluster">The cluster; null while the input is unread.</param>
/// <param name="Status">Where it is.</param>
/// <param name="Summary">The same in one sentence.</param>
/// <param name="Plan">What is planned.</param>
/// <param name="Steps">What is done.</param>
/// <param name="Blocked">What waits for a person.</param>
/// <param name="Notes">What a reader should know besides.</param>
/// <param name="Acts">What people have told it, in order.</param>
/// <param name="By">Who asked for it.</param>
/// <param name="Reason">Why, in their words.</param>
/// <param name="Until">When it ends by itself unless somebody approves; null where it does not wait so.</param>
public sealed record ProcedureProgress(
    string Procedure,
    ClusterName? Cluster,
    ProcedureStatus Status,
    string Summary,
    PlanView? Plan,
    IReadOnlyList<StepReport> Steps,
    IReadOnlyList<BlockedStep> Blocked,
    IReadOnlyList<string> Notes,
    IReadOnlyList<HumanAct>? Acts = null,
    string? By = null,
    string? Reason = null,
    DateTimeOffset? Until = null
)
{
    /// <summary>The planned steps that have not begun.</summary>
    [JsonIgnore]
    public IEnumerable<PlannedStep> Ahead => Plan?.Steps.ExceptBy(Steps.Select(step => step.Id), step => step.Id) ?? [];
}

/// <summary>A step that waits for a person.</summary>
/// <param name="Step">Its number.</param>
/// <param name="Title">Its title.</param>
/// <param name="Why">What is wrong.</param>
/// <param name="Hints">What to do: the decisions that it waits for, behind what puts its cause right, where that is
/// known.</param>
/// <param name="CanSkip">Whether it may be left out.</param>
public sealed record BlockedStep(int Step, string Title, string Why, IReadOnlyList<Hint> Hints, bool CanSkip);

/// <summary>What a person decides of a blocked step.</summary>
public enum ResolveAction
{
    /// <summary>Try again.</summary>
    Retry,

    /// <summary>Go on without it.</summary>
    Skip,

    /// <summary>End the procedure here, as incomplete.</summary>
    Abort,
}

/// <summary>The argument of the update <c>resolve</c>.</summary>
/// <param name="Action">What to do.</param>
/// <param name="By">Who decides.</param>
/// <param name="Reason">Why.</param>
/// <param name="Step">Which step; needed when several are blocked.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record Resolution(
    [property: JsonRequired] ResolveAction Action,
    string? By = null,
    string? Reason = null,
    int? Step = null
);

/// <summary>The argument of the update <c>approve</c>.</summary>
/// <param name="PlanHash">The hash of the plan that is approved.</param>
/// <param name="By">Who approves.</param>
/// <param name="Reason">Why.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record Approval(string? PlanHash = null, string? By = null, string? Reason = null);

/// <summary>The argument of the update <c>reject</c>.</summary>
/// <param name="By">Who says no.</param>
/// <param name="Reason">Why.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record Rejection(string? By = null, string? Reason = null);

/// <summary>The argument of the update <c>interrupt</c>.</summary>
/// <param name="By">Who breaks it off.</param>
/// <param name="Reason">Why.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record Interruption(string? By = null, string? Reason = null);

/// <summary>The argument of the update <c>yield</c>.</summary>
/// <param name="To">The procedure that takes the cluster, and its workflow.</param>
/// <param name="By">Who decided so.</param>
/// <param name="Reason">Why.</param>
public sealed record Yielding([property: JsonRequired] string To, string? By = null, string? Reason = null);

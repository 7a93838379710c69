using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

public abstract partial class Procedure
{
    internal const string Anonymous = "unknown (Web UI)";

    private DateTimeOffset? _until;
    private bool _aborted;
    private protected string? _yielded;
    private Approval? _approval;
    private Rejection? _rejection;

    /// <summary>Where the procedure is.</summary>
    [WorkflowQuery("progress", Description = "Plan, steps, and what waits for a person.")]
    public ProcedureProgress Progress =>
        new(
            Workflow.Info.WorkflowType,
            Cluster,
            Status,
            PgFlowText.Sentence(Status, Foremost?.View.Title),
            PlanView,
            Steps,
            [
                .. BlockedSteps.Select(step => new BlockedStep(
                    step.View.Number,
                    step.View.Title,
                    step.View.Error ?? "",
                    [.. step.Hints, .. WaysOf(step)],
                    step.CanSkip
                )),
            ],
            Notes,
            Acts,
            Asked.By,
            Asked.Reason,
            _until
        );

    /// <summary>How long it stood still for a person to approve, to look or to decide, in milliseconds.</summary>
    private protected long WaitedMilliseconds { get; private set; }

    private static IEnumerable<Hint> WaysOf(Running step)
    {
        yield return Way("Fix the cause, then run", ResolveAction.Retry);
        if (step.CanSkip)
        {
            yield return Way("go on without it", ResolveAction.Skip);
        }

        yield return Way("end here as incomplete", ResolveAction.Abort);

        Hint Way(string text, ResolveAction action) =>
            Hint.Resolve(text, Workflow.Info.WorkflowId, action, step.View.Number);
    }

    private List<Running> BlockedSteps => [.. _steps.Where(step => step.View.State is StepState.Blocked)];

    private List<Running> RunningSteps => [.. _steps.Where(step => step.View.State is StepState.Running)];

    private List<Running> Undecided => [.. BlockedSteps.Where(step => step.Decision is null)];

    private protected static string Named(string? by) => string.IsNullOrWhiteSpace(by) ? Anonymous : by;

    /// <summary>Lets a procedure that waits for approval begin.</summary>
    [WorkflowUpdate(
        "approve",
        Description = "Lets the plan be carried out: {\"planHash\": \"…\", \"by\": \"…\", \"reason\": \"…\"}. The hash "
            + "stands in the plan."
    )]
    public Task ApproveAsync(Approval approval)
    {
        _approval = approval;
        Record("approve", approval.By, approval.Reason);
        return Task.CompletedTask;
    }

    /// <summary>Refuses an approval that doesn't fit.</summary>
    [WorkflowUpdateValidator(nameof(ApproveAsync))]
    public void ValidateApprove(Approval approval)
    {
        RequireWaiting();
        ProcedureInput.RequireFit(approval?.By, approval?.Reason);
        if (approval?.PlanHash is { } hash && hash != PlanView!.Hash)
        {
            throw new ApplicationFailureException(
                $"the plan's hash is {PlanView.Hash}, not {hash}: look at the plan again"
            );
        }

        if (approval is null)
        {
            throw new ApplicationFailureException(
                $"give {{\"planHash\": \"{PlanView!.Hash}\", \"by\": \"your name\"}}"
            );
        }
    }

    /// <summary>Ends a procedure that waits for approval.</summary>
    [WorkflowUpdate(
        "reject",
        Description = "Ends the procedure before anything is done: {\"by\": \"…\", \"reason\": \"…\"}."
    )]
    public Task RejectAsync(Rejection rejection)
    {
        _rejection = rejection with { By = Named(rejection.By) };
        Record("reject", rejection.By, rejection.Reason);
        return Task.CompletedTask;
    }

    /// <summary>Refuses a rejection where nothing waits.</summary>
    [WorkflowUpdateValidator(nameof(RejectAsync))]
    public void ValidateReject(Rejection rejection)
    {
        ArgumentNullException.ThrowIfNull(rejection);
        ProcedureInput.RequireFit(rejection.By, rejection.Reason);
        RequireWaiting();
    }

    /// <summary>Decides how a blocked procedure goes on.</summary>
    [WorkflowUpdate(
        "resolve",
        Description = "Decides a blocked step: {\"action\": \"retry|skip|abort\", \"step\": 7, "
            + "\"by\": \"…\", \"reason\": \"…\"}."
    )]
    public Task ResolveAsync(Resolution resolution)
    {
        var step = Meant(resolution)!;
        step.Decision = resolution;
        Record($"{PgFlowText.Word(resolution.Action)} “{step.View.Title}”", resolution.By, resolution.Reason);
        return Task.CompletedTask;
    }

    /// <summary>Breaks off what a procedure does behind the point of no return, or on its way back.</summary>
    [WorkflowUpdate(
        "interrupt",
        Description = "Breaks off the running step behind the point of no return into blocked, to be decided: "
            + "{\"by\": \"…\", \"reason\": \"…\"}."
    )]
    public Task InterruptAsync(Interruption interruption)
    {
        Record("interrupt", interruption.By, interruption.Reason);
        Interrupt($"broken off by {Named(interruption.By)}{PgFlowText.Because(interruption.Reason)}");
        return Task.CompletedTask;
    }

    /// <summary>Says why nothing can be broken off.</summary>
    [WorkflowUpdateValidator(nameof(InterruptAsync))]
    public void ValidateInterrupt(Interruption interruption)
    {
        ArgumentNullException.ThrowIfNull(interruption);
        ProcedureInput.RequireFit(interruption.By, interruption.Reason);
        if (!PastPointOfNoReturn)
        {
            throw Failure.Refuse(
                "it is before the point of no return",
                Hint.On("cancel it, and all is undone", Workflow.Info.WorkflowId, WorkflowAction.Cancel)
            );
        }

        if (RunningSteps.Count == 0)
        {
            throw new ApplicationFailureException(
                BlockedSteps.Count > 0 ? "it is blocked already: resolve it" : "no step runs"
            );
        }
    }

    /// <summary>Ends the procedure for another one that takes its cluster; what was blocked or ran is left as it
    /// is.</summary>
    [WorkflowUpdate(
        "yield",
        Description = "Ends it as incomplete for a procedure that takes the cluster from it: "
            + "{\"to\": \"…\", \"by\": \"…\", \"reason\": \"…\"}."
    )]
    public Task YieldAsync(Yielding yielding)
    {
        var why =
            $"{yielding.To} took the cluster from it, as {Named(yielding.By)} "
            + $"decided{PgFlowText.Because(yielding.Reason)}";
        (_aborted, _yielded) = (true, why);
        Record($"yield to {yielding.To}", yielding.By, yielding.Reason);
        Interrupt(why);
        return Task.CompletedTask;
    }

    /// <summary>A procedure that can still undo is cancelled instead.</summary>
    [WorkflowUpdateValidator(nameof(YieldAsync))]
    public void ValidateYield(Yielding yielding)
    {
        ArgumentNullException.ThrowIfNull(yielding);
        ProcedureInput.RequireFit(yielding.By, yielding.Reason);
        if (!PastPointOfNoReturn)
        {
            throw new ApplicationFailureException("it is before the point of no return: cancel it");
        }
    }

    /// <summary>Refuses a decision that doesn't fit.</summary>
    [WorkflowUpdateValidator(nameof(ResolveAsync))]
    public void ValidateResolve(Resolution resolution)
    {
        ArgumentNullException.ThrowIfNull(resolution);
        ProcedureInput.RequireFit(resolution.By, resolution.Reason);
        var step = Meant(resolution) ?? throw NotMeant();
        if (resolution.Action is ResolveAction.Skip && !step.CanSkip)
        {
            throw new ApplicationFailureException($"“{step.View.Title}” can't be skipped: retry or abort");
        }
    }

    /// <summary>Waits until somebody has approved; a rejection, and silence for <paramref name="limit"/>, refuse the
    /// procedure.</summary>
    private protected async Task ApprovalAsync(TimeSpan limit)
    {
        _until = Now + limit;
        Show(ProcedureStatus.WaitingForApproval);
        var answered = await WaitedAsync(
            Workflow.WaitConditionAsync(() => _approval is not null || _rejection is not null, limit)
        );
        if (_rejection is { } no)
        {
            throw Failure.Refuse($"rejected by {no.By}{PgFlowText.Because(no.Reason)}");
        }

        if (!answered)
        {
            throw Failure.Refuse($"nobody approved within {limit:g}");
        }

        _until = null;
        Show(ProcedureStatus.Running);
    }

    /// <summary>Waits until a person has looked and confirms, without limit: only a person can know.</summary>
    /// <param name="otherwise">What else ends the waiting.</param>
    /// <returns>Whether it was confirmed. A rejection refuses the procedure.</returns>
    private protected async Task<bool> ConfirmedAsync(Func<bool> otherwise)
    {
        if (IsWalked)
        {
            return true;
        }

        _approval = null;
        Show(ProcedureStatus.Inspecting);
        await WaitedAsync(
            Workflow.WaitConditionAsync(
                () => _approval is not null || _rejection is not null || otherwise(),
                Timeout.InfiniteTimeSpan
            )
        );
        Show(ProcedureStatus.Running);
        return _rejection is { } no
            ? throw Failure.Refuse($"rejected by {no.By}{PgFlowText.Because(no.Reason)}")
            : _approval is not null;
    }

    /// <summary>What it will do has changed while a person was asked.</summary>
    private protected void Replan(Plan plan) => PlanView = plan.View(PlanView!.Steps);

    private async Task<bool> WaitedAsync(Task<bool> person)
    {
        var since = Workflow.UtcNow;
        Notify();
        try
        {
            return await person;
        }
        finally
        {
            WaitedMilliseconds += (long)(Workflow.UtcNow - since).TotalMilliseconds;
        }
    }

    /// <summary>Waits until a person has decided how <paramref name="step"/> goes on.</summary>
    private async Task<ResolveAction> DecisionAsync(Running step)
    {
        var before = Status is ProcedureStatus.Blocked ? ProcedureStatus.Running : Status;
        Show(ProcedureStatus.Blocked);
        Notify();
        await Workflow.WaitConditionAsync(() => step.Decision is not null || _aborted, CancellationToken.None);
        var action = step.Decision?.Action ?? ResolveAction.Abort;
        step.Decision = null;
        _aborted |= action is ResolveAction.Abort;
        if (action is not ResolveAction.Retry)
        {
            Show(step, action is ResolveAction.Skip ? StepState.Skipped : StepState.Failed);
        }
        else
        {
            step.View = step.View with { State = StepState.Running };
        }

        Show(BlockedSteps.Count > 0 ? ProcedureStatus.Blocked : before);
        return action is ResolveAction.Abort ? throw new AbortedException(step.View.Title) : action;
    }

    /// <summary>Breaks off what runs, so that a person can decide. What it has done is not lost: each step goes on from
    /// wherever things are.</summary>
    private void Interrupt(string why)
    {
        Notes.Add(
            RunningSteps.Count == 0
                ? why
                : $"{why}: “{string.Join("”, “", RunningSteps.Select(step => step.View.Title))}” was broken off"
        );
        foreach (var step in RunningSteps)
        {
            step.Interrupt(why);
        }

        Show(Status);
    }

    private PgFlowException NotMeant() =>
        Undecided.Count > 0
            ? Failure.Refuse(
                "step: give the number of a blocked step: "
                    + $"{string.Join(", ", Undecided.Select(blocked => blocked.View.Number))}"
            )
            : Failure.Refuse(
                "no step is blocked",
                PastPointOfNoReturn && RunningSteps.Count > 0
                    ? [Hint.On("break off the one that runs", Workflow.Info.WorkflowId, WorkflowAction.Interrupt)]
                    : []
            );

    private Running? Meant(Resolution resolution) =>
        resolution.Step is null && Undecided is [var only]
            ? only
            : Undecided.Find(step => step.View.Number == resolution.Step);

    private protected void RequireWaiting()
    {
        if (
            Status is not (ProcedureStatus.WaitingForApproval or ProcedureStatus.Inspecting)
            || _approval is not null
            || _rejection is not null
        )
        {
            throw new ApplicationFailureException($"not waiting for approval: it is {PgFlowText.Word(Status)}");
        }
    }
}

/// <summary>A person ended the procedure at a blocked step.</summary>
internal sealed class AbortedException(string step) : Exception($"ended by a person at “{step}”");

using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>What every procedure can be asked and told while it runs, and the steps that it is made of.</summary>
public abstract partial class Procedure
{
    /// <summary>The memo that holds the report of a cancelled procedure.</summary>
    public const string ReportMemo = "report";

    /// <summary>The step that ends every outage.</summary>
    internal const string ProofStep = "prove-endpoint";

    /// <summary>How often a step takes the lease again that somebody ends: who ends it so often means it.</summary>
    private const int MostLosses = 3;

    /// <summary>The step whose code runs: each has a token of its own.</summary>
    private static readonly AsyncLocal<Running?> At = new();

    private readonly List<Running> _steps = [];
    private readonly Stack<(PlannedStep Step, Func<Task> Act)> _undo = [];
    private readonly List<(PlannedStep Step, Func<Task> Act)> _undoOfRunbook = [];
    private readonly Temporalio.Workflows.Mutex _taking = new();
    private bool _walkedPast;
    private DateTimeOffset? _stillSince;
    private List<PlannedStep>? _preview;

    /// <summary>The procedure of the workflow code that is running.</summary>
    internal static Procedure Current => (Procedure)Workflow.Instance;

    /// <summary>Behind the point of no return, or on the way back: nothing is cancelled any more.</summary>
    internal bool PastPointOfNoReturn { get; private protected set; }

    /// <summary>Ends what a step does: by a cancel before the point of no return, else by an interruption
    /// only.</summary>
    internal CancellationToken ActivityToken =>
        At.Value?.Attempt.Token ?? (PastPointOfNoReturn ? CancellationToken.None : Workflow.CancellationToken);

    /// <summary>The step whose code runs; null outside of steps.</summary>
    internal static StepMark? StepNow => At.Value is { } step ? new(step.View.Number, step.View.Title) : null;

    /// <summary>The workflow's clock.</summary>
    protected static DateTimeOffset Now => new(Workflow.UtcNow, TimeSpan.Zero);

    /// <summary>What a reader of the report should know besides its steps.</summary>
    protected internal List<string> Notes { get; } = [];

    /// <summary>What is left to do when it has ended, besides what its end says.</summary>
    protected internal List<Hint> Hints { get; } = [];

    /// <summary>The runbook is only walked, for its plan: nothing may be changed.</summary>
    internal bool IsWalked => _preview is not null;

    /// <summary>What was reached, in one sentence; the plan says what will be.</summary>
    private protected string? ResultSummary { get; private set; }

    private protected ProcedureStatus Status { get; private set; } = ProcedureStatus.Running;

    /// <summary>The lease that this run has; one that was reset remembers that of the earlier run.</summary>
    private protected ChildWorkflowHandle<ClusterLease>? Held { get; set; }

    /// <summary>The lease that it holds; null where it holds none, and may change nothing.</summary>
    internal virtual LeaseMark? LeaseNow => null;

    private protected PlanView? PlanView { get; set; }

    private protected ClusterName? Cluster { get; set; }

    /// <summary>Says what was reached.</summary>
    /// <param name="summary">In one sentence.</param>
    /// <param name="notes">What a reader should know besides.</param>
    /// <param name="hints">What is left to do.</param>
    protected void Conclude(string summary, IEnumerable<string>? notes = null, IEnumerable<Hint>? hints = null)
    {
        if (!IsWalked)
        {
            ResultSummary = summary;
            Notes.AddRange(notes ?? []);
            Hints.AddRange(hints ?? []);
        }
    }

    /// <summary>The step that it is at, of several that go on beside each other the one that a person must know
    /// of.</summary>
    private Running? Foremost =>
        BlockedSteps.FirstOrDefault() ?? RunningSteps.LastOrDefault() ?? _steps.LastOrDefault();

    private protected IReadOnlyList<StepReport> Steps => [.. _steps.Select(step => step.View)];

    /// <summary>Does one thing, or, where the runbook is only walked, lists it.</summary>
    /// <param name="id">What it is, in this runbook; with the node's name where each of several has a step
    /// (<c>follow/p2</c>).</param>
    /// <param name="title">The effect.</param>
    /// <param name="act">Gets there from wherever things are, and proves it.</param>
    /// <param name="undo">Gets back, also from half-way; forgotten at the point of no return.</param>
    protected Task Step(string id, string title, Func<Task> act, Func<Task>? undo = null) =>
        StepAsync(new(id, title), act, undo, canSkip: true);

    /// <summary>A step that nobody may skip: fence, promotion, proof.</summary>
    /// <inheritdoc cref="Step"/>
    protected Task RequiredStep(string id, string title, Func<Task> act, Func<Task>? undo = null) =>
        StepAsync(new(id, title), act, undo, canSkip: false);

    /// <summary>A step whose result later ones need, so that nobody may skip it.</summary>
    /// <inheritdoc cref="Step"/>
    protected async Task<StepResult<T>> ResultStep<T>(
        string id,
        string title,
        Func<Task<T>> act,
        Func<Task>? undo = null
    )
    {
        var result = new StepResult<T>();
        await StepAsync(new(id, title), async () => result.Value = await act(), undo, canSkip: false);
        return result;
    }

    /// <summary>Does the same for each, side by side.</summary>
    protected static Task InParallel<T>(IEnumerable<T> items, Func<T, Task> act) =>
        Workflow.WhenAllAsync(items.Select(act).ToList());

    /// <summary>From here on only forward: a failed step waits for a person, and so does one that a cancel breaks
    /// off.</summary>
    protected void PointOfNoReturn()
    {
        if (_preview is not null)
        {
            _walkedPast = true;
        }
        else
        {
            Workflow.CancellationToken.ThrowIfCancellationRequested();
            PastPointOfNoReturn = true;
            _undo.Clear();
            _ = InterruptOnCancelAsync();
        }
    }

    /// <summary>Not by the token's callback, which runs outside of the workflow, nor by a condition, which a cancel
    /// alone does not let it look at.</summary>
    private async Task InterruptOnCancelAsync()
    {
        var cancelled = new TaskCompletionSource();
        await using var registered = Workflow.CancellationToken.Register(cancelled.SetResult);
        await cancelled.Task;
        Interrupt("a cancel came after the point of no return");
    }

    /// <summary>The rest of the runbook, now that it is known what that is: the plan shows it from here on.</summary>
    protected async Task AheadAsync(Func<Task> steps)
    {
        if (!IsWalked)
        {
            var begun = _steps.Select(step => step.View.Id).ToHashSet();
            PlanView = PlanView! with
            {
                Steps = [.. PlanView.Steps.Where(step => begun.Contains(step.Id)), .. await WalkAsync(steps)],
            };
        }

        await steps();
    }

    /// <summary>The steps of a runbook, none of which is done.</summary>
    private protected async Task<IReadOnlyList<PlannedStep>> WalkAsync(Func<Task> steps)
    {
        (_preview, _walkedPast) = ([], PastPointOfNoReturn);
        _undoOfRunbook.Clear();
        try
        {
            await steps();
            return _preview;
        }
        finally
        {
            _preview = null;
        }
    }

    /// <summary>Takes every step back, last first.</summary>
    private protected async Task UndoAsync()
    {
        PastPointOfNoReturn = true;
        if (_undo.Count > 0)
        {
            Show(ProcedureStatus.Undoing);
        }

        while (_undo.TryPop(out var undo))
        {
            await StepAsync(
                new($"undo/{undo.Step.Id}", $"Undo: {undo.Step.Title}"),
                undo.Act,
                undo: null,
                canSkip: true
            );
        }
    }

    private async Task StepAsync(PlannedStep planned, Func<Task> act, Func<Task>? undo, bool canSkip)
    {
        if (_preview is not null)
        {
            _preview.Add(planned with { AfterPointOfNoReturn = _walkedPast });
            if (undo is not null)
            {
                _undoOfRunbook.Add((planned, undo));
            }

            return;
        }

        ActivityToken.ThrowIfCancellationRequested();
        if (_aborted)
        {
            throw new AbortedException(planned.Title);
        }

        if (undo is not null)
        {
            _undo.Push((planned, undo));
        }

        var step = new Running(
            new(
                _steps.Count + 1,
                planned.Id,
                planned.Title,
                StepState.Running,
                Workflow.UtcNow,
                AfterPointOfNoReturn: PastPointOfNoReturn && Status is not ProcedureStatus.Undoing
            ),
            canSkip
        );
        _steps.Add(step);
        while (!await TryAsync(step, act) && await DecisionAsync(step) is ResolveAction.Retry) { }
    }

    /// <param name="step">The step.</param>
    /// <param name="act">What it does.</param>
    /// <returns>Whether it is done; not, where a person has to decide.</returns>
    private async Task<bool> TryAsync(Running step, Func<Task> act)
    {
        using var attempt = PastPointOfNoReturn
            ? new CancellationTokenSource()
            : CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken);
        At.Value = step.Begin(attempt);
        try
        {
            Show(step, StepState.Running);
            await HoldingLeaseAsync(
                () => _aborted ? throw new AbortedException(step.View.Title) : act(), // by a step beside this one
                earlier => GoOnFrom(earlier, step)
            );
            Show(step, StepState.Done);
            return true;
        }
        catch (Exception e) when (PastPointOfNoReturn && TemporalFailures.IsEnd(e))
        {
            step.Hints = step.Interruption is null ? TemporalFailures.HintsOf(e) : [];
            Show(step, StepState.Blocked, step.Interruption ?? TemporalFailures.Why(e));
            ProcedureLog.Blocked(Cluster, step.View);
            return false;
        }
        catch (Exception e) when (TemporalFailures.IsEnd(e))
        {
            Show(step, StepState.Failed, TemporalFailures.Why(e));
            throw;
        }
    }

    private void Show(Running step, StepState state, string? error = null)
    {
        var elapsed =
            state is StepState.Running
                ? (long?)null
                : (long)(Workflow.UtcNow - step.View.StartedAt!.Value).TotalMilliseconds;
        step.View = step.View with { State = state, Error = error ?? step.View.Error, Milliseconds = elapsed };
        if (state is StepState.Done)
        {
            step.View = step.View with { Error = null };
        }

        Show(Status);
    }

    /// <summary>Shows where the procedure is to all who watch it.</summary>
    private protected void Show(ProcedureStatus outcome)
    {
        if (outcome != Status)
        {
            Status = outcome;
            Workflow.UpsertTypedSearchAttributes(Attributes.Outcome.ValueSet(PgFlowText.Word(outcome)));
            if (outcome is ProcedureStatus.WaitingForApproval or ProcedureStatus.Inspecting or ProcedureStatus.Undoing)
            {
                ProcedureLog.State(Cluster, outcome);
            }
        }

        CountStill();
        Workflow.CurrentDetails = PgFlowText.Markdown(Progress);
    }

    /// <summary>A person is waited for while a step is blocked and none goes on beside it.</summary>
    private void CountStill()
    {
        var isStill = Status is ProcedureStatus.Blocked && RunningSteps.Count == 0;
        if (!isStill && _stillSince is { } since)
        {
            WaitedMilliseconds += (long)(Now - since).TotalMilliseconds;
        }

        _stillSince = isStill ? _stillSince ?? Now : null;
    }

    /// <summary>Tells others where it is; nobody, of a procedure that only looks.</summary>
    private protected virtual void Notify() { }

    private sealed class Running(StepReport view, bool canSkip)
    {
        public StepReport View { get; set; } = view;

        public bool CanSkip { get; } = canSkip;

        public Resolution? Decision { get; set; }

        /// <summary>What puts right what it is blocked by, where that is known.</summary>
        public IReadOnlyList<Hint> Hints { get; set; } = [];

        /// <summary>Ends the attempt that runs.</summary>
        public CancellationTokenSource Attempt { get; private set; } = new();

        /// <summary>Who broke the attempt off.</summary>
        public string? Interruption { get; private set; }

        public Running Begin(CancellationTokenSource attempt)
        {
            (Attempt, Interruption) = (attempt, null);
            return this;
        }

        public void Interrupt(string why)
        {
            Interruption = why;
            Attempt.Cancel();
        }
    }
}

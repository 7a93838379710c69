using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>The order that every procedure keeps: validate, lease, observe, plan, steps, record, end.</summary>
/// <typeparam name="TInput">What it takes.</typeparam>
public abstract partial class Procedure<TInput> : Procedure
    where TInput : ProcedureInput, new()
{
    private string _by = "";
    private TInput _input = new();

    private protected override (string? By, string? Reason) Asked =>
        (
            _by.Length == 0 ? null
            : _input.DryRun ? $"{_by}, as a dry run"
            : _by,
            _input.Reason
        );

    /// <summary>The lease that it holds while it works.</summary>
    private protected virtual LeaseKind Lease => LeaseKind.Cluster;

    internal sealed override LeaseMark? LeaseNow => Held is null ? null : new(_input.Cluster, Lease);

    /// <summary>The step from which on clients can't write; null where there is none.</summary>
    private protected virtual string? OutageStep => null;

    private bool LeftOut => Steps.Any(step => step.State is StepState.Skipped);

    private string TitlesOfLeftOut =>
        string.Join(", ", Steps.Where(step => step.State is StepState.Skipped).Select(step => $"“{step.Title}”"));

    /// <summary>Carries out <paramref name="steps"/> within that order.</summary>
    /// <param name="input">As it was given; null when there was none.</param>
    /// <param name="planFrom">Decides, or refuses with <see cref="Failure.Refuse"/>.</param>
    /// <param name="steps">The runbook. Everything that it does stands in a step: a dry run walks it too.</param>
    /// <returns>The report of a success or of a dry run.</returns>
    /// <exception cref="ApplicationFailureException">Any other end; its type is one of <see cref="FailureTypes"/>, its
    /// detail the report.</exception>
    private protected Task<Report> RunAsync<TPlan>(
        TInput? input,
        Func<TInput, ClusterState, TPlan> planFrom,
        Func<TPlan, Task> steps
    )
        where TPlan : Plan => RunAsync(input, (given, state) => Task.FromResult(planFrom(given, state)), steps);

    /// <inheritdoc cref="RunAsync{TPlan}(TInput, Func{TInput, ClusterState, TPlan}, Func{TPlan, Task})"/>
    private protected async Task<Report> RunAsync<TPlan>(
        TInput? input,
        Func<TInput, ClusterState, Task<TPlan>> planFrom,
        Func<TPlan, Task> steps
    )
        where TPlan : Plan
    {
        _input = input ?? new TInput();
        if (_input.Problems() is { Count: > 0 } problems)
        {
            throw Failure.Invalid(problems);
        }

        var report = await ReportAsync(planFrom, steps);
        await RecordCancelAsync();
        report = report with { Acts = Acts, Notes = [.. Notes] };
        Show(report.Outcome);
        await NotifyEndAsync(report);
        await Workflow.WaitConditionAsync(() => Workflow.AllHandlersFinished, CancellationToken.None);
        return End(report);
    }

    private async Task<Report> ReportAsync<TPlan>(
        Func<TInput, ClusterState, Task<TPlan>> planFrom,
        Func<TPlan, Task> steps
    )
        where TPlan : Plan
    {
        try
        {
            await BeginAsync();
            var shown = _input.DryRun || _input.Approve ? await PlanAsync(planFrom, steps) : null;
            if (_input.DryRun)
            {
                return ReportOf(ProcedureStatus.Planned, PlanView!.Summary);
            }

            if (shown is { NothingToDo: false })
            {
                await ApprovalAsync(TimeSpan.FromSeconds(_input.ApproveWithinSeconds));
            }

            var approved = PlanView;
            return await WithLeaseAsync(async () =>
            {
                var plan = await PlanAsync(planFrom, steps);
                if (approved is not null && approved.Hash != PlanView!.Hash)
                {
                    throw Failure.Refuse(
                        $"the cluster changed after the plan was approved; now the plan would be: {PlanView.Summary}"
                    );
                }

                if (plan.NothingToDo)
                {
                    return plan.Summary;
                }

                Notify(plan.Summary);
                await steps(plan);
                return ResultSummary ?? plan.Summary;
            });
        }
        catch (Exception e) when (TemporalFailures.IsEnd(e))
        {
            return EndedBy(e, EndOf(e));
        }
    }

    private async Task BeginAsync()
    {
        Cluster = _input.Cluster;
        _by = string.IsNullOrWhiteSpace(_input.By) ? await Leases.StarterAsync() : _input.By;
        Workflow.UpsertTypedSearchAttributes(
            Attributes.Cluster.ValueSet(_input.Cluster.ToString()),
            Attributes.Procedure.ValueSet(Workflow.Info.WorkflowType),
            Attributes.RequestedBy.ValueSet(_by),
            Attributes.Reason.ValueSet(Attributes.Beginning(_input.Reason)),
            Attributes.Outcome.ValueSet(PgFlowText.Word(Status))
        );
    }

    private async Task<TPlan> PlanAsync<TPlan>(
        Func<TInput, ClusterState, Task<TPlan>> planFrom,
        Func<TPlan, Task> steps
    )
        where TPlan : Plan
    {
        var state = await Clusters.ObserveAsync(_input.Cluster);
        _receivers = state.Receivers;
        var plan = await DecideAsync(planFrom, state);
        PlanView = plan.View(plan.NothingToDo ? [] : await WalkAsync(() => steps(plan)));
        return plan;
    }

    /// <summary>What stands against one that works beside others may be what another one is about.</summary>
    private async Task<TPlan> DecideAsync<TPlan>(Func<TInput, ClusterState, Task<TPlan>> planFrom, ClusterState state)
    {
        try
        {
            return await planFrom(_input, state);
        }
        catch (PgFlowException e) when (e.Type is FailureTypes.Refused && Lease is not LeaseKind.Cluster)
        {
            await Leases.RequireFreeAsync(LeaseKind.Cluster, _input, $" (now: {e.Message})");
            throw;
        }
    }

    private async Task<Report> WithLeaseAsync(Func<Task<string>> act)
    {
        Held = await TakeAsync(_input.TakeOver is null ? RefuseAsync : EvictAsync);
        Report report;
        try
        {
            var summary = await act();
            report = LeftOut
                ? ReportOf(ProcedureStatus.Incomplete, $"{summary}, but without what was left out: {TitlesOfLeftOut}")
                : ReportOf(ProcedureStatus.Succeeded, summary);
        }
        catch (Exception e) when (TemporalFailures.IsEnd(e) || e is AbortedException)
        {
            report = await AfterFailureAsync(e);
        }

        PastPointOfNoReturn = true;
        await RecordCancelAsync();
        report = await RecordAsync(report with { Acts = Acts });
        if (!await Held.ReleaseAsync())
        {
            Notes.Add("the cluster lease was released by someone else while this procedure was running");
        }

        return report with
        {
            Notes = [.. Notes],
            EndedAt = Workflow.UtcNow,
        };
    }

    private async Task<Report> AfterFailureAsync(Exception failure)
    {
        if (PastPointOfNoReturn)
        {
            return ReportOf(ProcedureStatus.Incomplete, _yielded ?? failure.Message);
        }

        var end = EndOf(failure); // asked before the undo: a cancel that comes later ends nothing
        try
        {
            await UndoAsync();
        }
        catch (AbortedException e)
        {
            end = ProcedureStatus.Incomplete;
            Notes.Add(e.Message);
        }

        return _yielded is null
            ? EndedBy(failure, LeftOut ? ProcedureStatus.Incomplete : end)
            : ReportOf(LeftOut ? ProcedureStatus.Incomplete : end, _yielded);
    }

    private Report EndedBy(Exception failure, ProcedureStatus end) =>
        ReportOf(
            end,
            TemporalFailures.Why(failure),
            end is ProcedureStatus.Cancelled ? [] : TemporalFailures.HintsOf(failure)
        );

    private ProcedureStatus EndOf(Exception failure)
    {
        if (Steps.Count > 0 || _input.DryRun || Workflow.Info.RunId == Workflow.Info.FirstExecutionRunId)
        {
            return Unchanged(failure);
        }

        Notes.Add("it was reset to before its first step: what its earlier run has done stays as it is");
        Hints.Add(Hint.Look(_input.Cluster));
        return ProcedureStatus.Incomplete;
    }

    private static ProcedureStatus Unchanged(Exception failure) =>
        failure switch
        {
            _ when Workflow.CancellationToken.IsCancellationRequested => ProcedureStatus.Cancelled,
            _ when TemporalFailures.IsRefusal(failure) => ProcedureStatus.Refused,
            _ when TemporalFailures.IsBusy(failure) => ProcedureStatus.ClusterBusy,
            _ => ProcedureStatus.Unchanged,
        };

    /// <summary>The ledger outlives Temporal's retention. A record that can't be written is said, and changes no
    /// end.</summary>
    /// <returns>The report: where this finds out that the run was reset, what it does not remember is not
    /// undone.</returns>
    private async Task<Report> RecordAsync(Report report)
    {
        try
        {
            await HoldingLeaseAsync(
                () => Ledger.RecordAsync(report with { Notes = [.. Notes] }),
                earlier => report = WithForgotten(report, ForgottenOf(earlier))
            );
        }
        catch (Exception e) when (e is FailureException or PgFlowException)
        {
            Notes.Add($"the ledger has no record of this: {TemporalFailures.Why(e)}");
        }

        return report;
    }

    private Report End(Report report)
    {
        if (report.Hints.Count > 0)
        {
            Workflow.CurrentDetails += $"\n\n{PgFlowText.SummaryOf(report)}";
        }

        ProcedureLog.Ended(report);
        ProcedureTrace.Ended(report);
        ProcedureMetrics.Ended(report);
        switch (report.Outcome)
        {
            case ProcedureStatus.Succeeded or ProcedureStatus.Planned:
                return report;
            case ProcedureStatus.Cancelled:
                // a cancelled workflow has neither result nor details
                Workflow.UpsertMemo(MemoUpdate.ValueSet(ReportMemo, report));
                throw new OperationCanceledException(report.Summary, Workflow.CancellationToken);
            default:
                throw new ApplicationFailureException(
                    report.Summary,
                    errorType: report.Outcome.ToString(),
                    nonRetryable: true,
                    details: [report]
                );
        }
    }

    private Report ReportOf(ProcedureStatus outcome, string summary, params IReadOnlyList<Hint> hints) =>
        new()
        {
            Procedure = Workflow.Info.WorkflowType,
            Cluster = _input.Cluster,
            Outcome = outcome,
            Summary = summary,
            Hints = [.. hints, .. Hints],
            By = _by,
            Reason = _input.Reason,
            Plan = PlanView,
            Steps = Steps,
            Notes = [.. Notes],
            StartedAt = Workflow.Info.WorkflowStartTime,
            EndedAt = Workflow.UtcNow,
            WaitedMilliseconds = WaitedMilliseconds,
            OutageMilliseconds = (long?)ProcedureMetrics.OutageOf(Steps, OutageStep)?.TotalMilliseconds,
            WorkflowId = Workflow.Info.WorkflowId,
            RunId = Workflow.Info.RunId,
        };
}

using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <content>The lease that was lost is taken again, and what a reset forgot is known again.</content>
public abstract partial class Procedure
{
    /// <summary>Takes the lease again.</summary>
    /// <returns>What an earlier run had begun that was reset.</returns>
    private protected virtual Task<EarlierRun?> TakeAgainAsync() => Task.FromResult<EarlierRun?>(null);

    /// <summary>Does what needs the lease; where that was lost, it is taken again, so and so often.</summary>
    /// <param name="act">What is repeated then.</param>
    /// <param name="goOn">Decides, after a reset, whether this run may go on from what it remembers.</param>
    private protected async Task HoldingLeaseAsync(Func<Task> act, Action<EarlierRun> goOn)
    {
        for (var losses = 0; ; losses++)
        {
            var held = Held;
            try
            {
                await act();
                return;
            }
            catch (ActivityFailureException e) when (TemporalFailures.IsLeaseLost(e) && losses < MostLosses)
            {
                await RegainAsync(held, goOn);
            }
        }
    }

    /// <summary>Takes the lease again, unless a step beside this one has done so.</summary>
    private async Task RegainAsync(ChildWorkflowHandle<ClusterLease>? lost, Action<EarlierRun> goOn)
    {
        await _taking.WaitOneAsync(ActivityToken);
        try
        {
            if (Held == lost && await TakeAgainAsync() is { } earlier)
            {
                goOn(earlier);
            }
        }
        finally
        {
            _taking.ReleaseMutex();
        }
    }

    /// <summary>What an earlier run had begun that was reset, and this one does not remember.</summary>
    private protected List<PlannedStep> ForgottenOf(EarlierRun earlier) =>
        [.. earlier.Steps.ExceptBy(_steps.Select(known => known.View.Id), step => step.Id)];

    /// <summary>The titles of steps, for a sentence.</summary>
    private protected static string Quoted(IEnumerable<PlannedStep> steps) =>
        $"“{string.Join("”, “", steps.Select(step => step.Title))}”";

    /// <summary>Behind the point of no return every step goes on from wherever things are. Before it, what this run
    /// does not remember is undone, or can't be.</summary>
    private void GoOnFrom(EarlierRun earlier, Running step)
    {
        var forgotten = ForgottenOf(earlier);
        var reset =
            "it was reset, and takes the lease "
            + $"again{(forgotten.Count == 0 ? "" : $"; its earlier run had also begun {Quoted(forgotten)}")}";
        Notes.Add(reset);
        if (step.View.AfterPointOfNoReturn || (forgotten.Count == 0 && !earlier.PassedPointOfNoReturn))
        {
            return;
        }

        // What is no step of this run's plan (it was made when the cluster was not as before, or the earlier run was
        // undoing) can't be undone by it.
        if (
            earlier.PassedPointOfNoReturn
            || forgotten.ExceptBy(PlanView!.Steps.Select(planned => planned.Id), known => known.Id).Any()
        )
        {
            (_aborted, _yielded, PastPointOfNoReturn) = (
                true,
                $"{reset}, which this one can't undo: the cluster is left as it is",
                true
            );
            Hints.Add(Hint.Look(Cluster!.Value));
            Show(step, StepState.Failed, _yielded);
            throw new AbortedException(step.View.Title);
        }

        foreach (var undo in _undoOfRunbook.Where(undo => forgotten.Exists(known => known.Id == undo.Step.Id)))
        {
            _undo.Push(undo);
        }

        if (!PastPointOfNoReturn)
        {
            throw Failure.Break($"{reset}: all is undone, start it anew");
        }
    }

    private protected static Report WithForgotten(Report report, List<PlannedStep> forgotten) =>
        forgotten.Count == 0
            ? report
            : report with
            {
                Outcome = ProcedureStatus.Incomplete,
                Summary =
                    $"it was reset, and {Quoted(forgotten)} of its earlier run stay as they are; {report.Summary}",
            };
}

using Spectre.Console;

namespace PgFlow.Cli.Progress;

/// <summary>One line per change: for logs, pipes and people without a terminal.</summary>
internal sealed class LineView(IAnsiConsole people, string workflowId, TimeProvider clock) : IView
{
    private readonly Dictionary<int, (StepState State, string? Error, bool IsPast)> _said = [];
    private readonly HashSet<string> _notes = [];
    private readonly ProgressLines _lines = new(clock);
    private ProcedureStatus? _status;
    private string? _trouble;

    public async Task ShowAsync(IAsyncEnumerable<Snapshot> snapshots, CancellationToken cancel)
    {
        await foreach (var now in snapshots.WithCancellation(cancel))
        {
            Show(now);
        }
    }

    public void Show(Snapshot now)
    {
        if (now.Trouble != _trouble && (_trouble = now.Trouble) is not null)
        {
            people.WriteLine($"! {now.Trouble}");
        }

        if (now.Progress is { } progress)
        {
            Show(progress);
        }

        foreach (var activity in now.Activities.Where(_lines.Take))
        {
            people.WriteLine(
                $"     {(activity.Progress?.Step is { } step ? $"{step}" : activity.Type)}: {activity.Words}"
            );
        }
    }

    private void Show(ProcedureProgress progress)
    {
        foreach (
            var step in progress.Steps.Where(step =>
                !_said.TryGetValue(step.Number, out var said) || (said.State, said.Error) != (step.State, step.Error)
            )
        )
        {
            if (step.AfterPointOfNoReturn && _said.Values.All(said => !said.IsPast))
            {
                people.WriteLine($"     {PlanText.NoReturn}");
            }

            _said[step.Number] = (step.State, step.Error, step.AfterPointOfNoReturn);
            people.WriteLine(
                $"{PgFlowText.Sign(step.State)} {step.Number, 2} {PgFlowText.TitleOf(step)}"
                    + (step.Milliseconds is { } ms ? $" ({PgFlowText.Took(TimeSpan.FromMilliseconds(ms))})" : "")
                    + (step.Error is null ? "" : $": {step.Error}")
            );
        }

        foreach (var blocked in progress.Blocked.Where(blocked => _notes.Add($"{blocked.Step}: {blocked.Why}")))
        {
            people.WriteLine($"  step {blocked.Step} waits for a person; {HintText.Of(blocked.Hints)}");
        }

        if (progress.Status != _status && progress is { Status: ProcedureStatus.WaitingForApproval, Plan: { } plan })
        {
            PlanText.Write(people, plan);
            people.WriteLine($"it waits for: pgflow approve {workflowId} (or reject)");
        }

        if (progress.Status != _status && progress.Status is ProcedureStatus.Inspecting)
        {
            people.WriteLine(Inspecting(workflowId));
        }

        _status = progress.Status;
    }

    /// <summary>What a person can do with a recovery that is paused at its target.</summary>
    public static string Inspecting(string id) =>
        $"paused read-only at the recovery target; look at it, then {WaysOn(id)}";

    public static string WaysOn(string id) =>
        $"promote it: pgflow approve {id}; go on to a later target: pgflow move {id} --to-time TIME; roll back: "
        + $"pgflow reject {id}";
}

using Temporalio.Activities;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace PgFlow.Activities;

/// <summary>What the activity that is working now does, and how far it has got: its heartbeats carry it to the CLI and
/// the Web UI.</summary>
internal sealed class ProgressReporter : IDisposable
{
    private static readonly AsyncLocal<ProgressReporter?> Current = new();

    private readonly Pace _pace = new(TimeProvider.System);
    private readonly int? _step;

    private ProgressReporter(ActivityMark? mark)
    {
        (_step, Mark) = (mark?.Step?.Number, mark);
        Newest = new(ActivityProgress.Started, Step: _step);
    }

    /// <summary>The activity that is working now; null outside of one.</summary>
    public static ProgressReporter? Now => Current.Value;

    public ActivityProgress Newest { get; private set; }

    /// <summary>For what it works.</summary>
    public ActivityMark? Mark { get; }

    /// <summary>When it was last allowed to change something (<see cref="Permit"/>).</summary>
    public long? AllowedAt { get; set; }

    /// <summary>Another run is ended, or what is left of it: before the lease is held, so no permission is asked
    /// for.</summary>
    public bool EndsAnother { get; set; }

    /// <summary>What a heartbeat of the activity that is working now carries.</summary>
    public static async Task<Payloads?> PayloadsAsync(ActivityExecutionContext context) =>
        Current.Value is { } progress
            ? new()
            {
                Payloads_ = { await context.TemporalClient.Options.DataConverter.ToPayloadsAsync([progress.Newest]) },
            }
            : null;

    public static ProgressReporter Begin(ActivityMark? mark) => Current.Value = new(mark);

    /// <summary>What is being done, where nobody knows how much of it there is.</summary>
    public static void Say(string phase)
    {
        if (Current.Value is { } progress)
        {
            progress.Newest = new(phase, Step: progress._step);
        }
    }

    /// <summary>What the witness sees, and what another attempt must know.</summary>
    public static void Watch(string phase, PrimarySeen? seen)
    {
        if (Current.Value is { } progress)
        {
            progress.Newest = new(phase, Seen: seen);
        }
    }

    /// <summary>How much of something is done.</summary>
    /// <param name="phase">What is being done; as long as it is the same, the rest is estimated by its pace.</param>
    /// <param name="done">How much.</param>
    /// <param name="total">Of how much; an estimate may turn out too low.</param>
    /// <param name="inBytes">Whether those are bytes, which are shown.</param>
    public static void Report(string phase, long done, long total, bool inBytes = true)
    {
        if (Current.Value is { } progress)
        {
            progress.Newest = new(
                phase,
                Math.Round(100.0 * Math.Min(done, total) / Math.Max(1, total), 1),
                inBytes ? done : null,
                inBytes ? total : null,
                progress._pace.SecondsLeft(phase, done, total),
                progress._step
            );
        }
    }

    /// <summary>How far a program has got, by the last line that it printed.</summary>
    public static void OfProgram(string program, string line)
    {
        if (ProgramProgress.Parse(line) is { } at)
        {
            Report(program, at.Done, at.Total, at.InBytes);
        }
        else
        {
            Say(line.Length > 0 ? line : program);
        }
    }

    public void Dispose() => Current.Value = null;
}

/// <summary>Estimates the rest of a phase by how long took what was done since the phase was first seen.</summary>
internal sealed class Pace(TimeProvider clock)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    private string? _phase;
    private long _first;
    private long _since;

    /// <summary>The seconds left; null as long as nobody can say.</summary>
    public double? SecondsLeft(string phase, long done, long total)
    {
        if (phase != _phase || done < _first)
        {
            (_phase, _first, _since) = (phase, done, clock.GetTimestamp());
        }

        var elapsed = clock.GetElapsedTime(_since);
        return elapsed >= Shortest && done > _first
            ? Math.Round(elapsed.TotalSeconds * Math.Max(0, total - done) / (done - _first))
            : null;
    }
}

using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace PgFlow.Activities;

/// <summary>Logs how an attempt ended, for everybody what has changed something, for those who debug what only
/// looked.</summary>
/// <remarks>What changes something has asked for its <see cref="Permit"/> first; whoever finds that there is nothing
/// to do has not.</remarks>
internal sealed partial class AttemptLog : IDisposable
{
    private readonly ILogger _logger;
    private readonly Attempt _attempt;
    private readonly IDisposable? _scope;
    private readonly long _began = Stopwatch.GetTimestamp();

    /// <summary>From here on all that is logged carries what is known of the attempt.</summary>
    public AttemptLog(ILogger logger, Attempt attempt)
    {
        (_logger, _attempt) = (logger, attempt);
        _scope = logger.BeginScope(attempt.Fields);
    }

    private long Milliseconds => (long)Stopwatch.GetElapsedTime(_began).TotalMilliseconds;

    private string Origin =>
        _attempt.Step is { } step
            ? $"{_attempt.Procedure}, step {step.Number}: {step.Title}"
            : $"{_attempt.Procedure}, outside of steps";

    public void Succeeded(bool changed)
    {
        if (changed)
        {
            LogChanged(_attempt, Milliseconds, Origin);
        }
        else
        {
            LogUnchanged(_attempt, Milliseconds, Origin);
        }
    }

    public void Failed(string why, bool final)
    {
        if (final)
        {
            LogFailed(_attempt, Milliseconds, why, Origin);
        }
        else
        {
            LogRetried(_attempt, Milliseconds, why, Origin);
        }
    }

    /// <summary>A person, a time limit, the worker's end or another attempt ended it.</summary>
    public void BrokenOff(string why) => LogBrokenOff(_attempt, Milliseconds, why, Origin);

    public void Dispose() => _scope?.Dispose();

    [LoggerMessage(100, LogLevel.Information, "{What}: changed in {Milliseconds} ms ({Origin})")]
    private partial void LogChanged(Attempt what, long milliseconds, string origin);

    [LoggerMessage(101, LogLevel.Debug, "{What}: nothing changed in {Milliseconds} ms ({Origin})")]
    private partial void LogUnchanged(Attempt what, long milliseconds, string origin);

    [LoggerMessage(102, LogLevel.Warning, "{What}: failed after {Milliseconds} ms: {Why} ({Origin})")]
    private partial void LogFailed(Attempt what, long milliseconds, string why, string origin);

    [LoggerMessage(
        103,
        LogLevel.Warning,
        "{What}: failed after {Milliseconds} ms and is tried again: {Why} ({Origin})"
    )]
    private partial void LogRetried(Attempt what, long milliseconds, string why, string origin);

    [LoggerMessage(104, LogLevel.Warning, "{What}: broken off after {Milliseconds} ms: {Why} ({Origin})")]
    private partial void LogBrokenOff(Attempt what, long milliseconds, string why, string origin);
}

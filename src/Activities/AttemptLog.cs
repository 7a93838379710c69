using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace PgFlow.Activities;

/// <summary>Logs and traces how an attempt ended: for everybody what has changed something, for those who debug what
/// only looked.</summary>
/// <remarks>What changes something has asked for its <see cref="Permit"/> first; whoever finds that there is nothing
/// to do has not.</remarks>
internal sealed partial class AttemptLog : IDisposable
{
    private readonly ILogger _logger;
    private readonly Attempt _attempt;
    private readonly IDisposable? _scope;
    private readonly Activity? _span;
    private readonly long _began = Stopwatch.GetTimestamp();

    /// <summary>From here on all that is logged carries what is known of the attempt.</summary>
    public AttemptLog(ILogger logger, Attempt attempt)
    {
        (_logger, _attempt) = (logger, attempt);
        _scope = logger.BeginScope(attempt.Fields);
        _span = ProcedureTrace.Source.HasListeners() ? Start(attempt) : null;
    }

    private long Milliseconds => (long)Stopwatch.GetElapsedTime(_began).TotalMilliseconds;

    private string Origin =>
        _attempt.Step is { } step
            ? $"{_attempt.Procedure}, step {step.Number}: {step.Title}"
            : $"{_attempt.Procedure}, outside of steps";

    public void Succeeded(bool changed)
    {
        _span?.SetTag("pgflow.changed", changed);
        _span?.SetStatus(ActivityStatusCode.Ok);
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
        _span?.SetStatus(ActivityStatusCode.Error, why);
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
    public void BrokenOff(string why)
    {
        _span?.SetStatus(ActivityStatusCode.Error, why);
        LogBrokenOff(_attempt, Milliseconds, why, Origin);
    }

    public void Dispose()
    {
        _span?.Dispose();
        _scope?.Dispose();
    }

    private static Activity? Start(Attempt attempt)
    {
        var parent = ProcedureTrace.ParentOf(attempt.RunId, attempt.Step?.Number);
        var span = ProcedureTrace.Source.StartActivity(attempt.Activity, ActivityKind.Internal, parent);
        span?.SetTag("pgflow.cluster", attempt.Subject?.Cluster.ToString());
        span?.SetTag("pgflow.node", attempt.Subject?.Node?.ToString());
        span?.SetTag("pgflow.procedure", attempt.Procedure);
        span?.SetTag("pgflow.step", attempt.Step?.Number);
        span?.SetTag("pgflow.attempt", attempt.Number);
        span?.SetTag("temporalWorkflowID", attempt.WorkflowId);
        span?.SetTag("temporalRunID", attempt.RunId);
        return span;
    }

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

using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PgFlow.Cli.Progress;

/// <summary>Reads from a history whether a worker takes part: no worker is needed to know that there is none.</summary>
internal sealed class WorkflowTasks(TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private long? _scheduled;

    /// <summary>Whether a worker has ever answered, so that a query can be.</summary>
    public bool Answered { get; private set; }

    /// <summary>Whether the workflow has ended.</summary>
    public bool Closed { get; private set; }

    /// <summary>Why the worker that answers can't go on.</summary>
    public string? Failure { get; private set; }

    /// <summary>What is wrong.</summary>
    public string? Trouble =>
        Failure is { } why ? $"the worker can't go on: {why}. It tries again; see: pgflow doctor"
        : _scheduled is { } since && clock.GetElapsedTime(since) >= Patience ? NoWorker
        : null;

    public static string NoWorker =>
        $"no worker answers on task queue {Temporal.TaskQueue}; the procedure waits. Start one: pgflow worker";

    public void See(HistoryEvent seen)
    {
        switch (seen.EventType)
        {
            case EventType.WorkflowTaskScheduled:
                _scheduled ??= clock.GetTimestamp();
                break;
            case EventType.WorkflowTaskStarted:
                _scheduled = null;
                break;
            case EventType.WorkflowTaskCompleted:
                (Answered, Failure, _scheduled) = (true, null, null);
                break;
            case EventType.WorkflowTaskFailed
                when seen.WorkflowTaskFailedEventAttributes
                    is {
                        Cause: not WorkflowTaskFailedCause.UnhandledCommand
                            and not WorkflowTaskFailedCause.ResetWorkflow
                    } failed:
                Failure = failed.Failure?.Message ?? failed.Cause.ToString();
                break;
            case EventType.WorkflowExecutionCompleted
            or EventType.WorkflowExecutionFailed
            or EventType.WorkflowExecutionCanceled
            or EventType.WorkflowExecutionTerminated
            or EventType.WorkflowExecutionTimedOut:
                Closed = true;
                break;
            default:
                break;
        }
    }
}

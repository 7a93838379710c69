using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PgFlow.UnitTests.Cli;

public sealed class WorkflowTasksTests
{
    private readonly Clock _clock = new();
    private readonly WorkflowTasks _tasks;

    public WorkflowTasksTests() => _tasks = new(_clock);

    [Fact]
    public void A_task_that_nobody_takes_for_5_s_means_that_no_worker_is_there()
    {
        See(EventType.WorkflowTaskScheduled);
        _clock.Seconds = 4;
        Assert.Null(_tasks.Trouble);

        _clock.Seconds = 5;
        Assert.Equal(WorkflowTasks.NoWorker, _tasks.Trouble);

        See(EventType.WorkflowTaskStarted, EventType.WorkflowTaskCompleted);
        Assert.Null(_tasks.Trouble);
        Assert.True(_tasks.Answered);
    }

    [Fact]
    public void A_task_that_failed_is_said_until_one_succeeds()
    {
        _tasks.See(
            new()
            {
                EventType = EventType.WorkflowTaskFailed,
                WorkflowTaskFailedEventAttributes = new()
                {
                    Cause = WorkflowTaskFailedCause.NonDeterministicError,
                    Failure = new() { Message = "other code" },
                },
            }
        );
        Assert.Contains("other code", _tasks.Trouble, StringComparison.Ordinal);

        See(EventType.WorkflowTaskCompleted);
        Assert.Null(_tasks.Trouble);
    }

    [Theory]
    [InlineData(EventType.WorkflowExecutionCompleted)]
    [InlineData(EventType.WorkflowExecutionFailed)]
    [InlineData(EventType.WorkflowExecutionCanceled)]
    [InlineData(EventType.WorkflowExecutionTerminated)]
    public void Each_end_is_seen(EventType end)
    {
        See(end);

        Assert.True(_tasks.Closed);
    }

    private void See(params EventType[] types) =>
        Array.ForEach(types, type => _tasks.See(new HistoryEvent { EventType = type }));

    private sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}

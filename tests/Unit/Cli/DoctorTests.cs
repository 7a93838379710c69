using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PgFlow.UnitTests.Cli;

public sealed class DoctorTests
{
    private static readonly WorkerInspection Found = new(
        "pgflow-worker@b:2",
        [new("Docker", Ok: true, "answers"), new("Secrets", Ok: false, "others may use x", new("chmod 600 x"))]
    );

    [Fact]
    public void A_worker_that_answers_is_well_and_what_it_says_is_shown() =>
        Assert.Equal(
            [
                new("Worker", Ok: true, "pgflow-worker@b:2 does what it is given"),
                new("Docker", Ok: true, "answers"),
                new("Secrets", Ok: false, "others may use x", "chmod 600 x"),
            ],
            After(EventType.WorkflowTaskScheduled, EventType.WorkflowTaskCompleted).With(Found)
        );

    [Fact]
    public void A_worker_that_takes_a_task_and_does_nothing_is_named()
    {
        var asked = After(EventType.WorkflowTaskScheduled);
        asked.See(Given("pgflow-worker@a:1"));

        Assert.False(asked.Problem.Ok);
        Assert.StartsWith("pgflow-worker@a:1 polls, was given a task and does nothing", asked.Problem.Found);
        Assert.EndsWith("pgflow worker", asked.Problem.Hint);
    }

    [Fact]
    public void Also_where_another_one_answers_after_it()
    {
        var asked = After(EventType.WorkflowTaskScheduled);
        asked.See(Given("pgflow-worker@a:1"));
        asked.See(new() { EventType = EventType.WorkflowTaskTimedOut });
        asked.See(Given("pgflow-worker@b:2"));
        asked.See(new() { EventType = EventType.WorkflowTaskCompleted });

        var said = asked.With(Found);
        Assert.StartsWith("pgflow-worker@a:1 polls, was given a task", said[0].Found);
        Assert.Equal((false, true), (said[0].Ok, said[1].Ok));
    }

    [Fact]
    public void A_task_that_nobody_takes_says_so()
    {
        var problem = After(EventType.WorkflowTaskScheduled).Problem;

        Assert.Contains("takes no task: it hangs, is stopped, or has no free slot", problem.Found);
    }

    [Fact]
    public void A_worker_that_does_not_know_the_look_says_so()
    {
        var asked = After(EventType.WorkflowTaskScheduled);
        asked.See(
            new()
            {
                EventType = EventType.WorkflowTaskFailed,
                WorkflowTaskFailedEventAttributes = new() { Failure = new() { Message = "not registered" } },
            }
        );

        Assert.Contains("not registered", asked.Problem.Found);
    }

    [Fact]
    public void A_look_that_does_not_end_is_no_worker_that_hangs() =>
        Assert.StartsWith("took a task, and did not do it", After(EventType.WorkflowTaskCompleted).Problem.Found);

    [Fact]
    public void A_schedule_starts_what_it_is_meant_to()
    {
        var next = DateTimeOffset.UnixEpoch;
        ScheduledRun good = new("pgflow-backup-a", "TakeBackup", Paused: false, next, Last("succeeded"));

        Assert.Equal(
            new("Schedules", Ok: true, "2 schedules, none paused, and no last run failed"),
            Assert.Single(SchedulesCheck.Judge([good, good with { Last = null }]))
        );
        Assert.Equal(new("Schedules", Ok: true, "there are none"), Assert.Single(SchedulesCheck.Judge([])));
        Assert.Equal(
            [
                new(
                    good.Id,
                    Ok: false,
                    "is paused: it starts nothing",
                    $"temporal schedule toggle --schedule-id {good.Id} --unpause"
                ),
                new(
                    good.Id,
                    Ok: false,
                    "never starts anything again",
                    "give it other times: --schedule of the procedure's command"
                ),
                new(good.Id, Ok: false, "its last run ended as unchanged", "pgflow show backup-a-1"),
            ],
            SchedulesCheck.Judge([
                good with
                {
                    Paused = true,
                },
                good with
                {
                    Next = null,
                },
                good with
                {
                    Last = Last("unchanged"),
                },
                good,
            ])
        );
    }

    private static Run Last(string outcome) =>
        new("backup-a-1", "TakeBackup", "a", outcome, "anna", default, default(DateTimeOffset), null, null, null);

    private static AskedWorker After(params EventType[] types)
    {
        var asked = new AskedWorker();
        Array.ForEach(types, type => asked.See(new() { EventType = type }));
        return asked;
    }

    private static HistoryEvent Given(string worker) =>
        new()
        {
            EventType = EventType.WorkflowTaskStarted,
            WorkflowTaskStartedEventAttributes = new() { Identity = worker },
        };
}

using System.Linq.Expressions;
using Temporalio.Common;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Activities;

/// <summary>How long an activity may take.</summary>
internal enum Duration
{
    /// <summary>One look at what can be done without while clients wait.</summary>
    Glance,

    /// <summary>Seconds; what is beside a procedure's way, and must not hold the lease for long.</summary>
    Short,

    /// <summary>Seconds; clients may be waiting for the undo, and behind the point of no return a person has to come
    /// where it fails.</summary>
    Medium,

    /// <summary>As long as it makes progress.</summary>
    Long,
}

/// <summary>The options of every activity, by effect and duration. They decide how soon another worker goes on after a
/// crash.</summary>
internal static class ActivityCall
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(2);

    private static readonly RetryPolicy Retry = new()
    {
        InitialInterval = TimeSpan.FromMilliseconds(100),
        MaximumInterval = TimeSpan.FromSeconds(5),
        MaximumAttempts = 10_000, // time is the limit; the Web UI warns where no number stands
        NonRetryableErrorTypes = [FailureTypes.Refused, FailureTypes.Broken, FailureTypes.InvalidInput],
    };

    /// <summary>Asks, and changes nothing of a cluster: no WAL is written, no checkpoint made.</summary>
    public static Task<T> QueryAsync<THand, T>(
        Expression<Func<THand, Task<T>>> call,
        string summary,
        Duration duration = Duration.Short
    ) => Workflow.ExecuteActivityAsync(call, Options(summary, duration));

    /// <inheritdoc cref="QueryAsync{THand, T}"/>
    public static Task QueryAsync<THand>(
        Expression<Func<THand, Task>> call,
        string summary,
        Duration duration = Duration.Short
    ) => Workflow.ExecuteActivityAsync(call, Options(summary, duration));

    /// <summary>Asks, also where the workflow was cancelled.</summary>
    public static Task<T> AfterCancelAsync<THand, T>(Expression<Func<THand, Task<T>>> call, string summary)
    {
        var options = Options(summary, Duration.Short);
        options.CancellationToken = CancellationToken.None;
        return Workflow.ExecuteActivityAsync(call, options);
    }

    /// <summary>Changes something: never where the runbook is only walked.</summary>
    public static Task<T> ChangeAsync<THand, T>(
        Expression<Func<THand, Task<T>>> call,
        string summary,
        Duration duration = Duration.Medium
    ) => Workflow.ExecuteActivityAsync(call, ChangeOptions(summary, duration));

    /// <inheritdoc cref="ChangeAsync{THand, T}"/>
    public static Task ChangeAsync<THand>(
        Expression<Func<THand, Task>> call,
        string summary,
        Duration duration = Duration.Medium
    ) => Workflow.ExecuteActivityAsync(call, ChangeOptions(summary, duration));

    /// <summary>Changes something within a time that a person may set, for which an attempt has 20 s more.</summary>
    public static Task<T> ChangeWithinAsync<THand, T>(
        Expression<Func<THand, Task<T>>> call,
        string summary,
        TimeSpan limit
    ) =>
        Workflow.ExecuteActivityAsync(
            call,
            Allowed(
                summary,
                () => Options(summary, limit + TimeSpan.FromSeconds(20), 2 * (limit + TimeSpan.FromSeconds(20)))
            )
        );

    /// <summary>Looks again and again until there is something to say; for a day at most, and whoever is cancelled says
    /// what it has seen.</summary>
    public static Task<T> WatchAsync<THand, T>(
        Expression<Func<THand, Task<T>>> call,
        string summary,
        CancellationToken until
    )
    {
        var options = Options(summary, TimeSpan.FromHours(25), TimeSpan.FromHours(50));
        options.CancellationToken = until;
        return Workflow.ExecuteActivityAsync(call, options);
    }

    /// <summary>Gives something to a receiver that may be away for hours; no procedure waits for it.</summary>
    public static Task DeliverAsync<THand>(Expression<Func<THand, Task>> call, string summary) =>
        Workflow.ExecuteActivityAsync(
            call,
            new()
            {
                Summary = summary,
                StartToCloseTimeout = TimeSpan.FromMinutes(1),
                ScheduleToCloseTimeout = TimeSpan.FromHours(24),
                HeartbeatTimeout = Heartbeat,
                RetryPolicy = Retry with { MaximumInterval = TimeSpan.FromMinutes(5) },
            }
        );

    /// <summary>Asks a worker about itself, for somebody who waits for it.</summary>
    public static Task<T> AskWorkerAsync<THand, T>(Expression<Func<THand, Task<T>>> call, string summary) =>
        Workflow.ExecuteActivityAsync(
            call,
            new()
            {
                Summary = summary,
                StartToCloseTimeout = TimeSpan.FromSeconds(15),
                ScheduleToCloseTimeout = TimeSpan.FromSeconds(30),
                HeartbeatTimeout = Heartbeat,
                RetryPolicy = Retry with { MaximumAttempts = 2 },
            }
        );

    private static ActivityOptions ChangeOptions(string summary, Duration duration) =>
        Allowed(summary, () => Options(summary, duration));

    private static ActivityOptions Allowed(string summary, Func<ActivityOptions> options) =>
        Procedure.Current.IsWalked
            ? throw Failure.Break($"a change outside of a step, while the runbook was only walked: {summary}")
            : options();

    private static ActivityOptions Options(string summary, Duration duration) =>
        (duration, Procedure.Current.PastPointOfNoReturn) switch
        {
            (Duration.Glance, _) => Options(summary, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10)),
            (Duration.Short, _) => Options(summary, TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(1)),
            (Duration.Medium, false) => Options(summary, TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(90)),
            (Duration.Medium, true) => Options(summary, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10)),
            // Work may take hours; failing again and again may not: about two minutes while something could still be
            // undone, ten behind that.
            (_, var onlyForward) => Options(
                summary,
                TimeSpan.FromHours(24),
                TimeSpan.FromHours(48),
                attempts: onlyForward ? 125 : 30
            ),
        };

    private static ActivityOptions Options(string summary, TimeSpan attempt, TimeSpan all, int? attempts = null) =>
        new()
        {
            Summary = summary,
            StartToCloseTimeout = attempt,
            ScheduleToCloseTimeout = all,
            HeartbeatTimeout = Heartbeat,
            RetryPolicy = attempts is { } most ? Retry with { MaximumAttempts = most } : Retry,
            CancellationType = ActivityCancellationType.WaitCancellationCompleted,
            CancellationToken = Procedure.Current.ActivityToken,
        };
}

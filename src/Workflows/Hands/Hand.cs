using System.Linq.Expressions;
using Temporalio.Common;
using Temporalio.Workflows;

namespace PgFlow.Workflows;

/// <summary>The options of every activity, by kind. They decide how soon another worker goes on after a crash.</summary>
internal static class Hand
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(2);

    private static readonly RetryPolicy Retry = new()
    {
        InitialInterval = TimeSpan.FromMilliseconds(100),
        MaximumInterval = TimeSpan.FromSeconds(5),
        MaximumAttempts = 10_000, // time is the limit; the Web UI warns where no number stands
        NonRetryableErrorTypes = [Ends.Refused, Ends.Broken, Ends.InvalidInput],
    };

    /// <summary>Looks and changes nothing.</summary>
    public static Task<T> ReadAsync<THand, T>(Expression<Func<THand, Task<T>>> call, string summary) =>
        Workflow.ExecuteActivityAsync(call, Options(summary, TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1)));

    /// <summary>Looks once at what can be done without while clients wait.</summary>
    public static Task<T> GlanceAsync<THand, T>(Expression<Func<THand, Task<T>>> call, string summary) =>
        Workflow.ExecuteActivityAsync(call, Options(summary, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10)));

    /// <summary>Changes something within seconds.</summary>
    public static Task<T> ChangeAsync<THand, T>(Expression<Func<THand, Task<T>>> call, string summary) =>
        Workflow.ExecuteActivityAsync(call, ChangeOptions(summary));

    /// <inheritdoc cref="ChangeAsync{THand, T}"/>
    public static Task ChangeAsync<THand>(Expression<Func<THand, Task>> call, string summary) =>
        Workflow.ExecuteActivityAsync(call, ChangeOptions(summary));

    /// <summary>Changes something within a time that a person may set, for which an attempt has 20 s more.</summary>
    public static Task<T> ChangeWithinAsync<THand, T>(Expression<Func<THand, Task<T>>> call, string summary, TimeSpan limit) =>
        Workflow.ExecuteActivityAsync(call, Options(summary, limit + TimeSpan.FromSeconds(20), 2 * (limit + TimeSpan.FromSeconds(20))));

    /// <summary>Writes down what is done already: it must not hold the lease for long.</summary>
    public static Task RecordAsync<THand>(Expression<Func<THand, Task>> call, string summary) =>
        Workflow.ExecuteActivityAsync(call, Options(summary, TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(1)));

    /// <summary>Works or waits for as long as it makes progress.</summary>
    public static Task<T> WaitAsync<THand, T>(Expression<Func<THand, Task<T>>> call, string summary) =>
        Workflow.ExecuteActivityAsync(call, WaitOptions(summary));

    /// <inheritdoc cref="WaitAsync{THand, T}"/>
    public static Task WaitAsync<THand>(Expression<Func<THand, Task>> call, string summary) =>
        Workflow.ExecuteActivityAsync(call, WaitOptions(summary));

    // Before the point of no return clients may be waiting for the undo.
    private static ActivityOptions ChangeOptions(string summary) => Procedure.Current.OnlyForward
        ? Options(summary, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10))
        : Options(summary, TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(90));

    // Work may take hours; failing again and again may not: about two minutes while something could still be undone, ten behind that, where a person has to come.
    private static ActivityOptions WaitOptions(string summary)
    {
        var options = Options(summary, TimeSpan.FromHours(24), TimeSpan.FromHours(48));
        options.RetryPolicy = Retry with { MaximumAttempts = Procedure.Current.OnlyForward ? 125 : 30 };
        return options;
    }

    private static ActivityOptions Options(string summary, TimeSpan attempt, TimeSpan all) => new()
    {
        Summary = summary,
        StartToCloseTimeout = attempt,
        ScheduleToCloseTimeout = all,
        HeartbeatTimeout = Heartbeat,
        RetryPolicy = Retry,
        CancellationType = ActivityCancellationType.WaitCancellationCompleted,
        CancellationToken = Procedure.Current.ActivityToken,
    };
}

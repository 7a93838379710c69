using Temporalio.Exceptions;

namespace PgFlow.Workflows;

/// <summary>The types of a failed procedure. They are part of the contract: the CLI's exit codes and people's alarms
/// depend on them.</summary>
public static class Ends
{
    /// <summary>The input is wrong; nothing was touched.</summary>
    public const string InvalidInput = nameof(InvalidInput);

    /// <summary>A safety check, or a person, said no; nothing was changed, or what was has been undone.</summary>
    public const string Refused = nameof(Refused);

    /// <summary>Another procedure holds the cluster's lease.</summary>
    public const string ClusterBusy = nameof(ClusterBusy);

    /// <summary>An activity's operation failed.</summary>
    internal const string Failed = nameof(Failed);

    /// <summary>An activity found what must never be.</summary>
    internal const string Broken = nameof(Broken);

    /// <summary>An activity asked for a change and its procedure does not hold the lease: it was reset, or somebody
    /// ended the lease.</summary>
    internal const string LeaseLost = nameof(LeaseLost);

    /// <summary>It failed and the cluster is as it was.</summary>
    public const string Unchanged = nameof(Unchanged);

    /// <summary>It passed the point of no return and a person ended it before all was done.</summary>
    public const string Incomplete = nameof(Incomplete);

    /// <summary>A precondition does not hold: final, and a refusal.</summary>
    public static ApplicationFailureException Refuse(string why) =>
        new(Said(why), errorType: Refused, nonRetryable: true);

    /// <summary>An operation failed: it is retried within its limits, then undone or blocked with this
    /// reason.</summary>
    public static ApplicationFailureException Fail(string why) => new(Said(why), errorType: Failed);

    /// <summary>What is waited for has made no progress within its bound: final, since whoever goes on waiting waits
    /// for ever.</summary>
    public static ApplicationFailureException Stick(string why) =>
        new(Said(why), errorType: Failed, nonRetryable: true);

    /// <summary>An invariant is broken: final, since no retry can help, but no refusal.</summary>
    public static ApplicationFailureException Break(string why) =>
        new(Said(why), errorType: Broken, nonRetryable: true);

    /// <summary>The procedure does not hold the lease: it takes it again where it may, and repeats its step.</summary>
    public static ApplicationFailureException Lose(string why) =>
        new(Said(why), errorType: LeaseLost, nonRetryable: true);

    /// <summary>A refusal for all of <paramref name="reasons"/>; null where there are none.</summary>
    public static ApplicationFailureException? RefuseFor(IReadOnlyCollection<string> reasons) =>
        reasons.Count == 0 ? null : Refuse(string.Join("; ", reasons));

    /// <summary>Whether <paramref name="failure"/>, or what caused it, is a final refusal.</summary>
    public static bool IsRefusal(Exception failure) =>
        Cause(failure) is ApplicationFailureException { ErrorType: Refused };

    /// <summary>Whether <paramref name="failure"/> says that another procedure holds the lease.</summary>
    public static bool IsBusy(Exception failure) =>
        Cause(failure) is ApplicationFailureException { ErrorType: ClusterBusy };

    /// <summary>Whether <paramref name="failure"/> says that the procedure does not hold its lease.</summary>
    public static bool IsLeaseLost(Exception failure) =>
        Cause(failure) is ApplicationFailureException { ErrorType: LeaseLost };

    /// <summary>What is said of <paramref name="failure"/>; a cancelled activity's own message is empty.</summary>
    public static string Why(Exception failure) =>
        failure switch
        {
            _ when TemporalException.IsCanceledException(failure) => "cancelled",
            ActivityFailureException { InnerException: TimeoutFailureException late } activity =>
                $"{activity.ActivityType} did not end in time "
                    + $"({late.TimeoutType}){(late.InnerException is { } last ? $"; at last: {Said(last.Message)}" : "; is its worker there?")}",
            _ => Said(Cause(failure).Message),
        };

    /// <summary>What was said, never nothing: a program's output that is missing is a fact too.</summary>
    public static string Said(string? what) =>
        what?.Trim() switch
        {
            null or "" => "it failed and said nothing",
            [.., ':'] unfinished => $"{unfinished} (it said nothing)",
            var said => said,
        };

    /// <summary>The failure below the wrapping that Temporal puts around an activity's.</summary>
    public static Exception Cause(Exception failure) =>
        failure is ActivityFailureException or ChildWorkflowFailureException && failure.InnerException is { } inner
            ? Cause(inner)
            : failure;
}

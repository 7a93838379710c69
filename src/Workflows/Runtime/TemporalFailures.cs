using System.Text.Json;
using Temporalio.Exceptions;

namespace PgFlow.Workflows.Runtime;

/// <summary>Failures as Temporal has them: the domain's own are mapped here, and what came back is read here.</summary>
public static class TemporalFailures
{
    /// <summary>A failure of the domain.</summary>
    public static ApplicationFailureException Of(PgFlowException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return new(failure.Message, inner: null, failure.Type, failure.IsFinal, details: DetailsOf(failure));
    }

    /// <summary>What Temporal keeps of a failure beside its message: the list of its hints, where it has any.</summary>
    public static object[] DetailsOf(Exception failure) =>
        failure is PgFlowException { Hints: { Count: > 0 } hints } ? [hints] : [];

    /// <summary>Whether a workflow may end, or a step be blocked, by <paramref name="failure"/>; anything else is a
    /// bug, and suspends it.</summary>
    internal static bool IsEnd(Exception failure) =>
        failure is PgFlowException or FailureException or OperationCanceledException;

    /// <summary>Whether <paramref name="failure"/>, or what caused it, is a final refusal.</summary>
    public static bool IsRefusal(Exception failure) => TypeOf(failure) is FailureTypes.Refused;

    /// <summary>Whether <paramref name="failure"/> says that another procedure holds the lease.</summary>
    public static bool IsBusy(Exception failure) => TypeOf(failure) is FailureTypes.ClusterBusy;

    /// <summary>Whether <paramref name="failure"/> says that the procedure does not hold its lease.</summary>
    public static bool IsLeaseLost(Exception failure) => TypeOf(failure) is FailureTypes.LeaseLost;

    /// <summary>What to do about <paramref name="failure"/>, where whoever refused knew.</summary>
    public static IReadOnlyList<Hint> HintsOf(Exception failure) =>
        Cause(failure) switch
        {
            TimeoutFailureException { InnerException: { } last } => HintsOf(last),
            PgFlowException own => own.Hints,
            ApplicationFailureException theirs when ReportOf(theirs) is { } report => report.Hints,
            ApplicationFailureException theirs when DetailOf(theirs) is { ValueKind: JsonValueKind.Array } hints =>
                hints.Deserialize<IReadOnlyList<Hint>>(PgFlowJson.Options)!,
            _ => [],
        };

    /// <summary>The report of a procedure that ended by <paramref name="failure"/>; null where it had none.</summary>
    public static Report? ReportOf(ApplicationFailureException failure) =>
        DetailOf(failure) is { ValueKind: JsonValueKind.Object } detail && detail.TryGetProperty("outcome", out _)
            ? detail.Deserialize<Report>(PgFlowJson.Options)
            : null;

    private static JsonElement DetailOf(ApplicationFailureException failure) =>
        failure.Details.Count > 0 ? failure.Details.ElementAt<JsonElement>(0) : default;

    /// <summary>What is said of <paramref name="failure"/>; a cancelled activity's own message is empty.</summary>
    public static string Why(Exception failure) =>
        failure switch
        {
            _ when TemporalException.IsCanceledException(failure) => "cancelled",
            ActivityFailureException { InnerException: TimeoutFailureException late } activity =>
                $"{activity.ActivityType} did not end in time ({late.TimeoutType})"
                    + (
                        late.InnerException is { } last
                            ? $"; at last: {Failure.Said(last.Message)}"
                            : "; is its worker there?"
                    ),
            _ => Failure.Said(Cause(failure).Message),
        };

    /// <summary>The failure below the wrapping that Temporal puts around an activity's.</summary>
    public static Exception Cause(Exception failure) =>
        failure is ActivityFailureException or ChildWorkflowFailureException && failure.InnerException is { } inner
            ? Cause(inner)
            : failure;

    private static string? TypeOf(Exception failure) =>
        Cause(failure) switch
        {
            PgFlowException own => own.Type,
            ApplicationFailureException theirs => theirs.ErrorType,
            _ => null,
        };
}

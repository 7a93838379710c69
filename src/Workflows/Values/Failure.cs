namespace PgFlow.Workflows.Values;

/// <summary>What stands against a procedure, or went wrong in an activity.</summary>
/// <param name="type">One of <see cref="FailureTypes"/>.</param>
/// <param name="message">Why.</param>
/// <param name="isFinal">Whether another attempt would find the same.</param>
/// <param name="hints">What to do about it: one way, or several to choose from.</param>
public sealed class PgFlowException(string type, string message, bool isFinal, params IReadOnlyList<Hint> hints)
    : Exception(Failure.Said(message))
{
    /// <summary>One of <see cref="FailureTypes"/>.</summary>
    public string Type => type;

    /// <summary>Whether another attempt would find the same.</summary>
    public bool IsFinal => isFinal;

    /// <summary>What to do about it: one way, or several to choose from.</summary>
    public IReadOnlyList<Hint> Hints => hints;
}

/// <summary>The kinds of failure.</summary>
public static class Failure
{
    /// <summary>The input is wrong: final.</summary>
    public static PgFlowException Invalid(IReadOnlyCollection<InputProblem> problems) =>
        new(FailureTypes.InvalidInput, string.Join("; ", problems), isFinal: true);

    /// <summary>A precondition does not hold: final, and a refusal.</summary>
    public static PgFlowException Refuse(string why, params IReadOnlyList<Hint> hints) =>
        new(FailureTypes.Refused, why, isFinal: true, hints);

    /// <summary>A refusal for all of <paramref name="reasons"/>; null where there are none.</summary>
    public static PgFlowException? RefuseFor(IReadOnlyCollection<string> reasons, params IReadOnlyList<Hint> hints) =>
        reasons.Count == 0 ? null : Refuse(string.Join("; ", reasons), hints);

    /// <summary>Another procedure holds the lease: final.</summary>
    public static PgFlowException Busy(string who, params IReadOnlyList<Hint> hints) =>
        new(FailureTypes.ClusterBusy, who, isFinal: true, hints);

    /// <summary>An operation failed: it is retried within its limits, then undone or blocked with this
    /// reason.</summary>
    public static PgFlowException Fail(string why, params IReadOnlyList<Hint> hints) =>
        new(FailureTypes.Failed, why, isFinal: false, hints);

    /// <summary>What is waited for has made no progress within its bound: final, since whoever goes on waiting waits
    /// for ever.</summary>
    public static PgFlowException Stick(string why) => new(FailureTypes.Failed, why, isFinal: true);

    /// <summary>An invariant is broken: final, since no retry can help, but no refusal.</summary>
    public static PgFlowException Break(string why, params IReadOnlyList<Hint> hints) =>
        new(FailureTypes.Broken, why, isFinal: true, hints);

    /// <summary>The procedure does not hold the lease: it takes it again where it may, and repeats its step.</summary>
    public static PgFlowException Lose(string why) => new(FailureTypes.LeaseLost, why, isFinal: true);

    /// <summary>What was said, never nothing: a program's output that is missing is a fact too.</summary>
    public static string Said(string? what) =>
        what?.Trim() switch
        {
            null or "" => "it failed and said nothing",
            [.., ':'] unfinished => $"{unfinished} (it said nothing)",
            var said => said,
        };
}

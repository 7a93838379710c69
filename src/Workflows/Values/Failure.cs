namespace PgFlow.Workflows.Values;

/// <summary>What stands against a procedure, or went wrong in an activity.</summary>
/// <param name="type">One of <see cref="FailureTypes"/>.</param>
/// <param name="message">Why.</param>
/// <param name="isFinal">Whether another attempt would find the same.</param>
public sealed class PgFlowException(string type, string message, bool isFinal) : Exception(Failure.Said(message))
{
    /// <summary>One of <see cref="FailureTypes"/>.</summary>
    public string Type => type;

    /// <summary>Whether another attempt would find the same.</summary>
    public bool IsFinal => isFinal;
}

/// <summary>The kinds of failure.</summary>
public static class Failure
{
    /// <summary>The input is wrong: final.</summary>
    public static PgFlowException Invalid(IReadOnlyCollection<InputProblem> problems) =>
        new(FailureTypes.InvalidInput, string.Join("; ", problems), isFinal: true);

    /// <summary>A precondition does not hold: final, and a refusal.</summary>
    public static PgFlowException Refuse(string why) => new(FailureTypes.Refused, why, isFinal: true);

    /// <summary>A refusal for all of <paramref name="reasons"/>; null where there are none.</summary>
    public static PgFlowException? RefuseFor(IReadOnlyCollection<string> reasons) =>
        reasons.Count == 0 ? null : Refuse(string.Join("; ", reasons));

    /// <summary>Another procedure holds the lease: final.</summary>
    public static PgFlowException Busy(string who) => new(FailureTypes.ClusterBusy, who, isFinal: true);

    /// <summary>An operation failed: it is retried within its limits, then undone or blocked with this
    /// reason.</summary>
    public static PgFlowException Fail(string why) => new(FailureTypes.Failed, why, isFinal: false);

    /// <summary>What is waited for has made no progress within its bound: final, since whoever goes on waiting waits
    /// for ever.</summary>
    public static PgFlowException Stick(string why) => new(FailureTypes.Failed, why, isFinal: true);

    /// <summary>An invariant is broken: final, since no retry can help, but no refusal.</summary>
    public static PgFlowException Break(string why) => new(FailureTypes.Broken, why, isFinal: true);

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

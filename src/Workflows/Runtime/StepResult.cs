namespace PgFlow.Workflows.Runtime;

/// <summary>What a step found. Later steps read it; where the runbook is only walked, there is none.</summary>
/// <typeparam name="T">What it found.</typeparam>
public sealed class StepResult<T>
{
    private bool _isKnown;

    /// <summary>What it found.</summary>
    /// <exception cref="InvalidOperationException">It is read outside of a later step.</exception>
    public T Value
    {
        get =>
            _isKnown
                ? field!
                : throw new InvalidOperationException(
                    "the runbook is only walked: read a step's result within later steps"
                );
        internal set => (field, _isKnown) = (value, true);
    }

    /// <summary>What it found; in a walk, what is likely.</summary>
    public T Or(T likely) => _isKnown ? Value : likely;
}

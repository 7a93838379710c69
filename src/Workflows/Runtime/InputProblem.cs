namespace PgFlow.Workflows.Runtime;

/// <summary>What is wrong with one field of an input.</summary>
/// <param name="Fields">The field as JSON has it, or several; <see cref="Whole"/> where it is the whole input.</param>
/// <param name="Text">What is wrong, and what is valid.</param>
/// <param name="Choice">The fields of which one is to be given, where the text ends with them.</param>
public sealed record InputProblem(IReadOnlyList<string> Fields, string Text, IReadOnlyList<string>? Choice = null)
{
    /// <summary>Stands for a field where none can be read.</summary>
    public const string Whole = "the input";

    private const string Separator = ", ";

    /// <summary>A problem of one field.</summary>
    public InputProblem(string field, string text, IReadOnlyList<string>? choice = null)
        : this([field], text, choice) { }

    /// <summary>Whether nothing of the input could be read.</summary>
    internal bool IsOfWhole => Fields is [Whole];

    /// <summary>The same with other names for its fields, as the command line has them.</summary>
    public InputProblem Named(Func<string, string> name) =>
        new([.. Fields.Select(name)], Text, Choice is null ? null : [.. Choice.Select(name)]);

    /// <inheritdoc/>
    public override string ToString() =>
        Choice is null
            ? $"{string.Join(Separator, Fields)}: {Text}"
            : $"{string.Join(Separator, Fields)}: {Text} {string.Join(Separator, Choice.SkipLast(1))} or {Choice[^1]}";
}

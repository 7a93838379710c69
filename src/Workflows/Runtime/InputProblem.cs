namespace PgFlow.Workflows.Runtime;

/// <summary>What is wrong with one field of an input.</summary>
/// <param name="Field">The field as JSON has it, or several; <see cref="Whole"/> where it is the whole input.</param>
/// <param name="Text">What is wrong, and the mend.</param>
/// <param name="Choice">The fields of which one is to be given, where the text ends with them.</param>
public sealed record InputProblem(string Field, string Text, IReadOnlyList<string>? Choice = null)
{
    /// <summary>Stands for a field where none can be read.</summary>
    public const string Whole = "the input";

    private const string Separator = ", ";

    /// <summary>A problem of several fields at once.</summary>
    public InputProblem(IEnumerable<string> fields, string text, IReadOnlyList<string> choice)
        : this(string.Join(Separator, fields), text, choice) { }

    /// <summary>The same with other names for its fields, as the command line has them.</summary>
    public InputProblem Named(Func<string, string> name) =>
        new(
            string.Join(Separator, Field.Split(Separator).Select(name)),
            Text,
            Choice is null ? null : [.. Choice.Select(name)]
        );

    /// <inheritdoc/>
    public override string ToString() =>
        Choice is null
            ? $"{Field}: {Text}"
            : $"{Field}: {Text} {string.Join(Separator, Choice.SkipLast(1))} or {Choice[^1]}";
}

namespace PgFlow.Cli.Commands;

/// <summary>Findings as a terminal shows them: the sentence, and its hint with the command to type.</summary>
internal static class HintText
{
    /// <summary>The finding in one line.</summary>
    public static string Line(Finding finding) => FindingText.Of(finding, Of);

    /// <summary>The advice, or the purpose of a procedure and its command.</summary>
    public static string Of(Hint hint) =>
        ProcedureList.CommandOf(hint) is { } command ? $"{hint.Text}: {command}" : hint.Text;
}

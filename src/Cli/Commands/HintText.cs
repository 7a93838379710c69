using System.Text.Json.Nodes;

namespace PgFlow.Cli.Commands;

/// <summary>Findings and hints as a terminal shows them, with the command to type.</summary>
internal static class HintText
{
    /// <summary>The finding in one line.</summary>
    public static string Line(Finding finding) => FindingText.Of(finding, Of);

    /// <summary>All in one line.</summary>
    public static string Of(IEnumerable<Hint> hints) => string.Join("; ", hints.Select(Of));

    /// <summary>The advice, or what for and the command.</summary>
    public static string Of(Hint hint) => CommandOf(hint) is { } command ? $"{hint.Text}: {command}" : hint.Text;

    /// <summary>What is typed for a hint; null for a person's own work.</summary>
    public static string? CommandOf(Hint hint) =>
        hint.Action is { } action
            ? string.Join(' ', ["pgflow", PgFlowText.Word(action), hint.WorkflowId!, .. Arguments(hint.Input)])
            : ProcedureList.CommandOf(hint);

    private static IEnumerable<string> Arguments(JsonObject? decision) =>
        [
            .. decision?["action"] is { } action ? [$"{action}"] : Array.Empty<string>(),
            .. decision?["step"] is { } step ? ["--step", $"{step}"] : Array.Empty<string>(),
        ];
}

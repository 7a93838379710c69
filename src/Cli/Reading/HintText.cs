using System.CommandLine;
using System.Text.Json.Nodes;
using PgFlow.Workflows;

namespace PgFlow.Cli;

/// <summary>Findings as a terminal shows them: the sentence, and its hint with the command to type.</summary>
internal static class HintText
{
    /// <summary>The finding in one line.</summary>
    public static string Line(Finding finding) => finding.Hint is { } hint ? $"{FindingText.Of(finding)}; {Of(hint)}" : FindingText.Of(finding);

    /// <summary>The advice, or the purpose of a procedure and its command.</summary>
    public static string Of(Hint hint) => hint is { Procedure: { } procedure, Input: { } input } && ProcedureVerbs.All.FirstOrDefault(verb => verb.Workflow == procedure) is { } found
        ? $"{hint.Text}: {CommandOf(found, input)}"
        : hint.Text;

    private static string CommandOf(ProcedureVerb verb, JsonObject input) => string.Join(' ',
    [
        "pgflow", verb.Name,
        .. verb.Before.SelectMany(field => Words(field, input[field.Name])),
        input["cluster"]!.ToString(),
        .. verb.Fields.SelectMany(field => Words(field, input[field.Name])),
    ]);

    /// <summary>An argument that the hint leaves open stands there as its name.</summary>
    private static IEnumerable<string> Words(Field field, JsonNode? value) => (field.Symbol, value) switch
    {
        (Argument, null) => [field.Symbol.Name],
        (Argument, _) => [value.ToString()],
        (_, null) => [],
        (_, JsonValue flag) when flag.TryGetValue<bool>(out var set) => set ? [field.Symbol.Name] : [],
        _ => [field.Symbol.Name, value.ToString()],
    };
}

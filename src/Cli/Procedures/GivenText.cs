using System.CommandLine;
using System.CommandLine.Parsing;

namespace PgFlow.Cli.Procedures;

/// <summary>What was typed, also where something else on the line can't be read.</summary>
internal static class GivenText
{
    /// <summary>The text behind an option, or of an argument; null where there is none.</summary>
    public static string? Given(this ParseResult parsed, Symbol symbol) =>
        ResultOf(parsed, symbol)?.Tokens is [.., var last] ? last.Value : null;

    /// <summary>Whether a flag was typed.</summary>
    public static bool IsSet(this ParseResult parsed, Symbol flag) =>
        ResultOf(parsed, flag) is OptionResult { Implicit: false } given
        && !(given.Tokens is [var value] && bool.TryParse(value.Value, out var set) && !set);

    private static SymbolResult? ResultOf(ParseResult parsed, Symbol symbol) =>
        symbol switch
        {
            Argument argument => parsed.GetResult(argument),
            Option option => parsed.GetResult(option),
            _ => null,
        };
}

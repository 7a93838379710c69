using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text;
using System.Text.Json.Nodes;

namespace PgFlow.Cli.Procedures;

/// <summary>Finds everything that is wrong with an input before anything is asked or started, by the rules of the
/// procedure itself.</summary>
internal static class InputCheck
{
    private const string What = "the input is wrong; nothing was touched";

    /// <summary>What is wrong with the fields that were typed, under the names that they have on the command
    /// line.</summary>
    public static IEnumerable<string> Problems(Type input, JsonObject given, IReadOnlyCollection<Field> fields)
    {
        var typed = fields.ToDictionary(field => field.Name, field => field.Typed);
        return Problems(input, given.ToJsonString(PgFlowJson.Options))
            .Select(problem => problem.Named(field => typed.GetValueOrDefault(field, field)).ToString());
    }

    /// <summary>What is wrong with a cluster's name, where a command takes nothing else.</summary>
    public static IEnumerable<string> OfCluster(ParseResult parsed) =>
        Problems(typeof(InspectClusterInput), Field.Input([Field.Cluster], parsed), [Field.Cluster]);

    /// <summary>The same, where it may be missing.</summary>
    public static IEnumerable<string> OfAnyCluster(ParseResult parsed) =>
        parsed.Given(Flags.AnyCluster) is { } name
            ? Problems(typeof(InspectClusterInput), new() { ["cluster"] = name }, [Field.Cluster])
            : [];

    /// <summary>Ends pgflow where a JSON input is wrong.</summary>
    public static void Require(ProcedureEntry procedure, string json)
    {
        if (Problems(procedure.Input, json) is { Count: > 0 } problems)
        {
            throw Error(problems.Select(problem => problem.ToString()));
        }
    }

    /// <summary>What is wrong with a whole line; null where nothing is, or where the parser alone says it.</summary>
    public static CliError? Of(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is not InputCommand command || !command.Acts(parsed))
        {
            return null;
        }

        List<string> problems = [.. command.Problems(parsed)];
        return problems.Count == 0
            ? null
            : Error([.. problems, .. parsed.Errors.Where(error => !IsMissing(error)).Select(error => error.Message)]);
    }

    private static IReadOnlyList<InputProblem> Problems(Type input, string json) =>
        InputReader.Read(Encoding.UTF8.GetBytes(json), input).Problems();

    /// <summary>An argument that is not there is a problem of the input already.</summary>
    private static bool IsMissing(ParseError error) => error.SymbolResult is ArgumentResult { Tokens.Count: 0 };

    private static CliError Error(IEnumerable<string> problems) => new(ExitCodes.Usage, What, [.. problems]);
}

/// <summary>A command whose line is an input, which is checked as a whole.</summary>
internal sealed class InputCommand(string name, string description, Func<ParseResult, IEnumerable<string>> problems)
    : Command(name, description)
{
    public Func<ParseResult, IEnumerable<string>> Problems { get; } = problems;

    /// <summary>Whether the line asks for what the command does, and not for its help.</summary>
    public bool Acts(ParseResult parsed) => parsed.Action == Action || parsed.Action is ParseErrorAction;
}

using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using PgFlow.Workflows;

namespace PgFlow.Cli;

/// <summary>Whether a positional argument may be left out.</summary>
internal enum Need
{
    Flag,
    Optional,
    Required,
}

/// <summary>One field of a procedure's input, as a flag or an argument of the same name.</summary>
/// <param name="Symbol">What is parsed.</param>
/// <param name="Read">Its value as JSON; null where it was not given.</param>
internal sealed record Field(Symbol Symbol, Func<ParseResult, JsonNode?> Read)
{
    /// <summary><c>--external-network</c> is <c>externalNetwork</c> in the input.</summary>
    public string Name { get; } = JsonNamingPolicy.CamelCase.ConvertName(string.Concat(
        Symbol.Name.Split('-', StringSplitOptions.RemoveEmptyEntries).Select(word => char.ToUpperInvariant(word[0]) + word[1..].ToLowerInvariant())));

    /// <summary>What was given, and nothing else, so that defaults stand in one place.</summary>
    public static JsonObject Input(IEnumerable<Field> fields, ParseResult parsed) =>
        new(fields.Select(field => KeyValuePair.Create(field.Name, field.Read(parsed))).Where(field => field.Value is not null));

    public static Field Flag(string name, string description)
    {
        var option = new Option<bool>(name) { Description = description };
        return new(option, parsed => parsed.GetValue(option) ? true : null);
    }

    public static Field Number(string name, string description, string helpName = "N")
    {
        var option = new Option<int?>(name) { Description = description, HelpName = helpName };
        return new(option, parsed => parsed.GetValue(option));
    }

    public static Field Text(string name, string helpName, string description)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = helpName };
        return new(option, parsed => parsed.GetValue(option));
    }

    public static Field Choice<T>(string name, string description)
        where T : struct, Enum
    {
        string[] words = [.. Enum.GetValues<T>().Select(PgFlowText.Word)];
        var option = new Option<string?>(name) { Description = description, HelpName = string.Join('|', words) };
        option.AcceptOnlyFromAmong(words);
        return new(option, parsed => parsed.GetValue(option));
    }

    public static Field Argument(string name, string description, Need need)
    {
        var argument = new Argument<string?>(name) { Description = description, HelpName = name, Arity = need is Need.Required ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne };
        return new(argument, parsed => parsed.GetValue(argument));
    }

    public static Field From(string description)
    {
        var argument = Flags.Named<ClusterName>("FROM", "cluster name", ClusterName.Form, description).CompletedByName();
        return new(argument, parsed => parsed.GetValue(argument).ToString());
    }

    public static Field Node(string name, string description, Need need = Need.Flag)
    {
        var reader = Flags.Reader<NodeName>("node name", NodeName.Form);
        if (need is Need.Flag)
        {
            var option = new Option<NodeName>(name) { Description = description, HelpName = "NODE", CustomParser = reader };
            option.CompletionSources.Add(_ => Names);
            return new(option, parsed => Json(parsed.GetValue(option)));
        }

        var argument = new Argument<NodeName>(name)
        {
            Description = description,
            HelpName = name,
            Arity = need is Need.Required ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne,
            CustomParser = reader,
        };
        argument.CompletionSources.Add(_ => Names);
        return new(argument, parsed => Json(parsed.GetValue(argument)));
    }

    private static IEnumerable<string> Names => Enumerable.Range(1, InitClusterInput.MostNodes).Select(number => NodeName.Of(number).ToString());

    private static JsonNode? Json(NodeName node) => node == default ? null : node.ToString();
}

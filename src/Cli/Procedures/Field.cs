using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using PgFlow.Workflows;

namespace PgFlow.Cli;

/// <summary>One field of a procedure's input, as a flag or an argument of the same name.</summary>
/// <param name="Name">Its name in the input.</param>
/// <param name="Symbol">What is parsed.</param>
/// <param name="Read">Its value as JSON; null where it was not given.</param>
internal sealed record Field(string Name, Symbol Symbol, Func<ParseResult, JsonNode?> Read)
{
    /// <summary>What was given, and nothing else, so that defaults stand in one place.</summary>
    public static JsonObject Input(IEnumerable<Field> fields, ParseResult parsed) =>
        new(
            fields
                .Select(field => KeyValuePair.Create(field.Name, field.Read(parsed)))
                .Where(field => field.Value is not null)
        );

    /// <summary>The field as its procedure describes it.</summary>
    public static Field Of(InputField field) =>
        field.Type switch
        {
            var type when type == typeof(bool) => Of(
                field,
                new Option<bool>(field.Symbol),
                given => given ? true : null
            ),
            var type when type == typeof(int) || type == typeof(uint) => Of(
                field,
                new Option<int?>(field.Symbol) { HelpName = "N" },
                given => given
            ),
            var type when type == typeof(ClusterName) => Of(
                field,
                Named<ClusterName>(field, "cluster name", ClusterName.Form).CompletedByName(),
                given => given.ToString()
            ),
            var type when type == typeof(NodeName) => Node(field),
            { IsEnum: true } type => Choice(
                field,
                [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)]
            ),
            _ when field.IsArgument => Of(field, new Argument<string?>(field.Symbol), given => given),
            _ => Of(field, new Option<string?>(field.Symbol), given => given),
        };

    private static Field Of<T>(InputField field, Option<T> option, Func<T?, JsonNode?> json)
    {
        option.Description = field.Flag.Help;
        option.HelpName = field.Flag.Value ?? option.HelpName;
        return new(field.Name, option, parsed => json(parsed.GetValue(option)));
    }

    private static Field Of<T>(InputField field, Argument<T> argument, Func<T?, JsonNode?> json)
    {
        argument.Description = field.Flag.Help;
        argument.HelpName = field.Symbol;
        argument.Arity = ArityOf(field);
        return new(field.Name, argument, parsed => json(parsed.GetValue(argument)));
    }

    private static Field Choice(InputField field, string[] words)
    {
        var option = new Option<string?>(field.Symbol) { HelpName = string.Join('|', words) };
        option.AcceptOnlyFromAmong(words);
        return Of(field, option, given => given);
    }

    private static Field Node(InputField field)
    {
        if (field.IsArgument)
        {
            var argument = Named<NodeName>(field, "node name", NodeName.Form);
            argument.CompletionSources.Add(_ => Names);
            return Of(field, argument, Json);
        }

        var option = new Option<NodeName>(field.Symbol)
        {
            HelpName = "NODE",
            CustomParser = Flags.Reader<NodeName>("node name", NodeName.Form),
        };
        option.CompletionSources.Add(_ => Names);
        return Of(field, option, Json);
    }

    private static Argument<T> Named<T>(InputField field, string what, string form)
        where T : struct, IText<T> => Flags.Named<T>(field.Symbol, what, form, field.Flag.Help, ArityOf(field));

    private static ArgumentArity ArityOf(InputField field) =>
        field.Flag.Place is FlagPlace.BehindOptional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne;

    private static IEnumerable<string> Names =>
        Enumerable.Range(1, InitClusterInput.MostNodes).Select(number => NodeName.Of(number).ToString());

    private static JsonNode? Json(NodeName node) => node == default ? null : node.ToString();
}

using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PgFlow.Cli.Procedures;

/// <summary>One field of a procedure's input, as a flag or an argument of the same name. What was typed is passed on as
/// it is: <see cref="InputCheck"/> judges it, with all the others.</summary>
/// <param name="Name">Its name in the input.</param>
/// <param name="Symbol">What is parsed.</param>
/// <param name="Type">Its type.</param>
internal sealed record Field(string Name, Symbol Symbol, Type Type)
{
    // those that every procedure has
    public static Field Cluster { get; } = new("cluster", Flags.Cluster, typeof(ClusterName));

    public static Field Reason { get; } = new("reason", Flags.Reason, typeof(string));

    public static Field TakeOver { get; } = new("takeOver", Flags.TakeOver, typeof(string));

    /// <summary>Its name on the command line.</summary>
    public string Typed => Symbol is Argument ? Symbol.Name.ToUpperInvariant() : Symbol.Name;

    /// <summary>What was given, and nothing else, so that defaults stand in one place.</summary>
    public static JsonObject Input(IEnumerable<Field> fields, ParseResult parsed) =>
        new(
            fields
                .Select(field => KeyValuePair.Create(field.Name, field.Read(parsed)))
                .Where(field => field.Value is not null)
        );

    /// <summary>The field as its procedure describes it.</summary>
    public static Field Of(InputField field)
    {
        var words = WordsOf(field.Type);
        if (field.IsArgument)
        {
            var argument = new Argument<string?>(field.Symbol)
            {
                Description = field.Flag.Help,
                HelpName = field.Symbol,
                Arity =
                    field.Flag.Place is FlagPlace.BehindOptional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            };
            argument.CompletionSources.AddRange(Sources(field, words));
            return new(field.Name, argument, field.Type);
        }

        Option option =
            field.Type == typeof(bool) ? new Option<bool>(field.Symbol)
            : field.Type == typeof(IReadOnlyList<string>) ? new Option<string[]>(field.Symbol)
            : new Option<string?>(field.Symbol);
        option.Description = field.Flag.Help;
        option.HelpName = field.Flag.Value ?? HelpOf(field.Type, words);
        option.CompletionSources.AddRange(Sources(field, words));
        return new(field.Name, option, field.Type);
    }

    private JsonNode? Read(ParseResult parsed) =>
        Type == typeof(bool) ? (parsed.IsSet(Symbol) ? true : null)
        : Type == typeof(IReadOnlyList<string>) ? ReadAll(parsed)
        : parsed.Given(Symbol) is not { } text ? null
        : IsNumber && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
        : text;

    private JsonArray? ReadAll(ParseResult parsed) =>
        parsed.GetResult(Symbol) is { Tokens: { Count: > 0 } tokens }
            ? [.. tokens.Select(token => JsonValue.Create(token.Value))]
            : null;

    private bool IsNumber => Type == typeof(int) || Type == typeof(uint);

    private static IEnumerable<Func<CompletionContext, IEnumerable<CompletionItem>>> Sources(
        InputField field,
        IReadOnlyList<string> words
    ) =>
        [
            field.Type == typeof(ClusterName) ? Completed.Clusters
            : field.Type == typeof(NodeName) ? Completed.Nodes
            : field.Flag.Words is FlagWords.Backups ? Completed.Backups
            : field.Flag.Words is FlagWords.RestorePoints ? Completed.RestorePoints
            : _ => words.Select(word => new CompletionItem(word)),
        ];

    private static IReadOnlyList<string> WordsOf(Type type) =>
        type.IsEnum ? [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)] : [];

    private static string? HelpOf(Type type, IReadOnlyList<string> words) =>
        type switch
        {
            { IsEnum: true } => string.Join('|', words),
            _ when type == typeof(NodeName) => "NODE",
            _ when type == typeof(int) || type == typeof(uint) => "N",
            _ => null,
        };
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace PgFlow.Cli;

/// <summary>Where data goes and where people read.</summary>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Interactive">Somebody is there to answer a question.</param>
internal sealed record Terminal(IAnsiConsole Out, IAnsiConsole Error, bool Interactive)
{
    /// <summary>A file or a pipe has no width at which a table would have to be cut.</summary>
    private const int Unlimited = 10_000;

    public static Terminal OfProcess()
    {
        var unicode = PlainWriter.IsUtf8(Environment.GetEnvironmentVariable);
        if (!unicode)
        {
            System.Console.SetOut(new PlainWriter(System.Console.Out));
            System.Console.SetError(new PlainWriter(System.Console.Error));
        }

        return new(
            Console(System.Console.Out, System.Console.IsOutputRedirected, unicode),
            Console(System.Console.Error, System.Console.IsErrorRedirected, unicode),
            !System.Console.IsInputRedirected && !System.Console.IsErrorRedirected
        );
    }

    /// <summary>Data for programs; the fields of each object in alphabetical order.</summary>
    public void Json(object? value)
    {
        var json = Sorted(JsonSerializer.SerializeToNode(value, Indented))?.ToJsonString(Indented) ?? "null";
        Out.Profile.Out.Writer.WriteLine(Out.Profile.Capabilities.Unicode ? json : Escaped(json));
    }

    /// <summary>Asks a question that is answered by yes or no, or their first letters; no where nothing is
    /// typed.</summary>
    public static async Task<bool> ConfirmAsync(IAnsiConsole people, string question, CancellationToken cancel)
    {
        ForgetTyped();
        var answer = await new TextPrompt<string>($"{Markup.Escape(question)} [blue](yes/no)[/]")
            .DefaultValue("no")
            .Validate(text => YesOrNo(text) is null ? ValidationResult.Error("yes or no?") : ValidationResult.Success())
            .ShowAsync(people, cancel);
        return YesOrNo(answer) is true;
    }

    /// <summary>What was typed before a question was there is no answer to it.</summary>
    public static void ForgetTyped()
    {
        while (!System.Console.IsInputRedirected && System.Console.KeyAvailable)
        {
            System.Console.ReadKey(intercept: true);
        }
    }

    private static bool? YesOrNo(string text) =>
        text.Trim().ToLowerInvariant() switch
        {
            "y" or "yes" => true,
            "n" or "no" => false,
            _ => null,
        };

    private static JsonNode? Sorted(JsonNode? node) =>
        node switch
        {
            JsonObject found => new JsonObject(
                found
                    .OrderBy(field => field.Key, StringComparer.Ordinal)
                    .Select(field => KeyValuePair.Create(field.Key, Sorted(field.Value)))
            ),
            JsonArray found => new JsonArray([.. found.Select(Sorted)]),
            _ => node?.DeepClone(),
        };

    /// <summary>A line for people. Nothing breaks it, so that links and commands can be copied.</summary>
    public void WriteInfo(string line) => Error.Profile.Out.Writer.WriteLine(line);

    public void WriteError(CliError error)
    {
        Error.MarkupLineInterpolated($"[red]error:[/] {error.Message}");
        foreach (var detail in error.Detail)
        {
            WriteInfo($"  detail: {detail}");
        }

        foreach (var hint in error.Hints)
        {
            WriteInfo($"  hint:   {hint}");
        }
    }

    private static JsonSerializerOptions Indented { get; } =
        new(PgFlowJson.Options)
        {
            WriteIndented = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // it is read by people and jq, not put into HTML
        };

    /// <summary>The same data in ASCII: what is none stands in strings only.</summary>
    private static string Escaped(string json) =>
        string.Concat(json.Select(symbol => char.IsAscii(symbol) ? $"{symbol}" : $"\\u{(int)symbol:x4}"));

    private static IAnsiConsole Console(TextWriter writer, bool redirected, bool unicode)
    {
        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(writer) });
        console.Profile.Capabilities.Unicode = unicode;
        if (redirected)
        {
            console.Profile.Width = Unlimited;
        }

        return console;
    }
}

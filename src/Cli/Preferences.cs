using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using Tomlyn;
using Tomlyn.Model;

namespace PgFlow.Cli;

/// <summary>What somebody wants of every call: <c>pgflow.toml</c>, beside Temporal's <c>temporal.toml</c>. Its keys are
/// the names of options, which hold where the line does not give them.</summary>
internal static class Preferences
{
    private const string FileName = "pgflow.toml";

    /// <summary>Nothing that answers a question, and nothing that says what is done.</summary>
    private static readonly IReadOnlyList<Option> Allowed = [Flags.Output, Flags.Utc, Flags.Timeout];

    /// <summary>The words of a line, with those that the file adds; the same list where there is no file.</summary>
    /// <param name="path">The file; it need not be there.</param>
    /// <param name="args">The words.</param>
    /// <param name="parsed">What they say.</param>
    /// <exception cref="CliError">The file can't be read, or says something else.</exception>
    public static IReadOnlyList<string> Added(string path, IReadOnlyList<string> args, ParseResult parsed)
    {
        var called = parsed.CommandResult;
        List<Option> taken = [.. called.Command.Options.Intersect(Allowed)];
        if (taken.Count == 0 || parsed.Action is HelpAction || !File.Exists(path))
        {
            return args;
        }

        var preferred = Read(path);
        var missing = taken
            .Where(option => called.GetResult(option) is null or { Implicit: true })
            .SelectMany(option =>
                preferred.TryGetValue(option.Name[2..], out var value) ? Words(path, option, value) : []
            );
        var names = Names(called).Count();
        return [.. args.Take(names), .. missing, .. args.Skip(names)];
    }

    /// <summary>Where Temporal's own programs look for theirs.</summary>
    public static string Place =>
        Path.Combine(
            Environment.GetEnvironmentVariable("TEMPORAL_CONFIG_FILE") is { Length: > 0 } beside
                ? Path.GetDirectoryName(Path.GetFullPath(beside)) ?? "/"
                : Path.Combine(
                    Environment.GetFolderPath(
                        Environment.SpecialFolder.ApplicationData,
                        Environment.SpecialFolderOption.DoNotVerify
                    ),
                    "temporalio"
                ),
            FileName
        );

    /// <summary>The words that name a command, which come first.</summary>
    private static IEnumerable<CommandResult> Names(CommandResult called) =>
        called.Parent is CommandResult parent ? Names(parent).Append(called) : [];

    private static IEnumerable<string> Words(string path, Option option, object value) =>
        (option, value) switch
        {
            (Option<bool>, bool on) => on ? [option.Name] : [],
            (not Option<bool>, string or long) => [option.Name, Convert.ToString(value, CultureInfo.InvariantCulture)!],
            _ => throw new CliError(
                ExitCodes.Usage,
                What(path),
                $"{option.Name[2..]} is neither {(option is Option<bool> ? "true nor false" : "a text nor a number")}",
                "correct it, or remove it"
            ),
        };

    private static TomlTable Read(string path)
    {
        try
        {
            var read = TomlSerializer.Deserialize<TomlTable>(File.ReadAllText(path)) ?? [];
            var names = Allowed.Select(option => option.Name[2..]).ToList();
            List<string> unknown = [.. read.Keys.Except(names).Select(key => $"{key} is none of its keys")];
            return unknown.Count == 0
                ? read
                : throw new CliError(ExitCodes.Usage, What(path), unknown, $"its keys: {string.Join(", ", names)}");
        }
        catch (Exception e) when (e is TomlException or IOException or UnauthorizedAccessException)
        {
            throw new CliError(ExitCodes.Usage, What(path), e.Message, "correct it, or remove it");
        }
    }

    private static string What(string path) => $"{path} can't be read";
}

using System.CommandLine;

namespace PgFlow.Worker;

/// <summary>What can be typed: a flag for each <see cref="ConfigurationOption"/>, and what else there is.</summary>
internal static class WorkerCommandLine
{
    public static readonly Option<string?> ConfigFile = new("--config")
    {
        HelpName = "FILE",
        Description = $"a JSON file with a section {ConfigurationOption.Section} [PGFLOW_CONFIG]",
    };

    public static readonly Option<bool> Health = new("--health")
    {
        Description = "only ask: exit code 0 if a worker of this host polls",
    };

    private static readonly Dictionary<ConfigurationOption, Option<string?>> Flags =
        ConfigurationOption.All.ToDictionary(
            option => option,
            option => new Option<string?>(option.Flag)
            {
                HelpName = "VALUE",
                Description = $"{option.Meaning} [{option.Variable}]",
            }
        );

    public static RootCommand Root { get; } = Create();

    /// <summary>What was given, by its path in the configuration.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> ValuesOf(ParseResult line) =>
        Flags
            .Select(flag => KeyValuePair.Create(flag.Key.Path, ValueOf(line, flag.Value)))
            .Where(value => value.Value is not null);

    /// <summary>What was given; null for nothing, also where the value is missing, which is an error of its
    /// own.</summary>
    public static string? ValueOf(ParseResult line, Option<string?> option) =>
        line.GetResult(option)?.Tokens is [var token] ? token.Value : null;

    private static RootCommand Create()
    {
        var root = new RootCommand(
            "Carries out PgFlow's procedures until it is stopped. A flag wins over its environment variable, "
                + "that over the file, and that over temporal.toml."
        );
        foreach (var option in (IEnumerable<Option>)[ConfigFile, Health, .. Flags.Values])
        {
            root.Add(option);
        }

        return root;
    }
}

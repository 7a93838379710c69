namespace PgFlow.Worker;

/// <summary>What the program was asked to do.</summary>
internal enum Command
{
    /// <summary>Work until it is stopped.</summary>
    Work,

    /// <summary>Say whether a worker polls.</summary>
    Health,

    /// <summary>Say what there is to set.</summary>
    Help,
}

/// <summary>The command line, as it was given.</summary>
/// <param name="Command">What to do.</param>
/// <param name="ConfigFile">The configuration file; null for none given.</param>
/// <param name="Values">The values of the settings, by their path in the configuration.</param>
internal sealed record CommandLine(Command Command, string? ConfigFile, IReadOnlyDictionary<string, string?> Values)
{
    private const string ConfigFlag = "--config";

    public static string Help => $"""
        pgflow-worker [--config FILE] [FLAG VALUE]...   carries out PgFlow's procedures until it is stopped
        pgflow-worker --health                          exit code 0 only if a worker of this host polls

          {ConfigFlag,-18}PGFLOW_CONFIG           a JSON file with a section {Setting.Section}
        {string.Join('\n', Setting.All.Select(setting => $"  {setting.Flag,-18}{setting.Variable,-24}{setting.Meaning}"))}

        A flag wins over its environment variable, that over the file, and that over temporal.toml.
        """;

    public static CommandLine Parse(IEnumerable<string> args, List<string> problems)
    {
        var command = Command.Work;
        var values = new Dictionary<string, string?>();
        string? file = null;
        var rest = new Queue<string>(args.SelectMany(arg => arg.StartsWith("--", StringComparison.Ordinal) ? arg.Split('=', 2) : [arg]));
        while (rest.TryDequeue(out var flag))
        {
            switch (flag)
            {
                case "--health":
                    command = Command.Health;
                    break;
                case "--help" or "-h":
                    command = Command.Help;
                    break;
                case ConfigFlag:
                    file = Value(flag);
                    break;
                default:
                    Set(flag);
                    break;
            }
        }

        return new(command, file, values);

        void Set(string flag)
        {
            if (Setting.All.FirstOrDefault(setting => setting.Flag == flag) is { } setting)
            {
                values[setting.Path] = Value(flag);
            }
            else
            {
                problems.Add($"{flag}: there is no such flag (--help lists them)");
            }
        }

        string? Value(string flag)
        {
            if (rest.TryDequeue(out var value))
            {
                return value;
            }

            problems.Add($"{flag}: a value is missing");
            return null;
        }
    }
}

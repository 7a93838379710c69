using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace PgFlow.Cli;

internal enum OutputFormat
{
    Table,
    Json,
}

/// <summary>The options that commands share.</summary>
internal static class Flags
{
    public static readonly Option<string?> Address = new("--address")
    {
        HelpName = "HOST:PORT",
        Description = "Temporal; else TEMPORAL_ADDRESS, temporal.toml, localhost:7233",
    };

    public static readonly Option<string?> Namespace = new("--namespace")
    {
        HelpName = "NAME",
        Description = "Temporal's namespace; else TEMPORAL_NAMESPACE, temporal.toml, default",
    };

    public static readonly Option<OutputFormat> Output = new("--output", "-o")
    {
        HelpName = "table|json",
        Description = "How data is printed, and what is wrong",
        CustomParser = ReadFormat,
    };

    public static readonly Option<bool> Utc = new("--utc")
    {
        Description = "Show times in UTC, not in this machine's time zone",
    };

    public static readonly Option<bool> Debug = new("--debug") { Description = "Show where an error came from" };

    public static readonly Option<string?> TakeOver = new("--take-over")
    {
        HelpName = "ID",
        Description =
            "Take the cluster from this procedure, which is blocked or makes no progress: it ends as incomplete",
    };

    public static readonly Option<string?> Reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why, for the record",
    };

    public static readonly Option<bool> Yes = new("--yes", "-y")
    {
        Description =
            "Skip the confirmation prompt; without it the plan is shown, and the procedure waits 15 minutes for the "
            + "answer: to leave the prompt rejects it",
    };

    public static readonly Option<bool> Detach = new("--detach") { Description = "Start only; print the ID" };

    public static readonly Option<bool> DryRun = new("--dry-run") { Description = "Print the plan and do nothing" };

    public static readonly Option<TimeSpan?> Timeout = new("--timeout")
    {
        HelpName = "90s|5m|2h",
        Description = "Stop following after this long (exit 6); the procedure goes on",
        CustomParser = ReadDuration,
    };

    /// <summary>The options of every command that talks to Temporal.</summary>
    public static IReadOnlyList<Option> Connection { get; } = [Address, Namespace, Output, Utc, Debug];

    /// <summary>Those of a command that starts or follows a procedure.</summary>
    public static IReadOnlyList<Option> Start { get; } = [Reason, TakeOver, Yes, Detach, Timeout, DryRun];

    public static Argument<string?> Cluster { get; } =
        new("CLUSTER")
        {
            Description = "The cluster's name",
            HelpName = "CLUSTER",
            CompletionSources = { Completed.Clusters },
        };

    public static Argument<string?> AnyCluster { get; } =
        new("CLUSTER")
        {
            Description = "The cluster's name; all clusters where none is given",
            HelpName = "CLUSTER",
            Arity = ArgumentArity.ZeroOrOne,
            CompletionSources = { Completed.Clusters },
        };

    public static Argument<string> Id { get; } =
        new("ID")
        {
            HelpName = "ID", // not what can be completed
            Validators =
            {
                result =>
                {
                    if (result.Tokens is [var id] && string.IsNullOrWhiteSpace(id.Value))
                    {
                        result.AddError("ID: is empty");
                    }
                },
            },
            Description =
                "The procedure's workflow ID, as shown by pgflow history; a beginning that no other has; last: the "
                + "newest that history shows",
            CompletionSources = { Completed.Procedures },
        };

    /// <summary>The parser of an option that takes a number; System.CommandLine's own names .NET's types.</summary>
    public static int WholeNumber(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        result.AddError($"{NameOf(result)}: '{text}' is no whole number");
        return 0;
    }

    private static OutputFormat ReadFormat(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (text.Equals("json", StringComparison.OrdinalIgnoreCase))
        {
            return OutputFormat.Json;
        }

        if (!text.Equals("table", StringComparison.OrdinalIgnoreCase))
        {
            result.AddError($"{NameOf(result)}: '{text}' is neither table nor json");
        }

        return OutputFormat.Table;
    }

    private static string? NameOf(ArgumentResult result) => (result.Parent as OptionResult)?.Option.Name;

    /// <summary>As 90s, 5m, 2h, 7d, or a number of seconds; null where it is none.</summary>
    public static TimeSpan? DurationOf(string text)
    {
        var unit = text.LastOrDefault() switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => 0,
        };
        return
            double.TryParse(
                unit == 0 ? text : text[..^1],
                NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture,
                out var number
            ) && number * Math.Max(unit, 1) is > 0 and < 1e9
            ? TimeSpan.FromSeconds(number * Math.Max(unit, 1))
            : null;
    }

    private static TimeSpan? ReadDuration(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (DurationOf(text) is { TotalDays: < 40 } duration) // a timer of .NET takes no more
        {
            return duration;
        }

        result.AddError($"--timeout: '{text}' is no duration below 40 days; give a number with s, m or h, as 90s");
        return null;
    }
}

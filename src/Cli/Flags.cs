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
        Description = "How data is printed",
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
    public static IReadOnlyList<Option> Connection { get; } = [Address, Namespace, Output, Debug];

    /// <summary>Those of a command that starts or follows a procedure.</summary>
    public static IReadOnlyList<Option> Start { get; } = [Reason, TakeOver, Yes, Detach, Timeout, DryRun];

    public static Argument<string?> Cluster { get; } =
        new Argument<string?>("CLUSTER") { Description = "The cluster's name", HelpName = "CLUSTER" }.CompletedByName();

    public static Argument<string?> AnyCluster { get; } =
        new Argument<string?>("CLUSTER")
        {
            Description = "The cluster's name; all clusters where none is given",
            HelpName = "CLUSTER",
            Arity = ArgumentArity.ZeroOrOne,
        }.CompletedByName();

    public static Argument<string> Id { get; } =
        new("ID") { Description = "The procedure's workflow ID, as shown by: pgflow history" };

    private static TimeSpan? ReadDuration(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        var unit = text[^1..] switch
        {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => 0,
        };
        if (
            double.TryParse(
                unit == 0 ? text : text[..^1],
                NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture,
                out var number
            )
            && number > 0
        )
        {
            return TimeSpan.FromSeconds(number * Math.Max(unit, 1));
        }

        result.AddError($"--timeout: '{text}' is no duration; give a number with s, m or h, as 90s");
        return null;
    }
}

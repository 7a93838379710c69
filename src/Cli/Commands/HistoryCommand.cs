using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;
using Spectre.Console;

namespace PgFlow.Cli.Commands;

/// <summary>What was done, by whom, and how it ended.</summary>
internal static partial class HistoryCommand
{
    private static readonly Option<int> Limit = new("--limit")
    {
        CustomParser = Flags.WholeNumber,
        DefaultValueFactory = _ => 20,
        HelpName = "N",
        Description = "How many, newest first",
    };

    private static readonly Option<string?> Procedure = new("--procedure")
    {
        HelpName = "NAME",
        Description = "Only of this procedure, as Failover",
    };

    private static readonly Option<string?> Outcome = new("--outcome")
    {
        HelpName = "WORD",
        Description = "Only what ended so, or is so, as blocked",
    };

    private static readonly Option<DateTimeOffset?> Since = new("--since")
    {
        HelpName = "TIME|7d",
        Description = "Only what was started since then, or within so long",
        CustomParser = ReadSince,
    };

    private static readonly Option<string?> By = new("--by")
    {
        HelpName = "WHO",
        Description = "Only what somebody asked for whose name begins so",
    };

    private static readonly Option<bool> All = new("--all") { Description = "Also dry runs and what was refused" };

    private const string Terminated = "terminated";

    static HistoryCommand()
    {
        Procedure.AcceptOnlyFromAmong([.. ProcedureList.All.Where(one => !one.ReadOnly).Select(one => one.Name)]);
        Outcome.AcceptOnlyFromAmong([.. Enum.GetValues<ProcedureStatus>().Select(PgFlowText.Word), Terminated]);
    }

    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "history",
            "The procedures that ran or run (of all clusters where none is named), newest first",
            [Flags.AnyCluster, Procedure, Outcome, Since, By, All, Limit, .. Flags.Connection],
            RunAsync,
            InputCheck.OfAnyCluster
        );

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var given = call.Parsed;
        var client = await call.ConnectAsync(cancel);
        var isWhole = given.GetValue(All) || given.GetValue(Outcome) is not null;
        var found = (await Runs.HistoryAsync(client, Conditions(given), cancel)).ToLookup(run =>
            isWhole || !run.IsIdle
        );
        List<Run> runs = [.. found[true].Take(given.GetValue(Limit))];
        if (call.Json)
        {
            call.Terminal.Json(runs);
        }
        else if (runs.Count == 0)
        {
            call.Terminal.WriteInfo(found[false].Any() ? "nothing was changed" : "no procedure has run that is meant");
        }
        else
        {
            Table(runs).Write(call.Terminal.Out);
        }

        if (found[false].Any())
        {
            call.Terminal.WriteInfo(
                $"{found[false].Count()} more that changed nothing (dry runs, refusals) with --all"
            );
        }

        return ExitCodes.Done;
    }

    private static IEnumerable<string> Conditions(ParseResult given)
    {
        if (given.GetValue(Flags.AnyCluster) is { } cluster)
        {
            yield return $"PgFlowCluster = '{cluster}'";
        }

        if (given.GetValue(Procedure) is { } procedure)
        {
            yield return $"PgFlowProcedure = '{procedure}'";
        }

        if (given.GetValue(Outcome) is { } outcome)
        {
            yield return outcome is Terminated
                ? "ExecutionStatus = 'Terminated'"
                : $"PgFlowOutcome = '{outcome}' AND ExecutionStatus != 'Terminated' AND ExecutionStatus != 'TimedOut'";
        }

        if (given.GetValue(Since) is { } since)
        {
            yield return $"StartTime >= '{since.UtcDateTime:O}'";
        }

        if (given.GetValue(By) is { } by)
        {
            yield return $"PgFlowRequestedBy STARTS_WITH '{Quoted().Replace(by, @"\$0")}'";
        }
    }

    private static DateTimeOffset? ReadSince(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (Flags.DurationOf(text) is { } ago)
        {
            return DateTimeOffset.UtcNow - ago;
        }

        if (
            Zoned().IsMatch(text)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
        )
        {
            return time;
        }

        result.AddError(
            $"--since: '{text}' is neither a time with its offset, as 2026-11-28T12:00Z, nor a duration, as 90m or 7d"
        );
        return null;
    }

    [GeneratedRegex(@"['\\]", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    /// <summary>Without its offset a time has two readings.</summary>
    [GeneratedRegex(
        @"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Zoned();

    public static FittingTable Table(IReadOnlyList<Run> runs)
    {
        var table = new FittingTable(
            new("ID"),
            new("outcome"),
            new("started"),
            new("took", 2),
            new("by"),
            new("primary", 1),
            new("tli", 0),
            new("reason")
        );
        foreach (var run in runs)
        {
            table.Add(
                run.WorkflowId,
                new(run.Outcome, ColorOf(run.Outcome)),
                ShownTime.Of(run.StartedAt),
                run.EndedAt is { } end ? PgFlowText.Took(end - run.StartedAt) : "",
                run.By ?? "",
                run.Primary ?? "",
                run.Timeline?.ToString(CultureInfo.InvariantCulture) ?? "",
                Short(run.Reason)
            );
        }

        return table;
    }

    /// <summary>The whole of it is in what show prints.</summary>
    private static string Short(string? text) => text is { Length: > 60 } ? $"{text[..59]}…" : text ?? "";

    private static Color ColorOf(string outcome) =>
        outcome switch
        {
            "succeeded" => Color.Green,
            "running" or "planned" or "waitingForApproval" or "undoing" => Color.Default,
            "refused" or "clusterBusy" or "cancelled" => Color.Yellow,
            _ => Color.Red,
        };
}

using System.CommandLine;
using System.Globalization;
using Spectre.Console;

namespace PgFlow.Cli.Commands;

/// <summary>What was done, by whom, and how it ended.</summary>
internal static class HistoryCommand
{
    private static readonly Option<int> Limit = new("--limit")
    {
        DefaultValueFactory = _ => 20,
        HelpName = "N",
        Description = "How many, newest first",
    };

    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "history",
            "The procedures that ran or run (of all clusters where none is named), newest first",
            [Flags.AnyCluster, Limit, .. Flags.Connection],
            RunAsync,
            InputCheck.OfAnyCluster
        );

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var cluster = call.Parsed.GetValue(Flags.AnyCluster);
        var client = await call.ConnectAsync(cancel);
        var runs = await Runs.HistoryAsync(client, cluster, call.Parsed.GetValue(Limit), cancel);
        if (call.Json)
        {
            call.Terminal.Json(runs);
        }
        else if (runs.Count == 0)
        {
            call.Terminal.WriteInfo("no procedure has run");
        }
        else
        {
            call.Terminal.Out.Write(Table(runs));
        }

        return ExitCodes.Done;
    }

    public static Table Table(IReadOnlyList<Run> runs)
    {
        var table = new Table()
            .SimpleBorder()
            .AddColumns("started (UTC)", "took", "outcome", "by", "primary", "tli", "ID");
        foreach (var column in table.Columns)
        {
            column.NoWrap();
        }

        foreach (var run in runs)
        {
            table.AddRow(
                new Text(run.StartedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)),
                new Text(
                    run.EndedAt is { } end
                        ? FormattableString.Invariant($"{(end - run.StartedAt).TotalSeconds:0.0} s")
                        : ""
                ),
                new Text(run.Outcome, new Style(ColorOf(run.Outcome))),
                new Text(run.By ?? ""),
                new Text(run.Primary ?? ""),
                new Text(run.Timeline?.ToString(CultureInfo.InvariantCulture) ?? ""),
                new Text(run.WorkflowId)
            );
        }

        return table;
    }

    private static Color ColorOf(string outcome) =>
        outcome switch
        {
            "succeeded" => Color.Green,
            "running" or "planned" or "waitingForApproval" or "undoing" => Color.Default,
            "refused" or "clusterBusy" or "cancelled" => Color.Yellow,
            _ => Color.Red,
        };
}

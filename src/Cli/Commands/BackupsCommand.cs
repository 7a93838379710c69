using System.CommandLine;
using Spectre.Console;

namespace PgFlow.Cli.Commands;

/// <summary>The base backups in a cluster's repository.</summary>
internal static class BackupsCommand
{
    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "backups",
            "The base backups, oldest first",
            [Flags.Cluster, Flags.Timeout, .. Flags.Connection],
            RunAsync,
            InputCheck.OfCluster
        );

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var tree = await new InspectionClient(call).ForAsync<TimelineTree>(nameof(InspectTimeline), cancel);
        var backups = tree.Branches.SelectMany(branch => branch.Backups).OrderBy(backup => backup.StartedAt).ToList();
        if (call.Json)
        {
            call.Terminal.Json(backups);
        }
        else if (backups.Count == 0)
        {
            call.Terminal.WriteInfo($"{tree.Cluster} has no backup; take one: pgflow backup {tree.Cluster}");
        }
        else
        {
            call.Terminal.Out.Write(Table(backups));
            if (tree.Branches.Sum(branch => branch.OlderBackups) is > 0 and var older)
            {
                call.Terminal.WriteInfo($"… and {PgFlowText.Count(older, "older backup")}");
            }
        }

        return ExitCodes.Done;
    }

    public static Table Table(IReadOnlyList<Backup> backups)
    {
        var table = new Table()
            .SimpleBorder()
            .AddColumns("ID", "kind", "timeline", "WAL range", "size", "taken at (UTC)", "from", "verified (UTC)");
        foreach (var backup in backups)
        {
            table.AddRow(
                new Text(backup.Id),
                new Text(TimelineText.Kind(backup)),
                new Text(backup.Timeline.ToString()),
                new Text(
                    string.Join(
                        "\n",
                        backup.WalRanges.Select(range =>
                            $"{range.Start} – {range.End}{(backup.WalRanges.Count > 1 ? $" on {range.Timeline}" : "")}"
                        )
                    )
                ),
                new Text(PgFlowText.Bytes(backup.Bytes)),
                new Text(TimelineText.Time(backup.StoppedAt)),
                new Text(backup.Node.ToString()),
                new Text(backup.VerifiedAt is { } at ? TimelineText.Time(at) : "never")
            );
        }

        return table;
    }
}

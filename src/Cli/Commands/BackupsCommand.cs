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
            Table(backups).Write(call.Terminal.Out);
            if (tree.Branches.Sum(branch => branch.OlderBackups) is > 0 and var older)
            {
                call.Terminal.WriteInfo($"… and {PgFlowText.Count(older, "older backup")}");
            }
        }

        return ExitCodes.Done;
    }

    public static FittingTable Table(IReadOnlyList<Backup> backups)
    {
        var table = new FittingTable(
            new("ID"),
            new("kind", 4),
            new("timeline", 3),
            new("WAL range", 1),
            new("size", 2),
            new("taken at", 6),
            new("from", 0),
            new("verified", 5)
        );
        foreach (var backup in backups)
        {
            table.Add(
                backup.Id,
                TimelineText.Kind(backup),
                $"{backup.Timeline}",
                string.Join(
                    "\n",
                    backup.WalRanges.Select(range =>
                        $"{range.Start} – {range.End}{(backup.WalRanges.Count > 1 ? $" on {range.Timeline}" : "")}"
                    )
                ),
                PgFlowText.Bytes(backup.Bytes),
                ShownTime.Of(backup.StoppedAt),
                $"{backup.Node}",
                backup.VerifiedAt is { } at ? ShownTime.Of(at) : "never"
            );
        }

        return table;
    }
}

namespace PgFlow.Cli.Commands;

/// <summary>A cluster's branches as one HTML page that needs nothing else.</summary>
internal static class TimelinePage
{
    private static readonly string[] Columns =
    [
        "timeline",
        "opened",
        "live",
        "recoverable to",
        "backups",
        "restore points",
    ];

    public static string Of(TimelineTree tree) =>
        $$"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>Timelines of {{tree.Cluster}}</title>
            <style>
            body { margin: 2rem; font: 14px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
            h1 { font-size: 1.4rem }
            figure { margin: 0 0 1.5rem; overflow-x: auto }
            table { border-collapse: collapse }
            th, td { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--grid) }
            th, td { text-align: left; vertical-align: top }
            th, p { color: var(--faint); font-weight: normal }
            td:nth-child(4) { white-space: nowrap }
            tr.live td:first-child { color: var(--on); font-weight: bold }
            li.bad { color: var(--bad) }
            </style>
            </head>
            <body>
            <h1>Timelines of {{tree.Cluster}}</h1>
            <p>As of {{ShownTime.Of(tree.ReadAt)}}. Point at a line or a mark to read what it is.</p>
            <figure>
            {{TimelinePicture.Of(tree)}}</figure>
            {{Findings(tree)}}<table>
            <tr>{{Cells("th", Columns)}}</tr>
            {{string.Join('\n', tree.Branches.Select(Row))}}
            </table>
            </body>
            </html>

            """;

    private static string Findings(TimelineTree tree) =>
        tree.Findings.Count == 0 ? "" : $"<ul>\n{string.Concat(TimelineText.Findings(tree).Select(Item))}</ul>\n";

    private static string Item(string finding) => $"<li class=\"bad\">{TimelinePicture.Encode(finding)}</li>\n";

    private static string Row(TreeBranch branch)
    {
        var span = branch is { Earliest: { } earliest, Latest: { } latest }
            ? $"{ShownTime.Exact(earliest)}\nto {(branch.IsLive ? "now" : ShownTime.Exact(latest))}"
            : "no time";
        var cells = Cells(
            "td",
            branch.Timeline.ToString(),
            TimelineText.Opened(branch),
            TimelineText.Live(branch),
            span,
            string.Join(
                '\n',
                Older(branch.OlderBackups)
                    .Concat(
                        branch.Backups.Select(backup =>
                            backup.Annotation is null ? backup.Id : $"{backup.Id} ({backup.Annotation})"
                        )
                    )
            ),
            string.Join(
                '\n',
                Older(branch.OlderRestorePoints)
                    .Concat(
                        branch.RestorePoints.Select(point => $"{point.Name} ({ShownTime.Of(point.At)}, {point.Lsn})")
                    )
            )
        );
        return $"<tr{(branch.IsLive ? " class=\"live\"" : "")}>{cells}</tr>";
    }

    private static IEnumerable<string> Older(int count) => count > 0 ? [$"… {count} older"] : [];

    private static string Cells(string tag, params IEnumerable<string> texts) =>
        string.Concat(
            texts.Select(text =>
                $"<{tag}>{TimelinePicture.Encode(text).Replace("\n", "<br>", StringComparison.Ordinal)}</{tag}>"
            )
        );
}

using Spectre.Console;
using Spectre.Console.Rendering;

namespace PgFlow.Cli.Commands;

/// <summary>A cluster's branches as a tree, and the words for them.</summary>
internal static class TimelineText
{
    public static void Write(IAnsiConsole console, TimelineTree tree)
    {
        var drawn = new Tree(new Markup($"[bold]{tree.Cluster}[/]  [dim]as of {ShownTime.Of(tree.ReadAt)}[/]")).Guide(
            console.Profile.Capabilities.Unicode ? TreeGuide.Line : TreeGuide.Ascii
        );
        var branches = tree.Branches.ToDictionary(branch => branch.Timeline);
        foreach (
            var root in tree.Branches.Where(branch => branch.Parent is not { } parent || !branches.ContainsKey(parent))
        )
        {
            Grow(drawn, root, branches);
        }

        console.Write(drawn);
        WriteLines(console, tree);
    }

    public static void WriteFindings(IAnsiConsole console, TimelineTree tree)
    {
        WriteLines(console, tree);
        if (tree.Findings.Count == 0)
        {
            console.WriteLine(
                $"{tree.Cluster}: {PgFlowText.Count(tree.Branches.Count, "timeline")}, nothing is missing"
            );
        }
    }

    /// <summary>How a branch began: the procedure and the position.</summary>
    public static string Opened(TreeBranch branch)
    {
        var by = branch.Opening is not { } opening
            ? "nobody knows how"
            : "by "
                + (opening.Kind.Length > 0 ? opening.Kind : opening.Procedure)
                + (opening.Node is null ? ", as the WAL tells" : "");
        return branch.SwitchedAt is { } at ? $"{by}, from timeline {branch.Parent} at {at}" : by;
    }

    /// <summary>When clients wrote to it.</summary>
    public static string Live(TreeBranch branch) =>
        branch switch
        {
            { LiveFrom: null } => "nobody knows when it was live",
            { LiveTo: { } to } => $"live {ShownTime.Of(branch.LiveFrom.Value)} to {ShownTime.Of(to)}",
            _ => $"live since {ShownTime.Of(branch.LiveFrom.Value)}",
        };

    public static string Kind(Backup backup) => backup.Parent is null ? "full" : "incremental";

    private static void Grow(IHasTreeNodes under, TreeBranch branch, Dictionary<Timeline, TreeBranch> branches)
    {
        var node = under.AddNode(Describe(branch));
        foreach (var child in branch.Children)
        {
            Grow(node, branches[child], branches);
        }
    }

    private static Rows Describe(TreeBranch branch)
    {
        var style = branch switch
        {
            { IsLive: true } => "bold green",
            { OnLivePath: true } => "green",
            _ => "default",
        };
        var mark = branch.OnLivePath ? "●" : "○";
        return new([
            new Markup(
                $"[{style}]{mark} timeline {branch.Timeline}{(branch.IsLive ? " LIVE" : "")}[/]  "
                    + $"{Markup.Escape(Live(branch))}"
            ),
            new Markup($"  [dim]opened[/] {Markup.Escape(Opened(branch))}"),
            .. branch.Opening is { Node: not null, Procedure: var id }
                ? [new Markup($"  [dim]by whom and why:[/] pgflow show {Markup.Escape(id)}")]
                : Array.Empty<IRenderable>(),
            new Markup(
                branch is { Earliest: { } earliest, Latest: { } latest }
                    ? $"  [dim]recoverable[/] {ShownTime.Exact(earliest)} [dim]to[/] "
                        + $"{(branch.IsLive ? "now" : ShownTime.Exact(latest))}"
                    : "  [yellow]no time can be recovered to[/]"
            ),
            .. Marks(branch),
        ]);
    }

    private static IEnumerable<IRenderable> Marks(TreeBranch branch) =>
        branch
            .Backups.Select(backup =>
                (
                    At: backup.StoppedAt,
                    Text: $"  [blue]■[/] {ShownTime.Of(backup.StoppedAt)} backup {Markup.Escape(backup.Id)}"
                        + Note(backup)
                )
            )
            .Concat(
                branch.RestorePoints.Select(point =>
                    (
                        point.At,
                        Text: $"  [yellow]◆[/] {ShownTime.Of(point.At)} restore point {Markup.Escape(point.Name)} "
                            + $"[dim]({point.Lsn})[/]"
                    )
                )
            )
            .OrderBy(mark => mark.At)
            .Select(mark => new Markup(mark.Text))
            .Prepend(new Markup(Older(branch) is { Length: > 0 } older ? $"  [dim]… {older}[/]" : ""))
            .Where(mark => mark.Length > 0);

    /// <summary>What a branch has besides the marks that are shown; nothing where that is all.</summary>
    public static string Older(TreeBranch branch) =>
        string.Join(
            " and ",
            new[]
            {
                branch.OlderBackups > 0 ? PgFlowText.Count(branch.OlderBackups, "older backup") : null,
                branch.OlderRestorePoints > 0
                    ? PgFlowText.Count(branch.OlderRestorePoints, "older restore point")
                    : null,
            }.OfType<string>()
        );

    private static string Note(Backup backup) =>
        backup.Annotation is null ? "" : $" [dim]{Markup.Escape(backup.Annotation)}[/]";

    /// <summary>The findings, and how many more there are.</summary>
    public static IEnumerable<string> Findings(TimelineTree tree) =>
        [
            .. tree.Findings.Select(HintText.Line),
            .. tree.MoreFindings > 0 ? [$"and {tree.MoreFindings} more like these"] : Array.Empty<string>(),
        ];

    private static void WriteLines(IAnsiConsole console, TimelineTree tree)
    {
        foreach (var finding in Findings(tree))
        {
            console.MarkupLineInterpolated($"[red]‼[/] {finding}");
        }
    }
}

using System.Globalization;
using System.Net;
using System.Text;

namespace PgFlow.Cli.Commands;

/// <summary>A cluster's branches as an SVG: time from left to right, a lane for each branch, forks as curves.</summary>
internal sealed class TimelinePicture
{
    /// <summary>Colours for the picture, and for the page around it.</summary>
    private const string Style = """
        :root {
          --ink: #1f2328; --faint: #59636e; --paper: #ffffff; --grid: #eaeef2;
          --on: #1a7f37; --off: #8c959f; --backup: #0969da; --point: #9a6700; --bad: #cf222e
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ink: #e6edf3; --faint: #9198a1; --paper: #0d1117; --grid: #21262d;
            --on: #3fb950; --off: #656c76; --backup: #4493f8; --point: #d29922; --bad: #f85149
          }
        }
        .picture text { font: 13px system-ui, sans-serif; fill: var(--ink) }
        .picture text.small { font-size: 11px; fill: var(--faint) }
        .picture text.live { font-weight: 700; fill: var(--on) }
        .picture text.point { font-size: 11px; fill: var(--point) }
        .picture path { fill: none; stroke: var(--off); stroke-width: 2; stroke-linecap: round }
        .picture path.on { stroke: var(--on); stroke-width: 5 }
        .picture path.waiting { stroke-dasharray: 2 6 }
        .picture path.grid { stroke: var(--grid); stroke-width: 1 }
        .picture .backup { fill: var(--backup); stroke: var(--paper); stroke-width: 2 }
        .picture .restore-point { fill: var(--point); stroke: var(--paper); stroke-width: 2 }
        .picture .now { fill: var(--on); stroke: var(--paper); stroke-width: 2 }
        .picture .paper { fill: var(--paper) }
        """;

    private const double Left = 150;
    private const double Top = 34;
    private const double Lane = 58;
    private const double Curve = 36;
    private const double LetterWidth = 6.2;
    private const double LabelWidth = 74;

    private readonly TimelineTree _tree;
    private readonly Dictionary<Timeline, TreeBranch> _branches;
    private readonly TimeScale _scale;
    private readonly StringBuilder _svg = new();

    private TimelinePicture(TimelineTree tree)
    {
        _tree = tree;
        _branches = tree.Branches.ToDictionary(branch => branch.Timeline);
        _scale = new(tree.Branches.SelectMany(Events).Append(tree.ReadAt), Left);
    }

    private double Bottom => Top + _tree.Branches.Count * Lane;

    public static string Of(TimelineTree tree) => new TimelinePicture(tree).Draw();

    public static string Encode(string text) => WebUtility.HtmlEncode(text);

    private string Draw()
    {
        var (width, height) = (Math.Max(_scale.Right + 40, 620), Bottom + 64);
        Add(
            $"""
            <svg class="picture" xmlns="http://www.w3.org/2000/svg" width="{width:0}" height="{height:0}"
              viewBox="0 0 {width:0} {height:0}" role="img" aria-label="Timelines of {_tree.Cluster}">
            """
        );
        Add($"<style>\n{Style}\n</style>");
        Add($"""<rect class="paper" width="{width:0}" height="{height:0}"/>""");
        DrawTimes();
        foreach (var branch in _tree.Branches)
        {
            DrawBranch(branch);
        }

        foreach (var branch in _tree.Branches)
        {
            DrawMarks(branch);
        }

        DrawLegend(height - 12);
        Add($"</svg>");
        return _svg.ToString();
    }

    /// <summary>When branches were opened, and then whatever else there is room for.</summary>
    private void DrawTimes()
    {
        var shown = new List<DateTimeOffset>();
        foreach (
            var time in _tree
                .Branches.Select(branch => branch.LiveFrom)
                .OfType<DateTimeOffset>()
                .Append(_tree.ReadAt)
                .Concat(_tree.Branches.SelectMany(Events))
        )
        {
            if (shown.All(other => Math.Abs(_scale.X(other) - _scale.X(time)) >= LabelWidth))
            {
                shown.Add(time);
            }
        }

        DateTime? day = null;
        foreach (var time in shown.Order().Select(ShownTime.InZone))
        {
            var x = _scale.X(time);
            Add($"""<path class="grid" d="M{x:0.#} {Top - 10:0.#}V{Bottom - 8:0.#}"/>""");
            Label("small", x, Bottom + 6, time.ToString("HH:mm:ss", CultureInfo.InvariantCulture), "middle");
            if (day != time.Date)
            {
                Label("small", x, Bottom + 20, time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), "middle");
                day = time.Date;
            }
        }
    }

    private void DrawBranch(TreeBranch branch)
    {
        var (y, start, end) = (Y(branch), _scale.X(Start(branch)), _scale.X(End(branch)));
        var style = branch.LiveFrom is null ? " class=\"waiting\"" : "";
        var title = $"timeline {branch.Timeline}: opened {TimelineText.Opened(branch)}; {TimelineText.Live(branch)}";
        Add($"<g><title>{Encode(title)}</title>");
        Label(branch.IsLive ? "live" : "", 12, y + 1, $"timeline {branch.Timeline}{(branch.IsLive ? ", live" : "")}");
        Label("small", 12, y + 15, branch.Opening?.Kind ?? "origin unknown");
        Add($"""<path{style} d="M{start:0.#} {y:0.#}H{end:0.#}"/>""");
        if (branch.OnLivePath)
        {
            var next = branch.Children.Select(child => _branches[child]).FirstOrDefault(child => child.OnLivePath);
            Add($"""<path class="on" d="M{start:0.#} {y:0.#}H{(next is null ? end : _scale.X(ForkOf(next))):0.#}"/>""");
        }

        if (branch.Parent is { } parent && _branches.TryGetValue(parent, out var from))
        {
            var (fork, above) = (_scale.X(ForkOf(branch)), Y(from));
            var there = Math.Min(start, fork + Curve);
            var middle = (fork + there) / 2;
            var path = branch.OnLivePath ? "on" : "off";
            Add(
                $"""
                <path class="{path}"
                  d="M{fork:0.#} {above:0.#}C{middle:0.#} {above:0.#} {middle:0.#} {y:0.#} {there:0.#} {y:0.#}"/>
                """
            );
            Add($"""<path class="waiting" d="M{there:0.#} {y:0.#}H{start:0.#}"/>""");
        }

        Add($"</g>");
    }

    private void DrawMarks(TreeBranch branch)
    {
        var y = Y(branch);
        foreach (var backup in branch.Backups)
        {
            var text =
                $"backup {backup.Id}: {TimelineText.Kind(backup)}, {PgFlowText.Bytes(backup.Bytes)} from "
                + $"{backup.Node}, ended {ShownTime.Of(backup.StoppedAt)} at "
                + $"{backup.End}{PgFlowText.Because(backup.Annotation)}";
            Add(
                $"""
                <rect class="backup" x="{_scale.X(backup.StoppedAt) - 7:0.#}" y="{y - 7:0.#}"
                  width="14" height="14" rx="2"><title>{Encode(text)}</title></rect>
                """
            );
        }

        var free = 0.0;
        foreach (var point in branch.RestorePoints)
        {
            var (x, half) = (_scale.X(point.At), point.Name.Length * LetterWidth / 2);
            var text = $"restore point {point.Name}: {ShownTime.Of(point.At)} at {point.Lsn}";
            Add(
                $"""
                <path class="restore-point" d="M{x:0.#} {y - 9:0.#}l9 9l-9 9l-9 -9z">
                  <title>{Encode(text)}</title></path>
                """
            );
            if (x - half > free)
            {
                Label("point", x, y - 14, point.Name, "middle");
                free = x + half;
            }
        }

        if (branch.IsLive)
        {
            Add(
                $"""
                <circle class="now" cx="{_scale.X(_tree.ReadAt):0.#}" cy="{y:0.#}" r="8">
                  <title>clients write here</title></circle>
                """
            );
        }
    }

    private void DrawLegend(double y)
    {
        Add($"""<path class="on" d="M12 {y - 4:0.#}h24"/>""");
        Add($"""<rect class="backup" x="132" y="{y - 11:0.#}" width="14" height="14" rx="2"/>""");
        Add($"""<path class="restore-point" d="M218 {y - 13:0.#}l9 9l-9 9l-9 -9z"/>""");
        Label("small", 42, y, "led to today");
        Label("small", 152, y, "backup");
        Label("small", 232, y, "restore point");
        Label("small", 320, y, $"times in {ShownTime.Zone.Id}; quiet spans are drawn short; dotted: not live yet");
    }

    private double Y(TreeBranch branch) => Top + Lane / 2 + Lane * _tree.Branches.ToList().IndexOf(branch);

    private DateTimeOffset Start(TreeBranch branch) =>
        branch.LiveFrom ?? Events(branch).DefaultIfEmpty(_scale.First).Min();

    private DateTimeOffset End(TreeBranch branch) =>
        branch.IsLive ? _tree.ReadAt : branch.LiveTo ?? Events(branch).DefaultIfEmpty(_scale.First).Max();

    private static IEnumerable<DateTimeOffset> Events(TreeBranch branch) =>
        [
            .. ((DateTimeOffset?[])[branch.LiveFrom, branch.LiveTo]).OfType<DateTimeOffset>(),
            .. branch.Backups.Select(backup => backup.StoppedAt),
            .. branch.RestorePoints.Select(point => point.At),
        ];

    /// <summary>When the parent was where the child begins: a position between two others of which the times are
    /// known.</summary>
    private DateTimeOffset ForkOf(TreeBranch child)
    {
        var parent = _branches[child.Parent!.Value];
        var (start, end, at) = (Start(parent), End(parent), child.SwitchedAt!.Value);
        var known = Known(parent).OrderBy(known => known.At).ThenBy(known => known.Time).ToList();
        var before = known.LastOrDefault(known => known.At <= at, (At: default, Time: start));
        var after = known.FirstOrDefault(known => known.At > at, (At: at, Time: end));
        var share =
            after.At > at ? (double)(at.Value - before.At.Value) / (after.At.Value - before.At.Value)
            : child.Opening?.Continues is true ? 1
            : before.At == at ? 0
            : 0.5;
        var fork = before.Time + share * (after.Time - before.Time);
        return fork < Start(child) ? fork : Start(child);
    }

    private static IEnumerable<(Lsn At, DateTimeOffset Time)> Known(TreeBranch branch)
    {
        if (branch.LiveFrom is { } from)
        {
            yield return (branch.SwitchedAt ?? default, from);
        }

        foreach (var backup in branch.Backups)
        {
            yield return (backup.WalRanges[^1].Start, backup.StartedAt);
            yield return (backup.End, backup.StoppedAt);
        }

        foreach (var point in branch.RestorePoints)
        {
            yield return (point.Lsn, point.At);
        }
    }

    private void Label(string style, double x, double y, string text, string anchor = "start") =>
        Add($"""<text class="{style}" x="{x:0.#}" y="{y:0.#}" text-anchor="{anchor}">{Encode(text)}</text>""");

    private void Add(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}

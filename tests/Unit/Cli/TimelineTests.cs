using System.Globalization;
using System.Xml.Linq;
using Spectre.Console.Testing;

namespace PgFlow.UnitTests.Cli;

/// <summary>A cluster that was recovered to a restore point, and twice failed over since.</summary>
public sealed class TimelineTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static readonly TimelineTree Tree = TimelineTree.From(
        new()
        {
            Cluster = ClusterName.Parse("demo"),
            ReadAt = At("15:00:00"),
            Branches =
            [
                Branch(1, "", "10:00:00", nameof(InitCluster)),
                Branch(2, "1 0/5000000 x", "12:00:00", nameof(RecoverCluster), "11:59:00"),
                Branch(3, "1 0/5000000 x\n2 0/7000000 x", "13:00:00", nameof(Failover), "12:59:30"),
            ],
            Backups =
            [
                Backup("20261124T100100Z-full", 1, 0x2000000, "10:01:00") with
                {
                    Annotation = "<script>[bold]",
                },
                Backup("20261124T123000Z-incremental", 2, 0x6000000, "12:30:00") with
                {
                    Parent = "20261124T100100Z-full",
                    VerifiedAt = At("14:00:00"),
                },
            ],
            RestorePoints = [new("before-2.0", new(1), new(0x5000000), At("11:00:00"))],
            Segments = [new(new(1), 1, 5), new(new(2), 5, 7), new(new(3), 7, 8)],
        }
    );

    private readonly TestConsole _console = new TestConsole().Width(200);

    [Fact]
    public void Each_branch_grows_out_of_its_parent_and_tells_when_it_was_live()
    {
        TimelineText.Write(_console, Tree);

        Assert.Matches(@"├?└?── ● timeline 1  live 2026-11-24 10:00:00Z to 2026-11-24 11:59:00Z", _console.Output);
        Assert.Matches(@"    └── ● timeline 2  live 2026-11-24 12:00:00Z to 2026-11-24 12:59:30Z", _console.Output);
        Assert.Matches(@"        └── ● timeline 3 LIVE  live since 2026-11-24 13:00:00", _console.Output);
        Assert.Contains(
            "opened by RecoverCluster, from timeline 1 at 0/5000000",
            _console.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("by whom and why: pgflow show ", _console.Output, StringComparison.Ordinal);
        Assert.Contains(
            "recoverable 2026-11-24T10:01:00Z to 2026-11-24T11:59:00Z",
            _console.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("recoverable 2026-11-24T13:00:00Z to now", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_read_from_the_WAL_says_so()
    {
        var promoted = Tree.Branches[1] with
        {
            Opening = Tree.Branches[1].Opening! with { Node = null, Kind = TimelineOpened.Promotion },
        };

        Assert.Equal("by promotion, as the WAL tells, from timeline 1 at 0/5000000", TimelineText.Opened(promoted));
    }

    [Fact]
    public void Backups_and_restore_points_stand_on_their_branch_in_order_of_time()
    {
        TimelineText.Write(_console, Tree);

        Assert.Matches(
            @"(?s)timeline 1 .*10:01:00Z backup 20261124T100100Z-full <script>\[bold\].*11:00:00Z restore point "
                + @"before-2.0 \(0/5000000\).*timeline 2 .*12:30:00Z backup",
            _console.Output
        );
    }

    [Fact]
    public void A_branch_that_led_nowhere_is_marked_so()
    {
        TimelineText.Write(
            _console,
            Tree with
            {
                Branches = [Tree.Branches[0] with { Children = [], OnLivePath = false }],
            }
        );

        Assert.Contains("○ timeline 1 ", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Findings_are_said_as_they_are()
    {
        var rebuild = Hint.Run("the WAL may tell", nameof(RebuildLedger), Tree.Cluster);
        Finding[] findings = [new(FindingCode.OpeningUnknown, Detail: "[timeline] 2", Hint: rebuild)];
        TimelineText.WriteFindings(_console, Tree with { Findings = findings, MoreFindings = 3 });
        TimelineText.WriteFindings(_console, Tree with { Findings = [] });

        Assert.Equal(
            [
                "‼ [timeline] 2; the WAL may tell: pgflow timeline demo --rebuild",
                "‼ and 3 more like these",
                "demo: 3 timelines, nothing is missing",
            ],
            _console.Lines
        );
    }

    [Fact]
    public void The_picture_has_a_lane_for_each_branch_and_a_title_for_each_mark()
    {
        var picture = XElement.Parse(TimelinePicture.Of(Tree));

        var titles = picture.Descendants(Svg + "title").Select(title => title.Value).ToList();
        Assert.Equal(3, titles.Count(title => title.StartsWith("timeline ", StringComparison.Ordinal)));
        Assert.Equal(2, titles.Count(title => title.StartsWith("backup ", StringComparison.Ordinal)));
        Assert.Contains("restore point before-2.0: 2026-11-24 11:00:00Z at 0/5000000", titles);
        Assert.Contains(titles, title => title.Contains("<script>", StringComparison.Ordinal));
    }

    [Fact]
    public void In_the_picture_a_branch_begins_where_its_parent_was_then()
    {
        var forks = XElement
            .Parse(TimelinePicture.Of(Tree))
            .Descendants(Svg + "path")
            .Select(path => path.Attribute("d")!.Value)
            .Where(path => path.Contains('C', StringComparison.Ordinal))
            .ToList();

        var scale = new TimeScale(
            [
                At("10:00:00"),
                At("10:01:00"),
                At("11:00:00"),
                At("11:59:00"),
                At("12:00:00"),
                At("12:30:00"),
                At("12:59:30"),
                At("13:00:00"),
                At("15:00:00"),
            ],
            150
        );
        Assert.Equal(
            [
                FormattableString.Invariant($"M{scale.X(At("11:00:00")):0.#}"),
                FormattableString.Invariant($"M{scale.X(At("12:59:30")):0.#}"),
            ],
            forks.Select(fork => fork.Split(' ')[0])
        );
    }

    [Fact]
    public void A_branch_of_which_nothing_is_known_can_be_drawn()
    {
        var bare = TimelineTree.From(
            new()
            {
                Cluster = ClusterName.Parse("demo"),
                ReadAt = At("15:00:00"),
                Branches = [Branch(1, ""), Branch(2, "1 0/5000000 x")],
            }
        );

        TimelineText.Write(_console, bare);

        Assert.Contains("nobody knows when it was live", _console.Output, StringComparison.Ordinal);
        Assert.Contains("no time can be recovered to", _console.Output, StringComparison.Ordinal);
        Assert.Contains("origin unknown", TimelinePicture.Of(bare), StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_needs_nothing_from_elsewhere_and_keeps_notes_harmless()
    {
        var page = TimelinePage.Of(Tree with { Findings = [new(FindingCode.OpeningUnknown, Detail: "a <finding>")] });

        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=", page);
        Assert.Contains("(&lt;script&gt;[bold])", page, StringComparison.Ordinal);
        Assert.Contains("a &lt;finding&gt;", page, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Backups_are_listed_with_the_WAL_that_they_need()
    {
        BackupsCommand.Table([.. Tree.Branches.SelectMany(branch => branch.Backups)]).Write(_console);

        Assert.Matches(
            "20261124T100100Z-full +full +1 +0/1000000 – 0/2000000 +47 MB +2026-11-24 10:01:00Z +p1 +never",
            _console.Output
        );
        Assert.Matches("20261124T123000Z-incremental +incremental +2 +.* 2026-11-24 14:00:00", _console.Output);
    }

    [Fact]
    public void Events_keep_their_order_and_a_quiet_month_does_not_crush_a_busy_hour()
    {
        var scale = new TimeScale([At("10:00:00"), At("10:00:01"), At("10:00:01").AddDays(30)], 100);

        Assert.Equal(100, scale.X(At("09:00:00")));
        Assert.InRange(scale.X(At("10:00:01")), 120, 140);
        Assert.InRange(scale.Right, 250, 400);
        Assert.Equal(scale.Right, scale.X(At("10:00:00").AddDays(60)));
    }

    private static DateTimeOffset At(string time) =>
        DateTimeOffset.Parse($"2026-11-24T{time}Z", CultureInfo.InvariantCulture);

    private static Branch Branch(
        uint number,
        string history,
        string? opened = null,
        string kind = "",
        string? before = null
    )
    {
        var past = TimelineHistory.Parse(new(number), history);
        var last = past.Ancestors is [.., var parent] ? parent : null;
        return new(
            new(number),
            past,
            opened is null
                ? null
                : new(
                    new(ClusterName.Parse("demo"), NodeName.Of(1)),
                    new(number),
                    last?.Timeline,
                    last?.End ?? default,
                    At(opened),
                    "id",
                    kind,
                    before is null ? null : At(before)
                )
        );
    }

    private static Backup Backup(string id, uint timeline, ulong end, string stopped) =>
        new()
        {
            Id = id,
            StartedAt = At(stopped).AddSeconds(-10),
            StoppedAt = At(stopped),
            Node = NodeName.Of(1),
            WalRanges = [new(new(timeline), new(end - 0x1000000), new(end))],
            Bytes = 50_000_000,
            SystemIdentifier = "7",
            Major = 17,
        };
}

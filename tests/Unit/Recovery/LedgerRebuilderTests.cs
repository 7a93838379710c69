using System.Globalization;
using System.Text.Json;
using CsCheck;

namespace PgFlow.UnitTests.Recovery;

public sealed class LedgerRebuilderTests
{
    private const string Recovery = "RecoverCluster";

    /// <summary>A failover that lost nothing, a recovery to before it, a recovery back onto the branch that was left
    /// then.</summary>
    private static readonly ModelCluster Cluster = new(cluster =>
    {
        cluster.Backup("B1", "09:00", "09:05");
        cluster.Commit("09:30");
        var early = cluster.Live.End;
        cluster.Commit("09:40");
        cluster.Point("p", "09:50");
        cluster.Next(nameof(Failover), "10:00", "10:01");
        cluster.Commit("10:10");
        cluster.Next(Recovery, "11:00", "11:02", new(1), early);
        cluster.Commit("11:10");
        cluster.Next(Recovery, "12:00", "12:02", new(2));
        cluster.Idle("13:00");
    });

    [Fact]
    public async Task Every_opening_is_found_with_time_parent_and_position()
    {
        var found = await LostAsync(Cluster);

        Assert.Equal(
            Cluster.Timelines.Select(timeline => timeline.Opening.OpenedAt),
            found.Openings.Select(opening => opening.Entry.OpenedAt)
        );
        Assert.Equal([null, new(1), new(1), new(2)], found.Openings.Select(opening => opening.Entry.Parent));
        Assert.Equal(
            Cluster.Timelines.Skip(1).Select(timeline => timeline.Fork),
            found.Openings.Skip(1).Select(opening => opening.Entry.SwitchedAt)
        );
        Assert.Equal(
            ["initdb", "promotion", "promotion", "promotion"],
            found.Openings.Select(opening => opening.Entry.Kind)
        );
        Assert.All(found.Openings, opening => Assert.Null(opening.Entry.Node));
        Assert.Equal($"Opening at {Cluster.Timelines[1].Records[0].Lsn} on timeline 2", found.Openings[1].Source);
        Assert.Empty(found.Unknown);
    }

    [Fact]
    public async Task Only_what_goes_on_at_the_end_of_the_live_branch_continues_it()
    {
        var found = await LostAsync(Cluster);

        // 4 begins at the end of 2 while 3 was live: who asks for a time between them gets the end of 3.
        Assert.Equal([false, true, false, false], found.Openings.Select(opening => opening.Entry.Continues));
    }

    [Fact]
    public async Task A_branch_ends_with_the_last_time_in_its_WAL()
    {
        var found = await LostAsync(Cluster);

        Assert.Equal(
            [null, ModelCluster.Time("09:50"), ModelCluster.Time("10:10"), ModelCluster.Time("11:10")],
            found.Openings.Select(opening => opening.Entry.PreviousEndedAt)
        );
    }

    [Fact]
    public async Task A_clean_stop_behind_the_last_commit_is_the_end()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Commit("09:40");
            cluster.Stop("09:55");
            cluster.Next(nameof(Switchover), "10:00", "10:01");
            cluster.Commit("10:10");
        });

        Assert.Equal(ModelCluster.Time("09:55"), (await LostAsync(cluster)).Openings[1].Entry.PreviousEndedAt);
    }

    [Fact]
    public async Task A_branch_that_somebody_opened_by_hand_is_no_part_of_the_past()
    {
        var found = await LostAsync(
            new(cluster =>
            {
                cluster.Commit("09:30");
                cluster.Stray("10:00");
                cluster.Commit("10:10");
            })
        );

        Assert.Equal(new Timeline(1), Assert.Single(found.Openings).Entry.Timeline);
        Assert.StartsWith(
            "timeline 2: somebody promoted a node by hand",
            Assert.Single(found.Unknown),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_the_ledger_has_is_left_alone()
    {
        Assert.Empty((await LedgerRebuilder.OfAsync(Cluster.Contents, Cluster)).Openings);

        var contents = Cluster.Contents with
        {
            Branches =
            [
                .. Cluster.Contents.Branches.Select(branch =>
                    branch.Timeline == new Timeline(3) ? branch with { Opening = null } : branch
                ),
            ],
        };
        var found = Assert.Single((await LedgerRebuilder.OfAsync(contents, Cluster)).Openings).Entry;

        Assert.Equal(
            (new Timeline(3), ModelCluster.Time("11:02"), false),
            (found.Timeline, found.OpenedAt, found.Continues)
        );
    }

    [Fact]
    public async Task What_no_WAL_tells_stays_unknown_and_the_rest_is_found()
    {
        var wal = new ModelCluster(cluster =>
        {
            cluster.Commit("09:40");
            cluster.Next(nameof(Failover), "10:00", "10:01");
            cluster.Commit("10:10");
            cluster.Next(nameof(Failover), "11:00", "11:01");
            cluster.Lose(new(2), from: 0);
        });

        var found = await LostAsync(wal);
        Assert.Equal([new(1), new(3)], found.Openings.Select(opening => opening.Entry.Timeline));
        Assert.Equal(
            [
                "timeline 2: when it was opened stays unknown, none of its WAL and no backup of it is here (a "
                    + "clone has none of its source's)",
            ],
            found.Unknown
        );
    }

    [Fact]
    public async Task Restore_points_are_found_and_a_name_of_two_positions_is_none()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Point("one", "09:10");
            cluster.Point("two", "09:20");
            cluster.Point("not a name", "09:30");
            cluster.Next(nameof(Failover), "10:00", "10:01");
            cluster.Point("two", "10:20");
            cluster.Point("three", "10:30");
        });

        var found = await LostAsync(cluster);
        Assert.Equal(
            cluster.Contents.RestorePoints.Where(point => point.Name is "one" or "three"),
            found.RestorePoints.Select(point => point.Entry)
        );
        Assert.Equal(2, found.Unknown.Count);
        Assert.Matches(
            @"^restore point 'two' at 0/\w+ on timeline 1, 0/\w+ on timeline 2 is left out: a name is one position$",
            found.Unknown[0]
        );
        Assert.EndsWith("that is no name that the ledger takes", found.Unknown[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_point_of_the_source_that_a_clone_has_a_copy_of_is_not_the_clones()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Point("source", "09:10");
            cluster.Next("CloneCluster", "10:00", "10:01");
            cluster.Point("own", "10:20");
        });
        var clone = cluster.Contents with
        {
            Segments = [.. cluster.Contents.Segments.Where(run => run.Timeline == new Timeline(2))],
            RestorePoints = [],
        };

        Assert.Equal("own", Assert.Single((await LedgerRebuilder.OfAsync(clone, cluster)).RestorePoints).Entry.Name);
    }

    [Fact]
    public async Task The_time_of_initdb_is_in_the_system_identifier()
    {
        var found = await LedgerRebuilder.OfAsync(
            Lost(Cluster) with
            {
                SystemIdentifier = "7711822184333295631",
            },
            Cluster
        );

        Assert.Equal(
            DateTimeOffset.Parse("2026-11-24T19:28:42.967324Z", CultureInfo.InvariantCulture),
            found.Openings.Single(opening => opening.Entry.Timeline == new Timeline(1)).Entry.OpenedAt
        );
    }

    /// <summary>Whatever happened, a time comes to the same state with a rebuilt ledger: but where a failover had lost
    /// commits, and nobody can tell it from a recovery.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rebuilt_ledger_brings_back_the_same(bool gaps)
    {
        var (compared, resolved) = (0, 0);
        await Property.HoldsAsync(
            Gen.Select(ModelCluster.Any(gaps), Gen.Int[0, 1000].Array[1, 40]),
            500,
            async drawn =>
            {
                var cluster = drawn.Item1();
                if (await RebuiltAsync(cluster) is not { } rebuilt)
                {
                    return;
                }

                foreach (var share in drawn.Item2)
                {
                    var time = ModelCluster.Start + ((cluster.Now - ModelCluster.Start) * (share / 1000d));
                    if (IsInLostCommits(cluster, time))
                    {
                        continue;
                    }

                    Interlocked.Increment(ref compared);
                    if (await AssertSameAsync(cluster, rebuilt, time))
                    {
                        Interlocked.Increment(ref resolved);
                    }
                }
            },
            drawn => $"{drawn.Item1()}"
        );

        Assert.True(resolved > compared / 3 && compared > 3000, $"{resolved} of {compared}: the model is too poor");
    }

    [Fact]
    public void An_old_entry_is_read_as_it_was_written()
    {
        const string old =
            """{"node":{"cluster":"demo","name":"p2","container":"pgflow-demo-p2"},"timeline":2,"parent":1,"switchedAt":"0/5000000","openedAt":"2026-11-24T12:00:00+00:00","procedure":"w","kind":"Failover"}""";
        var read = JsonSerializer.Deserialize<TimelineOpened>(old, PgFlowJson.Options)!;

        Assert.Equal((NodeName.Of(2), true), (read.Node!.Value.Name, read.Continues));
        Assert.Equal(old, JsonSerializer.Serialize(read, PgFlowJson.Options));
        Assert.Equal(
            read with
            {
                Node = null,
            },
            JsonSerializer.Deserialize<TimelineOpened>(
                JsonSerializer.Serialize(read with { Node = null }, PgFlowJson.Options),
                PgFlowJson.Options
            )
        );
    }

    private static RepositoryContents Lost(ModelCluster cluster) =>
        cluster.Contents with
        {
            Branches = [.. cluster.Contents.Branches.Select(branch => branch with { Opening = null })],
            RestorePoints = [],
        };

    private static Task<Unrecorded> LostAsync(ModelCluster cluster) => LedgerRebuilder.OfAsync(Lost(cluster), cluster);

    /// <summary>The contents with a ledger rebuilt from its WAL; null where that does not tell of every
    /// timeline.</summary>
    private static async Task<RepositoryContents?> RebuiltAsync(ModelCluster cluster)
    {
        var found = await LostAsync(cluster);
        return found.Openings.Count < cluster.Timelines.Count
            ? null
            : cluster.Contents with
            {
                Branches =
                [
                    .. cluster.Contents.Branches.Select(branch =>
                        branch with
                        {
                            Opening = found.Openings.Single(opening => opening.Entry.Timeline == branch.Timeline).Entry,
                        }
                    ),
                ],
            };
    }

    /// <returns>Whether it was resolved before.</returns>
    private static async Task<bool> AssertSameAsync(
        ModelCluster cluster,
        RepositoryContents rebuilt,
        DateTimeOffset time
    )
    {
        var before = await TryAsync(cluster.Contents, time, cluster);
        var after = await TryAsync(rebuilt, time, cluster);
        Assert.True(
            before is null
                ? after is null || after.LastKept is null || after.LastKept.At <= time
                : before.LastKept == after?.LastKept,
            $"{PgFlowText.Exact(time)}: {before}, rebuilt {after}"
        );
        return before is not null;
    }

    /// <summary>Whether a time lies between a failover that had lost commits and the end of what they were
    /// on.</summary>
    private static bool IsInLostCommits(ModelCluster cluster, DateTimeOffset time) =>
        cluster.Timelines.Any(timeline =>
            timeline.LeftAt < time && time < Next(cluster, timeline).Opening.OpenedAt && HasLost(cluster, timeline)
        );

    private static ModelTimeline Next(ModelCluster cluster, ModelTimeline timeline) =>
        cluster.Timelines[(int)timeline.Number.Number];

    private static bool HasLost(ModelCluster cluster, ModelTimeline timeline) =>
        Next(cluster, timeline) is { Opening.Kind: nameof(Failover) } next && timeline.End > next.Fork;

    /// <summary>Null where it is refused.</summary>
    private static async Task<ResolvedTarget?> TryAsync(
        RepositoryContents contents,
        DateTimeOffset time,
        IWalReader wal
    )
    {
        try
        {
            return await Resolver.ResolveAsync(contents, new TimeTarget(time), wal);
        }
        catch (PgFlowException)
        {
            return null;
        }
    }
}

using System.Text.Json;

namespace PgFlow.UnitTests.Recovery;

public sealed class TimelineTreeTests
{
    private static readonly ModelCluster Cluster = new(cluster =>
    {
        cluster.Backup("B1", "09:00", "09:05");
        var early = cluster.Live.End;
        cluster.Commit("09:30");
        cluster.Point("p", "09:40");
        cluster.Next(nameof(Failover), "10:00", "10:01");
        cluster.Commit("10:10");
        cluster.Backup("B2", "10:20", "10:25");
        cluster.Next("RecoverCluster", "11:00", "11:02", new(1), early);
        cluster.Commit("11:10");
        cluster.Idle("12:00");
    });

    [Fact]
    public void Shows_parents_children_times_and_what_lies_on_each_branch()
    {
        var tree = TimelineTree.From(Cluster.Contents);

        Assert.Equal(
            [(1u, null), (2u, 1u), (3u, 1u)],
            tree.Branches.Select(branch => (branch.Timeline.Number, branch.Parent?.Number))
        );
        Assert.Equal([new(2), new(3)], tree.Branches[0].Children);
        Assert.Equal(
            [null, Cluster.Timelines[1].Fork, Cluster.Timelines[2].Fork],
            tree.Branches.Select(branch => branch.SwitchedAt)
        );
        Assert.Equal(
            [("09:00", "10:00"), ("10:01", "11:00"), ("11:02", null)],
            tree.Branches.Select(branch => (Clock(branch.LiveFrom), Clock(branch.LiveTo)))
        );
        Assert.Equal(
            [(true, false), (false, false), (true, true)],
            tree.Branches.Select(branch => (branch.OnLivePath, branch.IsLive))
        );
        Assert.Equal(["B1", "B2"], tree.Branches.SelectMany(branch => branch.Backups).Select(backup => backup.Id));
        Assert.Equal("p", Assert.Single(tree.Branches[0].RestorePoints).Name);
        Assert.Equal(
            [("09:05", "10:00"), ("10:01", "11:00"), ("11:02", "12:00")],
            tree.Branches.Select(branch => (Clock(branch.Earliest), Clock(branch.Latest)))
        );
        Assert.Empty(tree.Findings);
    }

    [Fact]
    public void Nothing_can_be_had_of_a_branch_without_a_backup_or_behind_a_gap()
    {
        var none = TimelineTree.From(Cluster.Contents with { Backups = [Cluster.Contents.Backups[1]] });
        var gap = TimelineTree.From(Cluster.Contents with { Segments = [] });

        Assert.Equal([null, "10:25", null], none.Branches.Select(branch => Clock(branch.Earliest)));
        Assert.Equal([null, "11:00", null], none.Branches.Select(branch => Clock(branch.Latest)));
        Assert.Null(gap.Branches[0].Earliest);
    }

    [Fact]
    public void An_end_that_was_lost_with_its_node_can_be_had_where_the_next_branch_has_a_copy()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            cluster.Next(nameof(Failover), "10:00", "10:01");
            cluster.Lose(new(1), from: 1);
        });

        Assert.DoesNotContain(cluster.Contents.Segments, run => run.Timeline == new Timeline(1));
        Assert.Equal("09:05", Clock(TimelineTree.From(cluster.Contents).Branches[0].Earliest));
    }

    [Fact]
    public void A_branch_that_the_ledger_does_not_know_beside_the_live_one_is_a_stray()
    {
        var node = new NodeId(Cluster.Contents.Cluster, NodeName.Of(1));
        TimelineTree Without(uint timeline) =>
            TimelineTree.From(
                Cluster.Contents with
                {
                    Branches =
                    [
                        .. Cluster.Contents.Branches.Select(branch =>
                            branch with
                            {
                                Opening =
                                    branch.Timeline.Number == timeline ? null : branch.Opening! with { Node = node },
                            }
                        ),
                    ],
                }
            );

        Assert.Equal([false, true, false], Without(2).Branches.Select(branch => branch.IsStray));
        Assert.StartsWith(
            "timeline 2: the ledger does not know it",
            FindingText.Of(Assert.Single(Without(2).Findings)),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(Without(1).Branches, branch => branch.IsStray); // an ancestor of the live one
    }

    [Fact]
    public void What_is_left_out_is_a_number_and_no_finding()
    {
        var tree = TimelineTree.From(Cluster.Contents);
        var newest = (
            tree with
            {
                Findings = [.. Enumerable.Repeat(new Finding(FindingCode.WalMissing), 130)],
            }
        ).Newest();

        Assert.Equal((100, 30), (newest.Findings.Count, newest.MoreFindings));
        Assert.Equal(0, tree.Newest().MoreFindings);
    }

    [Fact]
    public void Finds_what_is_missing_or_contradicts_itself()
    {
        var branches = Cluster.Contents.Branches;
        var contents = Cluster.Contents with
        {
            Branches =
            [
                branches[0],
                branches[2],
                new(new(5), new(new(5), [new(new(1), new(0x2000)), new(new(3), new(0x1000))]), Opening: null),
            ],
            Segments = [new(new(1), 1, 3), new(new(1), 6, 7), new(new(5), 32, 33)],
        };
        var tree = TimelineTree.From(contents);

        Assert.Equal(
            [
                "timeline 2 has no history: PostgreSQL would give its number to the next branch; no recovery "
                    + "before 00000002.history is back",
                "timeline 4 has no history: PostgreSQL would give its number to the next branch; no recovery "
                    + "before 00000004.history is back",
                "timeline 5: the ledger does not know it, and the live one does not come from it: somebody "
                    + "promoted a node by hand, or its entry was lost; only its number leads to it; the WAL may "
                    + "tell: pgflow timeline model --rebuild",
                "timeline 5: its history goes back from 0/2000 (end of 1) to 0/1000 (end of 3); the earlier one counts",
                "WAL is missing: timeline 1 lacks 000000010000000000000004 to 000000010000000000000005",
                "WAL is missing: the parent's WAL ends before timeline 5, which lacks 000000010000000000000008",
            ],
            tree.Findings.Select(HintText.Line)
        );
        Assert.Equal(new Timeline(1), tree.Branches[^1].Parent);
        Assert.DoesNotContain( // a clone has no backup on its source's branches, and misses nothing of them
            TimelineTree.From(contents with { Backups = [] }).Findings,
            finding => finding.Detail!.StartsWith("the parent's WAL", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Survives_JSON()
    {
        var text = JsonSerializer.Serialize(TimelineTree.From(Cluster.Contents), PgFlowJson.Options);

        Assert.Equal(
            text,
            JsonSerializer.Serialize(
                JsonSerializer.Deserialize<TimelineTree>(text, PgFlowJson.Options),
                PgFlowJson.Options
            )
        );
        Assert.Contains("\"parent\":1,\"switchedAt\":\"0/", text, StringComparison.Ordinal);
    }

    private static string? Clock(DateTimeOffset? time) => time?.ToString("HH:mm", null);

    [Fact]
    public void Of_a_long_past_has_the_newest_marks_and_counts_the_others()
    {
        var many = Enumerable
            .Range(0, 20_000)
            .Select(number => new RestorePoint(
                $"r{number}",
                new(1),
                new((ulong)number),
                DateTimeOffset.UnixEpoch.AddSeconds(number)
            ));
        var tree = TimelineTree.From(Cluster.Contents with { RestorePoints = [.. many] }).Newest();

        var branch = tree.Branches.Single(branch => branch.RestorePoints.Count > 0);
        Assert.Equal(
            ("r19999", 20_000),
            (branch.RestorePoints[^1].Name, branch.RestorePoints.Count + branch.OlderRestorePoints)
        );
        Assert.True(JsonSerializer.SerializeToUtf8Bytes(tree, PgFlowJson.Options).Length < 128 * 1024);
    }
}

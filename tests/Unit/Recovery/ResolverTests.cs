namespace PgFlow.UnitTests.Recovery;

public sealed class ResolverTests
{
    private const string Recovery = "RecoverCluster";

    /// <summary>Backups on both sides of 10:00; recovered to there at 11:30; work on timeline 2 until 12:30.</summary>
    private static readonly ModelCluster Killer = new(cluster =>
    {
        cluster.Backup("B1", "09:00", "09:05");
        cluster.Commit("09:59");
        var ten = cluster.Live.End;
        cluster.Commit("10:01");
        cluster.Backup("B2", "11:00", "11:05");
        cluster.Next(Recovery, "11:30", "11:31", new(1), ten);
        cluster.Commit("11:59");
        cluster.Commit("12:01");
        cluster.Idle("12:30");
    });

    private static readonly ModelCluster Plain = new(cluster =>
    {
        cluster.Commit("09:01");
        cluster.Backup("B1", "09:10", "09:20", meanwhile: () => cluster.Commit("09:15"));
        cluster.Commit("10:00");
        cluster.Point("before-import", "10:10");
        cluster.Abort("10:20");
        cluster.Commit("10:30");
        cluster.Idle("11:00");
    });

    [Fact]
    public async Task A_newer_backup_that_is_no_ancestor_of_the_branch_is_not_taken()
    {
        var target = await Killer.ResolveAsync(new TimeTarget(ModelCluster.Time("12:00")));

        Assert.Equal(
            (new Timeline(2), "B1", false, new Timeline(3)),
            (target.Timeline, Assert.Single(target.Backups), target.EndOfBranch, target.NewTimeline)
        );
        Assert.Equal([new(1), new(2)], target.Wal.Select(piece => piece.Timeline));
        Assert.Equal(
            (ModelCluster.Time("11:59"), ModelCluster.Time("12:01")),
            (target.LastKept!.At, target.FirstDropped!.At)
        );
        Assert.Equal("timeline 2 was live at 2026-11-24T12:00:00Z (from 2026-11-24T11:31:00Z until now)", target.Why);
    }

    [Fact]
    public async Task What_only_an_abandoned_branch_had_comes_back_with_that_branch()
    {
        var target = await Killer.ResolveAsync(new TimeTarget(ModelCluster.Time("11:10")));

        Assert.Equal(
            (new Timeline(1), "B2", true),
            (target.Timeline, Assert.Single(target.Backups), target.EndOfBranch)
        );
        Assert.Equal(
            "timeline 1 was live at 2026-11-24T11:10:00Z (from 2026-11-24T09:00:00Z to 2026-11-24T11:30:00Z); "
                + "nothing was committed on it later",
            target.Why
        );
    }

    /// <summary>Canon's regret: A on 1 → 2, regret; B, which only 1 had → 3, regret; C, which only 2 had → 4.</summary>
    [Fact]
    public async Task Regrets_go_back_and_forth_over_branches()
    {
        var (a, b, c) = (0u, 0u, 0u);
        var (afterA, afterB, afterC) = (default(Lsn), default(Lsn), default(Lsn));
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            a = cluster.Commit("09:10");
            afterA = cluster.Live.End;
            b = cluster.Commit("09:20");
            afterB = cluster.Live.End;
            cluster.Commit("09:30");
            cluster.Next(Recovery, "10:00", "10:01", new(1), afterA);
            c = cluster.Commit("10:10");
            afterC = cluster.Live.End;
            cluster.Commit("10:20");
            cluster.Next(Recovery, "11:00", "11:01", new(1), afterB);
            cluster.Commit("11:10");
            cluster.Next(Recovery, "12:00", "12:01", new(2), afterC);
            cluster.Commit("12:10");
            cluster.Idle("13:00");
        });

        async Task<(uint, uint)> Kept(string time) =>
            await cluster.ResolveAsync(new TimeTarget(ModelCluster.Time(time))) is var target
                ? (target.Timeline.Number, target.LastKept!.Xid)
                : default;

        Assert.Equal((1u, a), await Kept("09:15"));
        Assert.Equal((1u, b), await Kept("09:25"));
        Assert.Equal((2u, c), await Kept("10:15"));
        Assert.Equal((3u, b), await Kept("11:05"));
        Assert.Equal((4u, c), await Kept("12:05"));
        Assert.Equal(new Timeline(5), (await cluster.ResolveAsync(new LatestTarget())).NewTimeline);
        Assert.Equal(
            [new(1), new(2), new(4)],
            (await cluster.ResolveAsync(new LatestTarget())).Wal.Select(piece => piece.Timeline)
        );
    }

    [Fact]
    public async Task A_time_between_two_commits_ends_with_the_last_transaction_before_it()
    {
        var target = await Plain.ResolveAsync(new TimeTarget(ModelCluster.Time("10:25")));
        var rolledBack = Plain.Live.Records.Single(record => record.Kind is RecordKind.Abort);

        Assert.Equal(
            (ModelCluster.Time("10:00"), ModelCluster.Time("10:30")),
            (target.LastKept!.At, target.FirstDropped!.At)
        );
        Assert.Equal(rolledBack.End, target.End);
    }

    /// <summary>DROP DATABASE removes its files in a record before its commit; between the two another transaction may
    /// commit.</summary>
    [Fact]
    public async Task What_lies_before_the_first_dropped_commit_is_dropped_with_it()
    {
        uint dropping = 0,
            between = 0;
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            cluster.Commit("10:00");
            cluster.Remove(() => between = cluster.Commit("10:10"));
            dropping = cluster.Commit("10:20");
            cluster.Commit("10:30");
            cluster.Remove(() => { });
            cluster.Commit("10:40");
            cluster.Idle("11:00");
        });
        cluster.Removals[0] = cluster.Removals[0] with { Xid = dropping };
        var commits = cluster.Live.Records.Where(record => record.Kind is RecordKind.Commit).ToList();

        var before = await cluster.ResolveAsync(new TimeTarget(ModelCluster.Time("10:05")));
        var middle = await cluster.ResolveAsync(new TimeTarget(ModelCluster.Time("10:15")));
        var behind = await cluster.ResolveAsync(new TimeTarget(ModelCluster.Time("10:35")));
        var end = await cluster.ResolveAsync(new LatestTarget());

        Assert.Equal(
            (commits[0].End, commits[1].Xid, 0),
            (before.End, before.FirstDropped!.Xid, before.EarlyRemovals.Count)
        );
        Assert.Equal(
            (commits[1].End, between, cluster.Removals[0]),
            (middle.End, middle.LastKept!.Xid, Assert.Single(middle.EarlyRemovals))
        );
        Assert.Equal((commits[3].End, 0), (behind.End, behind.EarlyRemovals.Count));
        Assert.Equal(cluster.Removals[1], Assert.Single(end.EarlyRemovals)); // its transaction never ended
        Assert.Equal(
            $"at {middle.End} the files of database 5 (OID) are removed already, by transaction {dropping}, "
                + "which has not committed there: it is listed and can't be used; "
                + $"the position before that is {cluster.Removals[0].Lsn} on timeline 1",
            Assert.Single(TargetText.Warnings(middle).Select(HintText.Line))
        );
    }

    [Fact]
    public async Task The_first_later_record_in_WAL_order_counts_whatever_the_clocks_said()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            cluster.Commit("10:00");
            cluster.Commit("10:30"); // the clock was ahead
            cluster.Commit("10:10");
            cluster.Idle("11:00");
        });

        var target = await cluster.ResolveAsync(new TimeTarget(ModelCluster.Time("10:20")));

        Assert.Equal(
            (ModelCluster.Time("10:00"), ModelCluster.Time("10:30")),
            (target.LastKept!.At, target.FirstDropped!.At)
        );
    }

    [Fact]
    public async Task An_idle_tail_is_the_end_of_the_branch()
    {
        var target = await Plain.ResolveAsync(new TimeTarget(ModelCluster.Time("10:45")));

        Assert.Equal((true, Plain.Live.End, null), (target.EndOfBranch, target.End, target.FirstDropped));
    }

    [Theory]
    [InlineData(nameof(Failover), 2, false)]
    [InlineData(nameof(Switchover), 2, false)]
    [InlineData(Recovery, 1, true)]
    [InlineData("", 1, true)]
    public async Task Between_two_branches_a_failover_continues_and_a_recovery_does_not(
        string kind,
        int timeline,
        bool endOfBranch
    )
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            cluster.Commit("10:00");
            cluster.Next(kind, "11:00", "11:10");
            cluster.Commit("11:20");
            cluster.Idle("12:00");
        });

        var target = await cluster.ResolveAsync(new TimeTarget(ModelCluster.Time("11:05")));

        Assert.Equal((new Timeline((uint)timeline), endOfBranch), (target.Timeline, target.EndOfBranch));
        Assert.Equal(cluster.Timelines[1].Fork, target.End);
        Assert.Equal(ModelCluster.Time("10:00"), target.LastKept!.At);
    }

    [Fact]
    public async Task A_branch_asked_for_by_number_goes_through_its_ancestors()
    {
        var early = await Killer.ResolveAsync(new TimeTarget(ModelCluster.Time("09:30")) { Timeline = new(2) });
        var fork = await Killer.ResolveAsync(new TimeTarget(ModelCluster.Time("11:00")) { Timeline = new(2) });

        Assert.Equal((new Timeline(1), ModelCluster.Time("09:59")), (early.Timeline, early.FirstDropped!.At));
        Assert.Equal(
            (new Timeline(2), ModelCluster.Time("11:59"), ModelCluster.Time("09:59")),
            (fork.Timeline, fork.FirstDropped!.At, fork.LastKept!.At)
        );
        Assert.StartsWith(
            "timeline 1 ended at 2026-11-24T11:30:00Z, before 2026-11-24T12:00:00Z",
            await Killer.RefusalAsync(new TimeTarget(ModelCluster.Time("12:00")) { Timeline = new(1) }),
            StringComparison.Ordinal
        );
    }

    public static TheoryData<string, RecoveryTarget> Refused =>
        new()
        {
            {
                "2026-11-24T11:00:01Z is in the future: it is 2026-11-24T11:00:00Z; for all there is, ask for "
                    + "the latest",
                new TimeTarget(ModelCluster.Time("11:00:01"))
            },
            {
                "no branch is known to have been live at 2026-11-24T08:59:00Z; recoverable times: "
                    + "2026-11-24T09:20:00Z to 2026-11-24T11:00:00Z (timeline 1)",
                new TimeTarget(ModelCluster.Time("08:59"))
            },
            {
                "2026-11-24T09:05:00Z is not recoverable: there is no backup that ended before; the earliest on "
                    + "timeline 1 is 2026-11-24T09:20:00Z (BACKUP), the end of backup B1",
                new TimeTarget(ModelCluster.Time("09:05"))
            },
            {
                "2026-11-24T09:15:00Z is not recoverable: backup B1 had begun but not ended, and there is no older "
                    + "one; the earliest on timeline 1 is 2026-11-24T09:20:00Z (BACKUP), the end of backup B1",
                new TimeTarget(ModelCluster.Time("09:15"))
            },
            {
                "there is no restore point 'x'; there are: before-import (2026-11-24T10:10:00Z, timeline 1)",
                new PointTarget("x")
            },
            {
                "there is no backup 'x'; there are: B1 (ended 2026-11-24T09:20:00Z, BACKUP on timeline 1)",
                new BackupTarget("x")
            },
            { "0/9999 is beyond the end of timeline 1, which is END", new LsnTarget(new Lsn(0x9999)) },
            {
                "0/101 on timeline 1 is not recoverable: there is no backup that ended before; the earliest on "
                    + "timeline 1 is 2026-11-24T09:20:00Z (BACKUP), the end of backup B1",
                new LsnTarget(new Lsn(0x101))
            },
            {
                "there is no timeline 4; there are: 1",
                new LatestTarget { Timeline = new(4) }
            },
        };

    [Theory, MemberData(nameof(Refused))]
    public async Task Says_what_can_be_had_instead(string why, RecoveryTarget target) =>
        Assert.Equal(
            why.Replace("BACKUP", Plain.Contents.Backups[0].End.ToString(), StringComparison.Ordinal)
                .Replace("END", Plain.Live.End.ToString(), StringComparison.Ordinal),
            await Plain.RefusalAsync(target)
        );

    [Fact]
    public async Task Inside_a_backup_an_older_one_is_taken()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            cluster.Backup("B2", "10:00", "10:30", meanwhile: () => cluster.Commit("10:20"));
            cluster.Commit("10:40");
            cluster.Idle("11:00");
        });

        Assert.Equal(["B1"], (await cluster.ResolveAsync(new TimeTarget(ModelCluster.Time("10:10")))).Backups);
        Assert.Equal(["B2"], (await cluster.ResolveAsync(new TimeTarget(ModelCluster.Time("10:30")))).Backups);
    }

    [Fact]
    public async Task A_restore_point_a_backup_and_a_transaction_end_with_their_own_record()
    {
        var point = Plain.Contents.RestorePoints[0];
        var commits = Plain.Live.Records.Where(record => record.Kind is RecordKind.Commit).ToList();

        Assert.Equal((point.Lsn, false), await End(new PointTarget("before-import")));
        Assert.Equal((Plain.Contents.Backups[0].End, false), await End(new BackupTarget("B1")));
        Assert.Equal((commits[2].End, false), await End(new XidTarget(commits[2].Xid)));
        Assert.Equal((commits[^1].End, true), await End(new XidTarget(commits[^1].Xid)));
        Assert.Equal((commits[^1].End, true), await End(new LatestTarget()));
        Assert.Equal((commits[^1].End, true), await End(new LsnTarget(Plain.Live.End)));
        Assert.Equal((commits[^1].Lsn, false), await End(new LsnTarget(commits[^1].Lsn) { Timeline = new(1) }));

        async Task<(Lsn, bool)> End(RecoveryTarget target) =>
            await Plain.ResolveAsync(target) is var found ? (found.End, found.EndOfBranch) : default;
    }

    [Fact]
    public async Task A_transaction_that_was_rolled_back_or_is_on_no_asked_branch_is_refused()
    {
        var abort = Plain.Live.Records.Single(record => record.Kind is RecordKind.Abort);

        Assert.Equal(
            $"transaction {abort.Xid} did not commit: it was rolled back at 2026-11-24T10:20:00Z; {abort.Lsn} "
                + "is the position before that",
            await Plain.RefusalAsync(new XidTarget(abort.Xid))
        );
        Assert.StartsWith(
            "no commit of transaction 9999 is in the WAL of timeline 1 from ",
            await Plain.RefusalAsync(new XidTarget(9999)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_restore_point_of_another_branch_contradicts_the_timeline()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            var early = cluster.Live.End;
            cluster.Commit("09:30");
            cluster.Point("late", "09:40");
            cluster.Next(Recovery, "10:00", "10:01", new(1), early);
            cluster.Idle("11:00");
        });

        Assert.Equal(new Timeline(1), (await cluster.ResolveAsync(new PointTarget("late"))).Timeline);
        Assert.Equal(
            $"restore point late lies on timeline 1 at {cluster.Contents.RestorePoints[0].Lsn}, which timeline "
                + "2 does not lead through; leave the timeline out",
            await cluster.RefusalAsync(new PointTarget("late") { Timeline = new(2) })
        );
    }

    [Fact]
    public async Task An_incremental_backup_needs_all_that_it_builds_on()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("F1", "09:00", "09:05");
            cluster.Backup("I1", "09:10", "09:15", "F1");
            cluster.Backup("I2", "09:20", "09:25", "I1");
            cluster.Backup("I3", "09:30", "09:35", "gone");
            cluster.Commit("10:00");
            cluster.Idle("11:00");
        });

        Assert.Equal(["F1", "I1", "I2"], (await cluster.ResolveAsync(new LatestTarget())).Backups);
        Assert.Contains(
            "backup I3 can't be restored: gone, or one that it builds on, is not there",
            TimelineTree.From(cluster.Contents).Findings.Select(FindingText.Of)
        );
    }

    [Fact]
    public async Task An_incremental_backup_on_one_of_an_abandoned_branch_is_not_taken()
    {
        var contents = Killer.Contents;
        var stray = contents.Backups[0] with
        {
            Id = "I",
            Parent = "B2",
            WalRanges = [new(new(2), Killer.Live.Fork, Killer.Live.Records[0].End)],
        };

        var target = await Resolver.ResolveAsync(
            contents with
            {
                Backups = [.. contents.Backups, stray],
            },
            new LatestTarget(),
            Killer
        );
        var own = await Resolver.ResolveAsync(
            contents with
            {
                Backups = [.. contents.Backups, stray with { Parent = "B1" }],
            },
            new LatestTarget(),
            Killer
        );

        Assert.Equal(["B1", "B1", "I"], target.Backups.Concat(own.Backups));
    }

    [Fact]
    public async Task Missing_WAL_is_named_with_what_lies_before_and_behind_it()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            for (var minute = 10; minute < 40; minute++)
            {
                cluster.Commit($"09:{minute}");
            }

            cluster.Backup("B2", "10:00", "10:05");
            cluster.Commit("10:10");
            cluster.Idle("11:00");
        });
        var gap = cluster.Contents.Backups[0].End.Value / ModelCluster.SegmentSize + 2;
        var contents = cluster.Contents with
        {
            Segments = [new(new(1), 1, gap - 1), new(new(1), gap + 1, cluster.Contents.Segments[0].Last)],
        };

        var refusal = await Assert.ThrowsAsync<PgFlowException>(() =>
            Resolver.ResolveAsync(contents, new TimeTarget(ModelCluster.Time("09:38")), cluster)
        );
        var before = await Resolver.ResolveAsync(contents, new TimeTarget(ModelCluster.Time("09:11")), cluster);
        var behind = await Resolver.ResolveAsync(contents, new TimeTarget(ModelCluster.Time("10:06")), cluster);

        Assert.StartsWith(
            $"WAL is missing: 0000000100000000{gap:X8} is the first; recoverable instead: positions before "
                + $"{new Lsn(gap * ModelCluster.SegmentSize)} on timeline 1, what lies behind backup B2 (ended "
                + "2026-11-24T10:05:00Z, ",
            refusal.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(["B1", "B2"], before.Backups.Concat(behind.Backups));
        Assert.Contains(
            $"WAL is missing: timeline 1 lacks 0000000100000000{gap:X8} to 0000000100000000{gap:X8}",
            TimelineTree.From(contents).Findings.Select(FindingText.Of)
        );
    }

    /// <summary>The node died with its last segment; the winner's first one begins with a copy of it.</summary>
    [Fact]
    public async Task The_last_commits_of_a_lost_primary_are_read_from_its_successor()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            cluster.Commit("10:00");
            for (var minute = 1; cluster.Live.End.Value % ModelCluster.SegmentSize is < 100 or > 150; minute++)
            {
                cluster.Commit($"10:{minute:00}");
            }

            cluster.Next(nameof(Failover), "11:00", "11:01");
            cluster.Commit("11:10");
            cluster.Lose(new(1), cluster.Timelines[1].Fork.Value / ModelCluster.SegmentSize);
            cluster.Idle("12:00");
        });
        var lost = cluster.Timelines[0].Records[^1];

        var target = await cluster.ResolveAsync(new TimeTarget(lost.At.AddSeconds(-1)));
        var all = await cluster.ResolveAsync(new TimeTarget(ModelCluster.Time("10:59")));

        Assert.Equal(
            (new Timeline(2), cluster.Timelines[0].Records[^2].End, lost.Xid),
            (target.Timeline, target.End, target.FirstDropped!.Xid)
        );
        Assert.Equal(
            (new Timeline(2), lost.End, lost.Xid, false),
            (all.Timeline, all.End, all.LastKept!.Xid, all.EndOfBranch)
        );
        Assert.Equal(new Timeline(2), WalSegments.Along(target.Wal, ModelCluster.SegmentSize).Last().Timeline);
    }

    /// <summary>pitr.md §6.2: timeline 1 counts up to 0/4000000 only, and 2 was never read.</summary>
    [Fact]
    public void A_history_that_goes_back_makes_a_backup_beyond_unusable()
    {
        TimelineHistory history = new(new(3), [new(new(1), new(0x6000170)), new(new(2), new(0x4000000))]);
        var branch = new Branch(new(3), history, null);

        Assert.Equal(
            [new(new(1), default, new(0x4000000)), new(new(3), new(0x4000000), Lineage.Endless)],
            branch.Path()
        );
        Assert.False(branch.Path().Covers(new(new(1), new(0x4800000), new(0x5000000))));
        Assert.True(branch.Path().Covers(new(new(1), new(0x3800000), new(0x4000000))));
        Assert.Equal(
            (new Timeline(1), new Timeline(3)),
            (branch.Path().At(new(0x3FFFFFF)), branch.Path().At(new(0x4000000)))
        );
        Assert.Equal(
            "timeline 3: its history goes back from 0/6000170 (end of 1) to 0/4000000 (end of 2); the earlier "
                + "one counts",
            Assert.Single(
                TimelineTree
                    .From(
                        Killer.Contents with
                        {
                            Branches =
                            [
                                .. Killer.Contents.Branches,
                                branch with
                                {
                                    Opening = Killer.Contents.Branches[1].Opening,
                                },
                            ],
                        }
                    )
                    .Findings.Where(finding => finding.Code is FindingCode.HistoryContradicts)
                    .Select(FindingText.Of)
            )
        );
    }

    [Fact]
    public async Task A_backup_of_a_standby_that_crossed_a_promotion_needs_all_its_ranges()
    {
        var cluster = new ModelCluster(cluster =>
        {
            cluster.Backup("B1", "09:00", "09:05");
            cluster.Commit("09:30");
            cluster.Next(nameof(Switchover), "10:00", "10:00");
            cluster.Commit("10:10");
            cluster.Idle("11:00");
        });
        var (first, fork) = (cluster.Contents.Backups[0], cluster.Timelines[1].Fork);
        var crossed = first with
        {
            Id = "B2",
            StoppedAt = ModelCluster.Time("10:05"),
            WalRanges = [new(new(1), first.End, fork), new(new(2), fork, cluster.Timelines[1].Records[0].End)],
        };
        var foreign = crossed with
        {
            Id = "B3",
            WalRanges = [new(new(1), first.End, new(fork.Value + 1)), crossed.WalRanges[1]],
        };

        var target = await Resolver.ResolveAsync(
            cluster.Contents with
            {
                Backups = [first, crossed, foreign],
            },
            new LatestTarget(),
            cluster
        );

        Assert.Equal(("B2", new Timeline(1)), (Assert.Single(target.Backups), target.Wal[0].Timeline));
    }

    [Fact]
    public async Task A_branch_that_nobody_saw_open_is_chosen_by_its_number_only()
    {
        var contents = Killer.Contents with
        {
            Branches = [Killer.Contents.Branches[0], Killer.Contents.Branches[1] with { Opening = null }],
        };

        Assert.StartsWith(
            "which branch was live at 2026-11-24T12:00:00Z is not known: when timeline 2 was opened is not "
                + "known, so it can only be chosen by number (timeline 2)",
            await Refusal(new TimeTarget(ModelCluster.Time("12:00"))),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "which branch is live is not known: the ledger does not tell when timeline 2 was opened; name one "
                + "by its number (timeline)",
            await Refusal(new LatestTarget())
        );
        Assert.Equal(
            new Timeline(2),
            (
                await Resolver.ResolveAsync(
                    contents,
                    new TimeTarget(ModelCluster.Time("12:00")) { Timeline = new(2) },
                    Killer
                )
            ).Timeline
        );

        async Task<string> Refusal(RecoveryTarget target) =>
            (await Assert.ThrowsAsync<PgFlowException>(() => Resolver.ResolveAsync(contents, target, Killer))).Message;
    }

    [Fact]
    public async Task A_hole_in_the_numbers_is_refused_before_PostgreSQL_uses_it_again()
    {
        var contents = Killer.Contents with
        {
            Branches = [Killer.Contents.Branches[0], new(new(3), new(new(3), [new(new(1), new(0x150))]), null)],
        };

        var refusal = await Assert.ThrowsAsync<PgFlowException>(() =>
            Resolver.ResolveAsync(contents, new LatestTarget(), Killer)
        );

        Assert.Equal(
            "the history of timeline 2 is missing, and PostgreSQL would give that number to the new branch; "
                + "look: pgflow timeline model",
            Sample.Said(refusal)
        );
    }
}

internal static class Resolving
{
    public static Task<ResolvedTarget> ResolveAsync(this ModelCluster cluster, RecoveryTarget target) =>
        Resolver.ResolveAsync(cluster.Contents, target, cluster);

    public static async Task<string> RefusalAsync(this ModelCluster cluster, RecoveryTarget target)
    {
        var refusal = await Assert.ThrowsAsync<PgFlowException>(() => cluster.ResolveAsync(target));
        Assert.Equal(FailureTypes.Refused, refusal.Type);
        return refusal.Message;
    }
}

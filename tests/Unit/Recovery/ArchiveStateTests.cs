namespace PgFlow.UnitTests.Recovery;

public sealed class ArchiveStateTests
{
    /// <summary>F1 and F2 on 1; recovered to before F2.</summary>
    private static readonly RepositoryContents Contents = new ModelCluster(cluster =>
    {
        cluster.Backup("F1", "09:00", "09:05");
        Fill(cluster, 9);
        var early = cluster.Live.End;
        cluster.Backup("F2", "10:00", "10:05");
        cluster.Next("RecoverCluster", "11:00", "11:01", new(1), early);
        Fill(cluster, 11);
    }).Contents;

    [Fact]
    public void Names_the_newest_backup_that_leads_to_the_live_branch()
    {
        var state = ArchiveState.Of(Contents);

        Assert.Equal(
            (new Timeline(2), "F1", new Timeline(1)),
            (state.Live!.Value, state.Backup!.Id, state.Backup.Timeline)
        );
        Assert.Null(state.Backup.VerifiedAt);
        Assert.Null(state.Missing);
        Assert.Empty(state.Gaps);
    }

    [Fact]
    public void What_was_never_verified_is_unverified_since_there_is_anything_to_recover()
    {
        // F1, which is the first that is kept, has not been the first
        var opened = Contents.Backups[0].StoppedAt.AddDays(-30);
        var branch = Contents.Branches[0];
        var old = Contents with
        {
            Branches =
            [
                branch with
                {
                    Opening = new(null, branch.Timeline, null, new(0), opened, "init-demo", "Initdb"),
                },
                .. Contents.Branches.Skip(1),
            ],
        };
        Assert.Equal(opened, ArchiveState.Of(old).UnverifiedSince);
        Assert.Null(ArchiveState.Of(old with { Backups = [] }).UnverifiedSince);

        var verified = opened.AddDays(29);
        var backups = old.Backups.Select(backup => backup with { VerifiedAt = verified });
        Assert.Equal(verified, ArchiveState.Of(old with { Backups = [.. backups] }).UnverifiedSince);
    }

    [Fact]
    public void A_gap_behind_the_backup_is_missing_one_before_it_is_only_a_gap()
    {
        var fork = Contents.Branches[1].Path()[^1].Start;
        var lost = fork.Value / ModelCluster.SegmentSize - 1;
        var name = WalSegments.Name(new(1), lost, ModelCluster.SegmentSize);
        var without = ArchiveState.Of(Lacking(lost));
        var newer = ArchiveState.Of(
            Lacking(lost) with
            {
                Backups =
                [
                    .. Contents.Backups,
                    Contents.Backups[0] with
                    {
                        Id = "F3",
                        WalRanges = [new(new(2), fork, new(fork.Value + 1))],
                    },
                ],
            }
        );

        Assert.Equal(("F1", name), (without.Backup!.Id, without.Missing));
        Assert.Equal(("F3", null), (newer.Backup!.Id, newer.Missing));
        Assert.All([without, newer], state => Assert.Equal(new(new(1), name, name), Assert.Single(state.Gaps)));
    }

    [Fact]
    public void Without_backup_or_ledger_says_that_there_is_none()
    {
        var only = ArchiveState.Of(Contents with { Backups = [Contents.Backups[1]] });
        var dark = ArchiveState.Of(
            Contents with
            {
                Branches = [.. Contents.Branches.Select(branch => branch with { Opening = null })],
            }
        );

        Assert.Equal((new Timeline(2), null), (only.Live!.Value, only.Backup));
        Assert.Equal((null, null), (dark.Live, dark.Backup));
    }

    private static RepositoryContents Lacking(ulong segment) =>
        Contents with
        {
            Segments =
            [
                .. Contents.Segments.SelectMany(run =>
                    run.Timeline.Number == 1 && run.First < segment && segment < run.Last
                        ? [run with { Last = segment - 1 }, run with { First = segment + 1 }]
                        : new[] { run }
                ),
            ],
        };

    private static void Fill(ModelCluster cluster, int hour)
    {
        for (var minute = 10; minute < 59; minute++)
        {
            cluster.Commit($"{hour:00}:{minute}");
        }
    }
}

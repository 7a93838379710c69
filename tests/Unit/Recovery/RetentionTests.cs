namespace PgFlow.UnitTests.Recovery;

public sealed class RetentionTests
{
    /// <summary>F1, I1, F2 on 1; recovered to before F2; F3 and F4 on 2.</summary>
    private static readonly RepositoryContents Contents = new ModelCluster(cluster =>
    {
        cluster.Backup("F1", "09:00", "09:05");
        cluster.Commit("09:10");
        cluster.Backup("I1", "09:20", "09:25", "F1");
        var early = cluster.Live.End;
        Fill(cluster, 9);
        cluster.Backup("F2", "10:00", "10:05");
        cluster.Next("RecoverCluster", "11:00", "11:01", new(1), early);
        Fill(cluster, 11);
        cluster.Backup("F3", "12:00", "12:05");
        Fill(cluster, 12);
        cluster.Backup("F4", "13:00", "13:05");
        cluster.Idle("14:00");
    }).Contents;

    [Theory]
    [InlineData(1, null, "F1, I1: newer ones are enough for timeline 1, 2 | F3: newer ones are enough for timeline 2")]
    [InlineData(2, null, "")]
    [InlineData(null, 12.5, "")]
    [InlineData(null, 3.1, "")]
    [InlineData(null, 2.0, "F2: it leads to no branch that the policy keeps")]
    [InlineData(
        null,
        1.9,
        "F1, I1: newer ones are enough for timeline 2 | F2: it leads to no branch that the policy keeps"
    )]
    [InlineData(
        null,
        0.1,
        "F1, I1, F3: newer ones are enough for timeline 2 | F2: it leads to no branch that the policy keeps"
    )]
    [InlineData(
        2,
        0.1,
        "F1, I1: newer ones are enough for timeline 2 | F2: it leads to no branch that the policy keeps"
    )]
    [InlineData(null, null, "")]
    public void Keeps_what_the_policy_promises(int? keep, double? hours, string expected)
    {
        var retention = Retention.Of(Contents, new(keep, hours is { } window ? TimeSpan.FromHours(window) : null));

        Assert.Equal(
            expected,
            string.Join(
                " | ",
                retention
                    .Backups.GroupBy(gone => gone.Why)
                    .Select(gone => $"{string.Join(", ", gone.Select(one => one.What))}: {gone.Key}")
            )
        );
    }

    [Fact]
    public void Lets_go_the_WAL_before_the_first_kept_backup_of_each_branch()
    {
        var retention = Retention.Of(Contents, new(null, TimeSpan.FromHours(1.9)));

        var (one, two) = (Contents.Segments[0], Contents.Segments[1]);
        var first =
            Contents.Backups.Single(backup => backup.Id == "F3").WalRanges[0].Start.Value / ModelCluster.SegmentSize;
        Assert.Equal([one, two with { Last = first - 1 }], retention.Segments);
        Assert.Equal(
            ["no kept backup leads to timeline 1", "F3 is the first kept backup on the way to timeline 2"],
            retention.Wal.Select(gone => gone.Why)
        );
        Assert.Equal($"0000000100000000{one.First:X8} to 0000000100000000{one.Last:X8}", retention.Wal[0].What);
    }

    private static void Fill(ModelCluster cluster, int hour)
    {
        for (var minute = 30; minute < 59; minute++)
        {
            cluster.Commit($"{hour:00}:{minute}");
        }
    }
}

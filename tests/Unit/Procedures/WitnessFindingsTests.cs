using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

/// <summary>What the witness finds of a cluster whose primary is well, and when that is news.</summary>
public sealed class WitnessFindingsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private static readonly Finding Gone = new(FindingCode.ContainerMissing, Healthy().Nodes[1].Id, "missing");

    private static readonly Finding Lost = new(FindingCode.SlotLost, Healthy().Nodes[0].Id, "p2 is lost");

    private static ArchiveState Archive { get; } =
        new()
        {
            Live = new(1),
            Backup = new("B1", Noon.AddDays(-30), new(1), VerifiedAt: null),
            UnverifiedSince = Noon.AddDays(-6),
        };

    [Fact]
    public void Nothing_is_found_in_a_healthy_cluster() => Assert.Empty(Of(Healthy(), Archive)!);

    [Fact]
    public void A_standby_that_is_gone_is_found() =>
        Assert.Contains(Of(Healthy().With(2, Missing), Archive)!, one => one.Node == Healthy().Nodes[1].Id);

    [Fact]
    public void An_archiver_that_fails_is_found()
    {
        var archiver = new ArchiverState(LastArchived: null, "000000010000000000000007", Waiting: 1, Failures: 3);
        Assert.Equal(FindingCode.ArchiverFails, Only(Healthy().With(1, node => node with { Archiver = archiver })));
    }

    [Fact]
    public void A_volume_that_runs_full_is_found()
    {
        Assert.Equal(FindingCode.VolumeLow, Only(Archive with { Low = [new("p1", 1L << 30, 100L << 30)] }));
        Assert.Equal(FindingCode.VolumeFull, Only(Archive with { Full = [new("p1", 4096, 100L << 30)] }));
    }

    [Fact]
    public void A_repository_that_can_not_be_read_is_found() =>
        Assert.Equal(FindingCode.RepositoryUnreadable, Only(new ArchiveState { Unreadable = "Input/output error" }));

    [Fact]
    public void That_no_backup_was_verified_for_long_is_found()
    {
        var archive = Archive with { UnverifiedSince = Noon.AddDays(-8) };
        Assert.Equal(FindingCode.BackupUnverified, Only(archive));
        Assert.Equal(
            "no backup was verified since 2026-11-20T12:00:00Z; verify one: pgflow verify demo",
            HintText.Line(Of(Healthy(), archive)![0])
        );
    }

    [Fact]
    public void Where_the_primary_is_what_is_wrong_the_verdict_says_so()
    {
        Assert.Null(Of(Healthy().With(1, Stopped), Archive));
        Assert.Null(Of(Healthy().With(2, node => node with { Role = NodeRole.Primary }), Archive));
    }

    [Fact]
    public void What_is_found_once_is_no_news() => Assert.Equal([null, null, null], News([], [Gone], [], [Gone]));

    [Fact]
    public void What_is_found_twice_is_news() => Assert.Equal([null, "p2", "p2"], News([], [Gone], [Gone], [Gone]));

    [Fact]
    public void What_is_known_is_none_whatever_its_numbers() =>
        Assert.Equal([null, null], News([Gone], [Gone with { Detail = "a" }], [Gone with { Detail = "b" }]));

    [Fact]
    public void What_is_missed_once_is_no_news() => Assert.Equal([null, null, null], News([Gone], [Gone], [], [Gone]));

    [Fact]
    public void What_news_rests_on_is_read_again_before_it_is_told()
    {
        var findings = new WitnessFindings([]);
        Assert.False(findings.IsInDoubt);
        findings.After([Gone]);
        Assert.True(findings.IsInDoubt);
        findings.After([]);
        Assert.False(findings.IsInDoubt);
    }

    [Fact]
    public void What_is_missed_twice_is_over() => Assert.Equal([null, ""], News([Gone], [], []));

    [Fact]
    public void News_names_all_that_is_found()
    {
        Assert.Equal([null, "p1 p2"], News([Gone], [Gone, Lost, Lost], [Lost, Gone]));
        Assert.Equal([null, null], News([Gone, Lost], [Gone, Lost, Lost], [Lost, Gone]));
    }

    [Fact]
    public void Another_volume_or_slot_is_news_though_the_kind_is_known()
    {
        var repository = new Finding(FindingCode.VolumeLow) { Subject = "repository" };
        var findings = new WitnessFindings([repository]);
        var both = new[] { repository, repository with { Subject = "p1" } };
        Assert.Null(findings.After(both));
        Assert.True(findings.IsInDoubt);
        Assert.Equal(2, findings.After(both)!.Count);
    }

    [Fact]
    public void What_was_found_before_nobody_looked_counts_for_nothing()
    {
        var findings = new WitnessFindings([]);
        Assert.Null(findings.After([Gone]));
        findings.Forget();
        Assert.Null(findings.After([Gone]));
        Assert.NotNull(findings.After([Gone]));
    }

    [Theory]
    [InlineData(4, 100, true)]
    [InlineData(5, 100, false)]
    [InlineData(11, 1000, false)]
    [InlineData(9, 1000, true)]
    public void A_volume_runs_full_below_a_twentieth_and_ten_gigabytes(int free, int size, bool runsFull) =>
        Assert.Equal(runsFull, new VolumeSpace("p1", (long)free << 30, (long)size << 30).IsLow);

    private static IReadOnlyList<Finding>? Of(ClusterState state, ArchiveState archive) =>
        WitnessFindings.Of(state, archive, TimeSpan.FromDays(7), Noon);

    private static FindingCode Only(ClusterState state) => Assert.Single(Of(state, Archive)!).Code;

    private static FindingCode Only(ArchiveState archive) => Assert.Single(Of(Healthy(), archive)!).Code;

    /// <summary>The nodes of what each inspection makes known; null where it is no news.</summary>
    private static IEnumerable<string?> News(Finding[] known, params Finding[][] inspections)
    {
        var findings = new WitnessFindings(known);
        return
        [
            .. inspections.Select(found =>
                findings.After(found) is { } news
                    ? string.Join(' ', news.Select(one => one.Node!.Value.Name).Distinct().Order())
                    : null
            ),
        ];
    }
}

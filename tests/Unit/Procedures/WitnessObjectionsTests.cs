using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

/// <summary>What keeps the witness from a failover although the primary is down.</summary>
public sealed class WitnessObjectionsTests
{
    private const long Most = 16 * 1024 * 1024;

    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private static readonly WitnessVerdict Down = new(WitnessFinding.Down, P(1), [])
    {
        Seen = new(P(1), Noon, new(0x5000000), [P(2), P(3)]),
    };

    private static ClusterState Crashed { get; } = Healthy().With(1, Stopped);

    [Fact]
    public void Nothing_where_the_primary_is_down_and_the_standbys_have_what_it_had() => Assert.Empty(To(Crashed));

    [Fact]
    public void Nothing_where_another_node_is_missing_or_stopped() => Assert.Empty(To(Crashed.With(3, Missing)));

    [Fact]
    public void A_primary_that_accepts_writes_again() => Assert.Equal("p1 accepts writes", Only(Healthy()));

    [Fact]
    public void A_primary_that_a_procedure_has_fenced() =>
        Assert.Contains("restart policy no", Only(Crashed.With(1, node => node with { RestartPolicy = "no" })));

    [Fact]
    public void A_primary_whose_container_is_gone() => Assert.NotEmpty(To(Healthy().With(1, Missing)));

    [Fact]
    public void A_primary_whose_container_runs() => Assert.Contains("unreachable", Only(Healthy().With(1, Hung)));

    [Fact]
    public void Nodes_that_disagree_on_who_is_a_member()
    {
        var state = Crashed
            .With(1, node => node with { Members = [P(1), P(2), P(3)] })
            .With(2, node => node with { Members = [P(1), P(2)] })
            .With(3, node => node with { Members = [P(1), P(2), P(3)] });
        Assert.Contains("other members in its settings (p1, p2)", Only(state));
    }

    [Fact]
    public void A_node_that_nobody_has_named()
    {
        var state = Crashed.With(1, node => node with { Members = [P(1), P(2)] });
        Assert.Contains("p3 is there and is no member", Only(state));
    }

    [Fact]
    public void A_setting_of_the_candidate_that_something_overrides() =>
        Assert.Contains(Overridden, Only(Crashed.With(2, node => node with { Drift = [Override] })));

    [Fact]
    public void More_loss_than_allowed()
    {
        var far = Down with { Seen = Down.Seen! with { Wal = new(0x5000000 + Most + 1) } };
        Assert.Contains("16 MB of WAL would be lost, more than", Assert.Single(To(Crashed, far)));
        Assert.Empty(To(Crashed, Down with { Seen = Down.Seen! with { Wal = new(0x5000000 + Most) } }));
    }

    [Fact]
    public void The_loss_is_that_of_whoever_would_take_over()
    {
        var far = Down with { Seen = Down.Seen! with { Wal = new(0x5000000 + Most + 1) } };
        Assert.Equal(Most + 1, WitnessObjections.LossOf(far, Crashed));
        Assert.Equal(
            1,
            WitnessObjections.LossOf(far, Crashed.With(3, node => node with { Wal = new(0x5000000 + Most) }))
        );
    }

    [Fact]
    public void A_loss_that_nobody_knows() =>
        Assert.Contains(
            "nobody can tell how much would be lost",
            Assert.Single(To(Crashed, Down with { Seen = null }))
        );

    [Fact]
    public void Another_automatic_failover_within_ten_minutes()
    {
        Assert.Contains(
            "less than 10 min ago",
            Assert.Single(WitnessObjections.To(Down, Crashed, Most, Noon, Noon.AddMinutes(-9), room: null))
        );
        Assert.Empty(WitnessObjections.To(Down, Crashed, Most, Noon, Noon.AddMinutes(-10), room: null));
    }

    [Fact]
    public void A_full_disk_or_one_that_nobody_can_look_at()
    {
        Assert.Contains("p1's volume has 9 bytes left", With(new() { Full = [new("p1", 9, 1L << 40)] }));
        Assert.Equal("nobody can tell whether a volume is full: it hangs", With(new() { Unreadable = "it hangs" }));

        static string With(ArchiveState room) =>
            Assert.Single(WitnessObjections.To(Down, Crashed, Most, Noon, last: null, room));
    }

    [Fact]
    public void What_the_primary_wrote_when_nobody_looked()
    {
        var ahead = Crashed.With(1, node => node with { Wal = new(0x7000001) });
        Assert.Contains("32 MB of WAL would be lost", Only(ahead));
    }

    [Fact]
    public void No_standby_that_could_take_over() =>
        Assert.Contains("no standby answers", Only(Crashed.With(2, Stopped).With(3, Hung)));

    private static string Only(ClusterState state) => Assert.Single(To(state));

    private static IReadOnlyList<string> To(ClusterState state, WitnessVerdict? verdict = null) =>
        WitnessObjections.To(verdict ?? Down, state, Most, Noon, last: null, room: null);
}

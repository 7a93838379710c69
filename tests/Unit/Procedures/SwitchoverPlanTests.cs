using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class SwitchoverPlanTests
{
    public static TheoryData<string, ClusterState, SwitchoverInput> Refused =>
        new()
        {
            { "there is no cluster demo; make it: pgflow init demo", Nothing, To(2) },
            { "demo has no node p9; it has p1, p2, p3", Healthy(), To(9) },
            {
                "no node of demo accepts writes; make a node the primary: pgflow failover demo",
                Healthy().With(1, Stopped),
                To(2)
            },
            {
                "p1, p2 both accept writes; fence the wrong one: pgflow failback demo NODE",
                Healthy().With(2, node => node with { Role = NodeRole.Primary }),
                To(3)
            },
            { "p2 is no running standby (stopped, container exited)", Healthy().With(2, Stopped), To(2) },
            { "p2 does not stream from p1", Healthy().WithFollower(2, _ => null), To(2) },
            { "p2 does not stream from p1", Healthy().WithFollower(2, row => row with { State = "catchup" }), To(2) },
            {
                "p2 is 32 MB behind p1",
                Healthy().WithFollower(2, row => row with { LagBytes = 32 * 1024 * 1024 }),
                To(2)
            },
            {
                "replay is paused on p2; resume it with: SELECT pg_wal_replay_resume()",
                Healthy().With(2, node => node with { ReplayPaused = true }),
                To(2)
            },
            {
                "p2 belongs to another system (75)",
                Healthy().With(2, node => node with { SystemIdentifier = "75" }),
                To(2)
            },
            {
                "p2 replays 1h later by its setting recovery_min_apply_delay; it takes part in role changes "
                    + "and can't become the primary by a switchover; ALTER SYSTEM RESET recovery_min_apply_delay",
                Healthy().With(2, node => node with { ApplyDelay = "1h" }),
                To(2)
            },
            {
                "p1 can't archive 000000010000000000000005 (2 failed attempts; 3 files wait, the first for 10 "
                    + "min); see its log: docker logs pgflow-demo-p1; go on all the same: pgflow switchover "
                    + "demo --to p2 --force",
                WithBrokenArchive,
                To(2)
            },
            { $"p2: {Overridden}", Healthy().With(2, node => node with { Drift = [Override] }), To(2) },
            {
                "p3 is no running standby (unreachable: no answer within 2 s); go on all the same: pgflow "
                    + "switchover demo --to p2 --force",
                Healthy().With(3, Hung).WithFollower(3, _ => null),
                To(2)
            },
            {
                "replay is paused on p3; resume it with: SELECT pg_wal_replay_resume(); go on all the same: pgflow "
                    + "switchover demo --to p2 --force",
                Healthy().With(3, node => node with { ReplayPaused = true }),
                To(2)
            },
            {
                "demo has no running standby; p2 is stopped, container exited",
                Healthy(2).With(2, Stopped),
                new() { Cluster = Cluster }
            },
        };

    [Theory, MemberData(nameof(Refused))]
    public void Says_what_stands_against_it(string why, ClusterState state, SwitchoverInput input)
    {
        var refusal = Assert.Throws<PgFlowException>(() => SwitchoverPlan.From(input, state));
        Assert.Equal((FailureTypes.Refused, why), (refusal.Type, Sample.Said(refusal)));
        Assert.True(refusal.IsFinal);
    }

    [Fact]
    public void By_force_a_broken_archive_is_a_warning() =>
        Assert.Equal(
            [
                "p1 can't archive 000000010000000000000005 (2 failed attempts; 3 files wait, the first for 10 "
                    + "min); see its log: docker logs pgflow-demo-p1",
                "p1 stays down until the archive has taken what it kept",
            ],
            SwitchoverPlan.From(To(2) with { Force = true }, WithBrokenArchive).Warnings.Select(HintText.Line)
        );

    [Fact]
    public void Slots_of_others_that_do_not_go_along_are_named_and_a_delayed_third_node_takes_part()
    {
        Slot[] slots =
        [
            new("p2", Active: true, "reserved"),
            new("theirs", false, "reserved"),
            new("plain", false, "reserved", Logical: true),
            new("synced", false, "reserved", Logical: true, Failover: true),
            new("late", false, "reserved", Logical: true, Failover: true),
        ];
        var plan = SwitchoverPlan.From(
            To(2),
            Healthy()
                .With(1, node => node with { Slots = slots })
                .With(
                    2,
                    node =>
                        node with
                        {
                            Slots = [new("synced", false, "reserved", Logical: true, Failover: true, Synced: true)],
                        }
                )
                .With(3, node => node with { ApplyDelay = "1h" })
        );
        Assert.Equal(
            [
                "physical slot theirs of p1 does not go along; make it again on the new primary for whoever "
                    + "reads from it",
                "logical slot plain of p1 does not go along; from PostgreSQL 17 on, one made with failover = true does",
                "logical slot late of p1 does not go along: it is not on p2 (sync_replication_slots and "
                    + "hot_standby_feedback must be on there)",
            ],
            plan.Warnings.Select(HintText.Line)
        );
        Assert.Equal([P(3)], plan.Followers.Select(node => node.Name));
    }

    private static ClusterState WithBrokenArchive =>
        Healthy()
            .With(
                1,
                node =>
                    node with
                    {
                        Archiver = new(
                            "000000010000000000000004",
                            "000000010000000000000005",
                            3,
                            Failures: 2,
                            WaitingSeconds: 600
                        ),
                    }
            );

    [Fact]
    public void Says_all_of_it_at_once()
    {
        var state = Healthy().With(2, node => node with { ReplayPaused = true, Drift = [Override] }).With(3, Stopped);
        Assert.Equal(
            3,
            Sample
                .Said(Assert.Throws<PgFlowException>(() => SwitchoverPlan.From(To(2), state)))
                .Split("; ")
                .Count(reason =>
                    !reason.StartsWith("resume", StringComparison.Ordinal)
                    && !reason.StartsWith("go on", StringComparison.Ordinal)
                )
        );
    }

    [Fact]
    public void Takes_the_standby_that_has_replayed_most()
    {
        var state = Healthy().With(3, node => node with { Replayed = new(0x5000001) });
        Assert.Equal(P(3), SwitchoverPlan.From(new() { Cluster = Cluster }, state).Candidate.Name);
        Assert.Equal(
            P(2),
            SwitchoverPlan
                .From(
                    new() { Cluster = Cluster, Force = true },
                    state.With(3, node => node with { ReplayPaused = true })
                )
                .Candidate.Name
        );
    }

    [Fact]
    public void Goes_on_by_force_without_a_hung_third_node_which_keeps_its_slot()
    {
        var plan = SwitchoverPlan.From(To(2) with { Force = true }, Healthy().With(3, Hung).WithFollower(3, _ => null));

        Assert.Empty(plan.Followers);
        Assert.Equal([P(1), P(3)], plan.AllOthers.Select(node => node.Name));
        Assert.Equal(
            [
                "p3 does not take part: p3 is no running standby (unreachable: no answer within 2 s); "
                    + "afterwards: pgflow failback demo p3",
            ],
            plan.Warnings.Select(HintText.Line)
        );
    }

    [Fact]
    public void Force_does_not_take_a_candidate_that_is_not_ready() =>
        Assert.Throws<PgFlowException>(() =>
            SwitchoverPlan.From(To(2) with { Force = true }, Healthy().WithFollower(2, _ => null))
        );

    [Fact]
    public void A_third_node_that_lags_takes_part() =>
        Assert.Equal(
            [P(3)],
            SwitchoverPlan
                .From(To(2), Healthy().WithFollower(3, row => row with { LagBytes = 1L << 30 }))
                .Followers.Select(node => node.Name)
        );

    [Fact]
    public void To_the_primary_there_is_nothing_to_do()
    {
        var plan = SwitchoverPlan.From(To(1), Healthy().With(3, Stopped));
        Assert.True(plan.NothingToDo);
        Assert.Equal("p1 is the primary of demo already; nothing was done", plan.Summary);
    }

    [Fact]
    public void To_a_primary_that_is_not_in_its_place_is_refused_with_the_way_to_it() =>
        Assert.Equal(
            "p1 is the primary of demo already, but not as it should be: the virtual IP is on no node, not on "
                + "the primary p1; put it right: pgflow repair demo",
            Sample.Said(
                Assert.Throws<PgFlowException>(() =>
                    SwitchoverPlan.From(To(1), Healthy().With(1, node => node with { Endpoint = EndpointRole.None }))
                )
            )
        );

    [Fact]
    public void Knows_what_the_cluster_is_meant_to_be()
    {
        var plan = SwitchoverPlan.From(To(2), Healthy().With(1, node => node with { Quorum = 1, ReadOnly = true }));

        Assert.Equal((1, true), (plan.Intent.Quorum, plan.Intent.ReadOnly));
        Assert.Equal([P(1), P(3)], plan.WhoConfirms.Select(node => node.Name));
        Assert.Empty(SwitchoverPlan.From(To(2), Healthy(2)).WhoConfirms); // only the old primary could, which stops
    }

    [Fact]
    public void An_approval_stands_for_what_will_be_done()
    {
        var plan = SwitchoverPlan.From(To(2), Healthy());
        static string Hash(Plan plan, string id = "stop", string title = "p1 stopped") =>
            plan.View([new(id, title)]).Hash;

        Assert.Equal(
            Hash(plan),
            Hash(
                SwitchoverPlan.From(To(2), Healthy()) with
                {
                    Summary = "in other words",
                    Facts = ["lag 5 bytes"],
                },
                title: "p1 is stopped"
            )
        );
        Assert.NotEqual(Hash(plan), Hash(plan, id: "fence"));
        Assert.NotEqual(Hash(plan), Hash(SwitchoverPlan.From(To(3), Healthy())));
    }

    private static SwitchoverInput To(int number) => new() { Cluster = Cluster, To = P(number) };
}

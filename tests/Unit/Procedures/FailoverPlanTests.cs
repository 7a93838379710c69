using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class FailoverPlanTests
{
    private static readonly FailoverInput Any = new() { Cluster = Cluster };

    public static TheoryData<string, ClusterState, FailoverInput> Refused =>
        new()
        {
            { "there is no cluster demo; make it: pgflow init demo", Nothing, Any },
            {
                "p1 is healthy and accepts writes; make another node the primary: pgflow switchover demo; go on "
                    + "all the same: pgflow failover demo --force",
                Healthy(),
                Any
            },
            { "p1 is the primary already", Healthy(), Any with { To = P(1), Force = true } },
            {
                "p2 is no running standby (stopped, container exited)",
                Healthy().With(1, Stopped).With(2, Stopped),
                Any with
                {
                    To = P(2),
                }
            },
            {
                "no standby answers: p1 is stopped, container exited; p2 is unreachable: no answer within 2 s",
                Healthy(2).With(1, Stopped).With(2, Hung),
                Any
            },
            {
                "replay is paused on p3; resume it with: SELECT pg_wal_replay_resume()",
                Healthy().With(1, Stopped).With(3, node => node with { ReplayPaused = true }),
                Any
            },
            {
                "p3 can't replay any more: its max_connections is 100, the primary's 150; there: ALTER SYSTEM "
                    + "SET max_connections = 150; then docker restart pgflow-demo-p3 (to resume replay would end the "
                    + "server)",
                Healthy()
                    .With(1, Stopped)
                    .With(3, node => node with { ReplayPaused = true, TooLow = [new("max_connections", 100, 150)] }),
                Any
            },
            { $"p2: {Overridden}", Healthy().With(1, Stopped).With(2, node => node with { Drift = [Override] }), Any },
        };

    [Theory, MemberData(nameof(Refused))]
    public void Says_what_stands_against_it(string why, ClusterState state, FailoverInput input) =>
        Assert.Equal((FailureTypes.Refused, why), Refusal(() => Plan(input, state)));

    [Fact]
    public void Fences_the_lost_primary_and_takes_who_has_most()
    {
        var plan = Plan(Any, Healthy().With(1, Stopped).With(3, node => node with { Wal = new(0x5000001) }));

        Assert.Equal(
            [
                new(
                    new(Cluster, P(1)),
                    WasRunning: false,
                    WasStandby: false,
                    WasMarked: false,
                    WasFenced: false,
                    EndpointRole.ReadWrite
                ),
            ],
            plan.Lost
        );
        Assert.Equal([P(2), P(3)], plan.Survivors.Select(node => node.Name));
        Assert.Equal(P(3), plan.Likely.Node.Name);
        Assert.Equal("p3 becomes the primary of demo; p1 fenced", plan.Summary);
        Assert.Empty(plan.Warnings.Select(HintText.Line));
    }

    [Fact]
    public void An_abandoned_branch_is_no_candidate_however_high_its_number_and_its_WAL()
    {
        // p2 was left behind on timeline 3, from which the cluster was recovered to 4 off timeline 2.
        var live = History(4, (1, 0x3000000), (2, 0x4000000));
        var state = Healthy()
            .With(1, node => Stopped(node) with { Timeline = new(4) })
            .With(
                2,
                node =>
                    node with
                    {
                        Timeline = new(3),
                        History = History(3, (1, 0x3000000), (2, 0x5000000)),
                        Wal = new(0x9000000),
                        Replayed = new(0x9000000),
                    }
            )
            .With(3, node => node with { Timeline = new(4), History = live });
        var plan = FailoverPlan.From(Any, state, new(live));

        Assert.Equal(P(3), plan.Likely.Node.Name);
        Assert.Equal([P(3)], plan.Survivors.Select(node => node.Name));
        Assert.Equal(
            [
                "p2 is on timeline 3, which is not part of the live one, 4, so it is no candidate; afterwards: "
                    + "pgflow failback demo p2",
            ],
            plan.Warnings.Select(HintText.Line)
        );
        Assert.False(plan.IsContested);
        Assert.Equal(
            (
                FailureTypes.Refused,
                "p2 is on timeline 3, which is not part of the live one, 4: p2 can't go on with it; go on "
                    + "all the same: pgflow failover demo --to p2 --force"
            ),
            Refusal(() => FailoverPlan.From(Any with { To = P(2) }, state, new(live)))
        );
        Assert.Equal(P(2), FailoverPlan.From(Any with { To = P(2), Force = true }, state, new(live)).Likely.Node.Name);
    }

    [Fact]
    public void A_namesake_of_the_live_branch_is_no_candidate()
    {
        var live = History(2, (1, 0x4000000));
        var plan = FailoverPlan.From(
            Any,
            Healthy()
                .With(1, node => Stopped(node) with { Timeline = new(2) })
                .With(2, node => node with { Timeline = new(2), History = live })
                .With(3, node => node with { Timeline = new(2), History = History(2, (1, 0x3000000)) }),
            new(live)
        );
        Assert.Equal([P(2)], plan.Survivors.Select(node => node.Name));
        Assert.Equal(
            [
                "p3 is on another timeline 2 than the live one: two promotions took the same number, so it is "
                    + "no candidate; afterwards: pgflow failback demo p3",
            ],
            plan.Warnings.Select(HintText.Line)
        );
    }

    [Fact]
    public void A_standby_that_is_behind_the_fork_is_a_candidate_and_alone_only_by_force()
    {
        var live = History(2, (1, 0x6000000));
        var state = Healthy(2).With(1, node => Stopped(node) with { Timeline = new(2) });
        var plan = FailoverPlan.From(Any, state, new(live));
        Assert.True(plan.IsContested);
        Assert.Equal(
            (
                FailureTypes.Refused,
                "p2 has nothing of timeline 2, the live one: all that was committed there would be lost; go "
                    + "on all the same: pgflow failover demo --force"
            ),
            Refusal(() => plan.Decide([Candidate(2, 0x5000000)]))
        );
        Assert.Single(
            FailoverPlan.From(Any with { Force = true }, state, new(live)).Decide([Candidate(2, 0x5000000)]).Risks
        );
        Assert.Empty(plan.Decide([Candidate(2, 0x6000001)]).Risks); // received, and not replayed yet
    }

    [Fact]
    public void Without_agreement_the_ledger_tells_which_branch_is_live_and_else_the_lost_primary()
    {
        var lost = Healthy().With(1, node => Stopped(node) with { Timeline = new(2) }).Nodes;
        Assert.Null(LiveBranch.AgreedBy([lost[0]], [lost[1], lost[2]]));
        Assert.Null(LiveBranch.AgreedBy([], [lost[1], lost[2]]));
        Assert.Equal(
            new Timeline(1),
            LiveBranch.AgreedBy([lost[0] with { Timeline = new(1) }], [lost[1], lost[2]])!.Line.Tip
        );
        Assert.Null(
            LiveBranch.AgreedBy(
                [lost[0] with { History = History(2, (1, 0x4000000)) }],
                [lost[1] with { Timeline = new(2), History = History(2, (1, 0x3000000)) }]
            )
        );

        Assert.Equal(new Timeline(7), LiveBranch.By(new() { LiveLine = History(7) }, [lost[0]], [lost[1]])!.Line.Tip);
        var guess = LiveBranch.By(new() { Unreadable = "no space" }, [lost[0]], [lost[1]])!;
        Assert.Equal(
            (
                new Timeline(2),
                "the ledger can't be read (no space): timeline 2 of the lost primary counts as the live one"
            ),
            (guess.Line.Tip, guess.Doubt)
        );
        Assert.Equal(new Timeline(1), LiveBranch.By(new(), [], [lost[1], lost[2]])!.Line.Tip);
        Assert.Null(LiveBranch.By(new(), [], [lost[1], lost[2] with { Timeline = new(3) }]));
        Assert.Equal(
            (
                FailureTypes.Refused,
                "nobody can tell which branch is live (p1 is on timeline 2, p2 is on timeline 1, p3 is on "
                    + "timeline 1); take p2 all the same: pgflow failover demo --to p2 --force; take p3 all the "
                    + "same: pgflow failover demo --to p3 --force"
            ),
            Refusal(() => FailoverPlan.From(Any, Of([.. lost]), live: null))
        );
        Assert.EndsWith(
            "; go on all the same: pgflow failover demo --to p2 --force",
            Refusal(() => FailoverPlan.From(Any with { To = P(2) }, Of([.. lost]), live: null)).Item2,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void By_force_a_healthy_primary_is_fenced_with_a_warning()
    {
        var plan = Plan(Any with { Force = true }, Healthy());

        Assert.Equal(
            [
                new(
                    new(Cluster, P(1)),
                    WasRunning: true,
                    WasStandby: false,
                    WasMarked: false,
                    WasFenced: false,
                    EndpointRole.ReadWrite
                ),
            ],
            plan.Lost
        );
        Assert.Equal(
            ["p1 is healthy: what it commits until it is fenced may be lost"],
            plan.Warnings.Select(HintText.Line)
        );
    }

    [Fact]
    public void By_force_both_sides_of_a_split_brain_are_fenced() =>
        Assert.Equal(
            [P(1), P(2)],
            Plan(Any with { Force = true }, Healthy().With(2, node => node with { Role = NodeRole.Primary }))
                .Lost.Select(lost => lost.Id.Name)
        );

    [Fact]
    public void A_hung_third_node_is_fenced_since_nobody_knows_what_it_is() =>
        Assert.Equal(
            [P(1), P(3)],
            Plan(Any, Healthy().With(1, Stopped).With(3, Hung)).Lost.Select(lost => lost.Id.Name)
        );

    [Fact]
    public void A_stopped_standby_is_left_out_with_a_warning()
    {
        var plan = Plan(Any, Healthy().With(1, Stopped).With(3, Stopped));

        Assert.Equal([P(1)], plan.Lost.Select(lost => lost.Id.Name));
        Assert.Equal(
            ["p3 does not take part: stopped, container exited; afterwards: pgflow failback demo p3"],
            plan.Warnings.Select(HintText.Line)
        );
    }

    [Fact]
    public void Where_all_are_standbys_nobody_needs_a_fence()
    {
        var plan = Plan(
            Any,
            Healthy(2).With(1, node => Stopped(node) with { StandbySignal = true, Endpoint = EndpointRole.None })
        );

        Assert.Empty(plan.Lost);
        Assert.Equal("p2 becomes the primary of demo; no node needs to be fenced", plan.Summary);
    }

    [Fact]
    public void The_winner_has_most_and_a_named_one_no_less()
    {
        var state = Healthy().With(1, Stopped);
        var plan = Plan(Any, state);
        var asked = Plan(Any with { To = P(3) }, state);

        Assert.Equal(P(2), plan.Decide([Candidate(3, 1), Candidate(2, 1)]).Winner.Node.Name);
        Assert.Equal(P(3), plan.Decide([Candidate(3, 2), Candidate(2, 1)]).Winner.Node.Name);
        Assert.Equal(P(3), asked.Decide([Candidate(3, 1), Candidate(2, 1)]).Winner.Node.Name);
        Assert.Equal(
            (FailureTypes.Refused, "p2 has 16 MB more than p3; without a named node it is taken"),
            Refusal(() => asked.Decide([Candidate(3, 1), Candidate(2, 16 * 1024 * 1024 + 1)]))
        );
        Assert.Equal(
            (FailureTypes.Refused, "p3 does not answer any more"),
            Refusal(() => asked.Decide([Candidate(2, 1), Candidate(3, 1) with { Answers = false }]))
        );
        Assert.Equal(
            (FailureTypes.Refused, "no standby answers any more; p2: torn"),
            Refusal(() => plan.Decide([Unread(2)]))
        );
        Assert.StartsWith(
            "replay is paused on p2",
            Refusal(() => plan.Decide([Candidate(2, 1) with { ReplayPaused = true }])).Item2,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_delayed_standby_wins_only_with_more() =>
        Assert.Equal(
            [P(3), P(2)],
            Enumerable
                .Range(1, 2)
                .Select(end =>
                    FailoverPlan
                        .From(Any, Healthy().With(1, Stopped), Live)
                        .Decide([Candidate(2, (ulong)end) with { Delayed = true }, Candidate(3, 1)])
                        .Winner.Node.Name
                )
        );

    [Fact]
    public void A_stopped_standby_that_has_more_than_all_others_is_named_with_the_way_to_it()
    {
        var state = Healthy().With(1, Stopped).With(3, Stopped);
        Candidate[] compared = [Candidate(2, 1), Candidate(3, 1 + 5000) with { Answers = false }];
        Assert.Equal([P(2), P(3)], Plan(Any, state).Compared.Select(node => node.Name));
        Assert.Equal(
            (
                FailureTypes.Refused,
                "p3 has 5000 bytes more than p2; it does not run: start it (docker start pgflow-demo-p3), then "
                    + "fail over again; go on all the same: pgflow failover demo --force"
            ),
            Refusal(() => Plan(Any, state).Decide(compared))
        );
        Assert.Equal(P(2), Plan(Any with { Force = true }, state).Decide(compared).Winner.Node.Name);
        Assert.Equal(
            ["whether p3 has more than p2 is unknown: torn"],
            Plan(Any, state).Decide([Candidate(2, 1), Unread(3)]).Risks
        );
    }

    [Fact]
    public void Of_a_synchronous_cluster_all_who_may_have_confirmed_a_commit_must_have_been_read()
    {
        var state = Healthy()
            .With(1, node => Stopped(node) with { SynchronousStandbyNames = "ANY 1 (p2, p3)" })
            .With(2, node => node with { Quorum = 1 });
        var why = "commits that only p3 confirmed may be lost: their WAL can't be read (p3: ";
        var plan = Plan(Any, state);
        Assert.Equal(
            (FailureTypes.Refused, $"{why}torn); go on all the same: pgflow failover demo --force"),
            Refusal(() => plan.Decide([Candidate(2, 1), Unread(3)]))
        );
        Assert.Equal(
            [$"{why}torn)"],
            Plan(Any with { Force = true }, state).Decide([Candidate(2, 1), Unread(3)]).Risks
        );
        Assert.Empty(plan.Decide([Candidate(2, 1), Candidate(3, 1) with { Answers = false }]).Risks);
        Assert.Equal(
            (
                FailureTypes.Refused,
                $"{why}it is no standby of the live branch); go on all the same: pgflow failover demo --force"
            ),
            Refusal(() => plan.Decide([Candidate(2, 1)]))
        );

        var onlyTwo = state.With(1, node => node with { SynchronousStandbyNames = "ANY 1 (p2)" });
        Assert.DoesNotContain(
            Plan(Any, onlyTwo).Decide([Candidate(2, 1), Unread(3)]).Risks,
            risk => risk.StartsWith("commits", StringComparison.Ordinal)
        );
        var unknown = state.With(1, node => node with { SynchronousStandbyNames = "" });
        Assert.Equal(["ANY 1 (p2, p3)"], Plan(Any, unknown).Contest.Proof.Demands.Select(demand => demand.ToString()));
    }

    [Theory]
    [InlineData("ANY 1 (p2, p3, p4)", 1, "p4")]
    [InlineData("ANY 2 (p2, p3, p4)", 1, null)]
    [InlineData("ANY 2 (p2, p3, p4)", 2, "p3 and p4")]
    [InlineData("ANY 1 (p2, p3, p4)", 2, "1 of p3, p4")]
    [InlineData("ANY 3 (p2, p3, p4)", 2, null)]
    [InlineData("FIRST 2 (p2, p3, p4)", 2, "p3 and p4")] // as a user may have set it
    [InlineData("p2, p4", 1, "p4")]
    [InlineData("p2", 2, null)]
    [InlineData("ANY 1 (p2, elsewhere)", 0, "elsewhere")]
    [InlineData("*", 0, "somebody else")]
    public void So_many_must_have_been_read_that_every_commit_is_on_one_of_them(string names, int unread, string? alone)
    {
        var plan = Plan(
            Any with
            {
                Force = true,
            },
            Healthy(4).With(1, node => Stopped(node) with { SynchronousStandbyNames = names, Quorum = 1 })
        );
        var compared = Enumerable
            .Range(2, 3)
            .Select(number => number > 4 - unread ? Unread(number) : Candidate(number, 1));

        var said = plan.Decide([.. compared]).Risks.Where(risk => risk.StartsWith("commits", StringComparison.Ordinal));

        Assert.Equal(
            alone is null ? [] : [$"commits that only {alone} confirmed may be lost"],
            said.Select(risk => risk.Split(':')[0])
        );
    }

    [Fact]
    public void Of_a_synchronous_cluster_that_demanded_nothing_the_loss_is_unknown_and_needs_force()
    {
        var state = Synchronous("").With(1, Stopped);
        const string Why =
            "p1 may have acknowledged its last commits without confirmation (its synchronous_standby_names was empty): those "
            + "that no standby received would be lost";
        Assert.Equal(
            (FailureTypes.Refused, $"{Why}; go on all the same: pgflow failover demo --force"),
            Refusal(() => Plan(Any, state))
        );
        var forced = Plan(Any with { Force = true }, state);
        Assert.True(forced.IsContested);
        Assert.Equal([Why], forced.Decide([Candidate(2, 1), Candidate(3, 1)]).Risks);
        Assert.Empty(Plan(Any, Synchronous("", quorum: 0).With(1, Stopped)).Contest.Proof.Demands);
    }

    [Fact]
    public void Of_a_primary_without_a_container_what_its_volume_says_is_to_be_proven()
    {
        var state = Synchronous("ANY 2 (p2, p3)", quorum: 2)
            .With(1, node => Missing(node) with { StandbySignal = false });
        Assert.Equal(["ANY 2 (p2, p3)"], Said(Plan(Any, state)));

        var gone = state.With(
            1,
            node =>
                node with
                {
                    HasVolume = false,
                    Control = null,
                    StandbySignal = null,
                    Quorum = null,
                    SynchronousStandbyNames = "",
                }
        );
        Assert.Equal(["ANY 1 (p2, p3)"], Said(Plan(Any, gone)));
        // either may have been the primary, and whoever else may have confirmed
        var two = gone.With(3, node => gone.Find(P(1))! with { Id = node.Id });
        Assert.Equal(["ANY 1 (p2, p3)", "ANY 1 (p1, p2)"], Said(Plan(Any, two)));

        static IEnumerable<string> Said(FailoverPlan plan) =>
            plan.Contest.Proof.Demands.Select(demand => demand.ToString());
    }

    [Fact]
    public void What_an_earlier_attempt_has_fenced_is_still_to_be_proven()
    {
        var state = Synchronous("ANY 1 (p2, p3)")
            .With(1, node => Stopped(node) with { StandbySignal = true, Endpoint = EndpointRole.None });

        Assert.Equal(["ANY 1 (p2, p3)"], Plan(Any, state).Contest.Proof.Demands.Select(demand => demand.ToString()));
        Assert.StartsWith(
            "commits that only p3 confirmed may be lost",
            Refusal(() => Plan(Any, state).Decide([Candidate(2, 1), Unread(3)])).Item2,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_a_stopped_primary_was_told_afterwards_proves_nothing_of_what_it_had_acknowledged()
    {
        ClusterState Changed(string earlier, string now, int quorum) =>
            Synchronous(now, quorum: quorum).With(1, node => Stopped(node) with { EarlierStandbyNames = earlier });

        Assert.StartsWith(
            "p1 may have acknowledged its last commits without confirmation",
            Refusal(() => Plan(Any, Changed("", "ANY 1 (p2, p3)", 1))).Item2,
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "commits that only p3 confirmed may be lost",
            Refusal(() => Plan(Any, Changed("ANY 1 (p2, p3)", "", 0)).Decide([Candidate(2, 1), Unread(3)])).Item2,
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "commits that only p3 confirmed may be lost",
            Refusal(() =>
                Plan(Any, Changed("ANY 1 (p2, p3)", "ANY 2 (p2, p3)", 2)).Decide([Candidate(2, 1), Unread(3)])
            ).Item2,
            StringComparison.Ordinal
        );
    }

    private static LiveBranch Live { get; } = new(History(1));

    private static FailoverPlan Plan(FailoverInput input, ClusterState state) => FailoverPlan.From(input, state, Live);

    private static TimelineHistory History(uint tip, params (uint Timeline, ulong End)[] ancestors) =>
        new(new(tip), [.. ancestors.Select(ancestor => new TimelineSwitch(new(ancestor.Timeline), new(ancestor.End)))]);

    private static Candidate Candidate(int number, ulong end, uint timeline = 1) =>
        new(new(Cluster, P(number)), new(timeline), new(end));

    private static Candidate Unread(int number) =>
        new(new(Cluster, P(number)), new(1), End: null) { Answers = false, Unknown = "torn" };

    private static (string?, string) Refusal(Func<object> plan)
    {
        var refusal = Assert.Throws<PgFlowException>(plan);
        return (refusal.Type, Sample.Said(refusal));
    }
}

using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

/// <summary>Who confirms commits after a change of their number, and what the plans of other procedures make of
/// it.</summary>
public sealed class SynchronousPlanTests
{
    public static TheoryData<string, ClusterState, int> Refused =>
        new()
        {
            { "there is no cluster demo; make it: pgflow init demo", Nothing, 1 },
            {
                "3 standbys can't confirm: only p2, p3 can, of 2; wait only for those that stream: "
                    + "pgflow synchronous demo 2",
                Healthy(),
                3
            },
            {
                "2 standbys can't confirm: only p2 can, of 2; p3 is no running standby (stopped, container exited); "
                    + "bring it back: pgflow failback demo p3; wait only for those that stream: "
                    + "pgflow synchronous demo 1",
                Healthy().With(3, Stopped).WithFollower(3, _ => null),
                2
            },
            {
                "1 standby can't confirm: none follows p1; p2 is without a container; its volume holds a standby's "
                    + "data on timeline 1; bring it back: pgflow repair demo; wait only for those that stream: "
                    + "pgflow synchronous demo 0",
                Healthy(2).With(2, Missing).WithFollower(2, _ => null),
                1
            },
            {
                "1 standby can't confirm: none follows p1; p2 is unreachable: no answer within 2 s; bring it back: "
                    + "pgflow failback demo p2; wait only for those that stream: pgflow synchronous demo 0",
                Healthy(2).With(1, Stopped).With(2, node => Hung(node) with { StandbySignal = true }),
                1
            },
            {
                "p1: synchronous_standby_names is set in postgresql.auto.conf, not in PgFlow's file",
                Healthy()
                    .With(1, node => node with { Drift = [new("synchronous_standby_names", "postgresql.auto.conf")] }),
                1
            },
            {
                "no node of demo accepts writes; make a node the primary: pgflow failover demo",
                Healthy(2).With(1, Hung),
                0
            },
            {
                "no node of demo accepts writes; make a node the primary: pgflow failover demo",
                Healthy(2).With(1, Stopped).With(2, node => node with { Timeline = new(2) }),
                0
            },
            {
                "no node of demo accepts writes; make a node the primary: pgflow failover demo",
                Healthy().With(1, Stopped).With(2, node => Stopped(node) with { StandbySignal = false }),
                0
            },
            {
                "p1, p2 both accept writes; fence the wrong one: pgflow failback demo NODE",
                Healthy(2).With(2, node => node with { Role = NodeRole.Primary }),
                1
            },
        };

    [Theory, MemberData(nameof(Refused))]
    public void Says_what_stands_against_it(string why, ClusterState state, int quorum) =>
        Assert.Equal(why, Said(Assert.Throws<PgFlowException>(() => Plan(state, quorum))));

    [Theory]
    [InlineData(1, "ANY 1 (p2, p3)", "commits on demo wait for 1 of p2, p3")]
    [InlineData(2, "ANY 2 (p2, p3)", "commits on demo wait for 2 of p2, p3")]
    [InlineData(0, "", "commits on demo wait for no standby: its replication is asynchronous")]
    public void Asks_of_all_that_stream(int quorum, string names, string summary)
    {
        var plan = Plan(quorum == 0 ? Synchronous("ANY 1 (p2, p3)") : Healthy(), quorum);

        Assert.Equal((names, summary), (plan.After.SynchronousStandbyNames, plan.Summary));
        Assert.Equal(quorum == 0 ? "ANY 1 (p2, p3)" : "", plan.Before.SynchronousStandbyNames);
        Assert.Equal([P(2), P(3)], plan.Others.Select(node => node.Name));
        Assert.Equal((true, quorum == 0), (plan.Runs, plan.Lowers));
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public void What_is_overridden_elsewhere_stands_against_nothing() =>
        Assert.False(Plan(Healthy().With(1, node => node with { Drift = [Override] }), 1).NothingToDo);

    [Fact]
    public void Without_one_that_does_not_stream_it_goes_on_with_the_others_and_leaves_it_its_settings()
    {
        var plan = Plan(Synchronous("ANY 2 (p2, p3)", quorum: 2).With(3, Stopped).WithFollower(3, _ => null), 1);

        Assert.Equal("ANY 1 (p2)", plan.After.SynchronousStandbyNames);
        Assert.True(plan.Lowers);
        Assert.Equal([P(3)], plan.Unable);
        Assert.Equal("ANY 2 (p2, p3)", plan.Before.SynchronousStandbyNames);
        Assert.Equal([P(2), P(3)], plan.Others.Select(node => node.Name));
        Assert.Equal(
            "p3 does not take part: it is not asked until it is back (p3 is no running standby (stopped, container "
                + "exited)); afterwards: pgflow failback demo p3",
            HintText.Line(Assert.Single(plan.Warnings))
        );
    }

    [Fact]
    public void What_decides_elsewhere_who_confirms_stands_against_all_that_must_change_it()
    {
        var state = Healthy()
            .With(1, node => node with { Drift = [new("synchronous_standby_names", "postgresql.auto.conf")] });
        Action[] plans =
        [
            () => AddStandbyPlan.From(new() { Cluster = Cluster }, state),
            () => RemoveNodePlan.From(new() { Cluster = Cluster, Node = P(3) }, state),
            () => RemakeStandbyPlan.From(new() { Cluster = Cluster, Node = P(3) }, state),
            () => FailbackPlan.From(new() { Cluster = Cluster, Node = P(3) }, state.With(3, Stopped)),
        ];
        Assert.All(
            plans,
            plan =>
                Assert.Equal(
                    "p1: synchronous_standby_names is set in postgresql.auto.conf, not in PgFlow's file",
                    Said(Assert.Throws<PgFlowException>(plan))
                )
        );
    }

    [Theory]
    [InlineData("*")]
    [InlineData("FIRST 1 (\"P3\")")]
    public void Whose_confirmation_counts_is_let_go_first_however_the_setting_names_it(string names) =>
        Assert.NotNull(RemoveNodePlan.From(new() { Cluster = Cluster, Node = P(3) }, Synchronous(names)).Lift);

    [Fact]
    public void A_node_that_was_never_copied_is_not_taken_for_the_primary()
    {
        var state = Healthy()
            .With(1, Stopped)
            .With(3, node => Stopped(node) with { Control = null, StandbySignal = null, Timeline = null });

        Assert.Equal(P(1), Plan(state, 0).Primary.Name);
        var live = LiveBranch.AgreedBy([state.Find(P(1))!], state.Standbys);
        var failover = FailoverPlan.From(new() { Cluster = Cluster }, state, live);
        Assert.Equal([P(1)], failover.Lost.Select(lost => lost.Id.Name));
    }

    [Fact]
    public void Who_cannot_be_reached_keeps_nobody_from_waiting_no_more()
    {
        var plan = Plan(Synchronous("ANY 1 (p2, p3)").With(2, Hung).With(3, Missing), 0);

        Assert.Empty(plan.Others);
        Assert.Equal(
            [
                "p2 does not take part: unreachable: no answer within 2 s; afterwards: pgflow failback demo p2",
                "p3 does not take part: without a container; its volume holds a standby's data on timeline 1; "
                    + "afterwards: pgflow repair demo",
            ],
            plan.Warnings.Select(HintText.Line)
        );
    }

    [Fact]
    public void Of_a_stopped_primary_writes_what_it_finds_when_it_starts()
    {
        var plan = Plan(Healthy().With(1, Stopped).With(3, Stopped), 1);

        Assert.Equal((P(1), false, "ANY 1 (p2)"), (plan.Primary.Name, plan.Runs, plan.After.SynchronousStandbyNames));
        Assert.Equal([P(2), P(3)], plan.Others.Select(node => node.Name));
    }

    [Fact]
    public void Does_nothing_where_all_have_it_already()
    {
        Assert.True(Plan(Synchronous("ANY 1 (p2, p3)"), 1).NothingToDo);
        Assert.False(Plan(Synchronous("ANY 1 (p2)"), 1).NothingToDo);
        Assert.False(Plan(Synchronous("ANY 1 (p2, p3)").With(3, node => node with { Quorum = null }), 1).NothingToDo);
        Assert.Equal(
            "commits on demo wait for 1 of p2, p3 already; nothing was done",
            Plan(Synchronous("ANY 1 (p2, p3)"), 1).Summary
        );
    }

    [Fact]
    public void The_primary_says_what_the_cluster_is_meant_to_be_and_of_unknown_ones_the_strictest()
    {
        var state = Synchronous("ANY 1 (p2, p3)").With(3, node => node with { Quorum = 2 });

        Assert.Equal(1, ClusterIntent.Of(state).Quorum);
        Assert.Equal(1, ClusterIntent.Of(state.With(1, Stopped)).Quorum);
        Assert.Equal(2, ClusterIntent.Of(state.With(1, node => node with { Quorum = null })).Quorum);
        Assert.Equal(0, ClusterIntent.Of(state.With(1, node => node with { Quorum = 0 })).Quorum);
        Assert.Equal(
            0,
            ClusterIntent.Of(Healthy().With(1, Stopped)).Within(3).Quorum // written by nobody
        );
    }

    [Theory]
    [InlineData(0, 3, "")]
    [InlineData(1, 3, "ANY 1 (p2, p3)")]
    [InlineData(2, 3, "ANY 1 (p2, p3)")]
    [InlineData(2, 1, "")]
    public void A_new_primary_waits_for_whoever_follows_first(int quorum, int nodes, string names) =>
        Assert.Equal(
            names,
            new ClusterIntent(quorum, ReadOnly: false)
                .NewPrimary(
                    new(Cluster, P(1)),
                    Enumerable.Range(2, nodes - 1).Select(node => new NodeId(Cluster, P(node)))
                )
                .SynchronousStandbyNames
        );

    [Theory]
    [InlineData("ANY 1 (p2, p3)", 1, true, null)]
    [InlineData("ANY 2 (p2, p3)", 2, true, "commits on p1 wait for 1 standby instead of 2 until p3 follows again")]
    [InlineData("ANY 1 (p3)", 1, true, null)]
    [InlineData("ANY 1 (p2)", 1, false, null)]
    public void Who_is_remade_is_not_waited_for(string names, int quorum, bool isAsked, string? warning)
    {
        var input = new RemakeStandbyInput { Cluster = Cluster, Node = P(3) };
        var plan = RemakeStandbyPlan.From(input, Synchronous(names, quorum: quorum));

        Assert.Equal(isAsked, plan.Lift?.Streams is true);
        Assert.Equal(warning is null ? [] : [warning], plan.Warnings.Select(HintText.Line));
        Assert.False(
            RemakeStandbyPlan.From(input, Synchronous(names).WithFollower(3, _ => null)).Lift?.Streams is true
        );
    }

    [Theory]
    [InlineData(
        """{"cluster": "demo"}""",
        "quorum: is missing; say how many standbys confirm each commit; 0 is asynchronous"
    )]
    [InlineData("""{"cluster": "demo", "quorum": -1}""", "quorum: -1 is not from 0 to 8")]
    [InlineData("""{"cluster": "demo", "quorum": 9}""", "quorum: 9 is not from 0 to 8")]
    [InlineData("""{"cluster": "demo", "quorum": 0}""", "")]
    public void Wants_a_number(string json, string problems) =>
        Assert.Equal(
            problems,
            string.Join(
                "; ",
                (
                    (SetSynchronousReplicationInput)
                        InputReader.Read(
                            System.Text.Encoding.UTF8.GetBytes(json),
                            typeof(SetSynchronousReplicationInput)
                        )
                ).Problems()
            )
        );

    [Theory]
    [InlineData(3, false, null, 0, "")]
    [InlineData(3, true, null, 1, "")]
    [InlineData(3, false, 2, 2, "")]
    [InlineData(3, true, 2, 2, "")]
    [InlineData(3, false, 3, 3, "quorum: 3 is not from 0 to 2: one of 3 nodes is the primary")]
    [InlineData(3, true, 0, 0, "quorum: 0 is asynchronous, and sync was given too")]
    public void Init_takes_a_number_too(int nodes, bool sync, int? quorum, int confirmations, string problems)
    {
        var input = new InitClusterInput
        {
            Cluster = Cluster,
            Nodes = nodes,
            Sync = sync,
            Quorum = quorum,
        };

        Assert.Equal((confirmations, problems), (input.Confirmations, string.Join("; ", input.Problems())));
    }

    private static SetSynchronousReplicationPlan Plan(ClusterState state, int quorum) =>
        SetSynchronousReplicationPlan.From(new() { Cluster = Cluster, Quorum = quorum }, state);
}

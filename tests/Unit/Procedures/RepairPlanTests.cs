using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class RepairPlanTests
{
    private static RepairClusterInput Any => new() { Cluster = Cluster };

    public static TheoryData<ClusterState, string> Refused =>
        new()
        {
            {
                Healthy()
                    .With(1, node => Missing(node) with { StandbySignal = true })
                    .With(2, Missing)
                    .With(3, Missing),
                "no node of demo accepts writes, and none holds a primary's data: all would come back as "
                    + "standbys; start one first; make a node the primary: pgflow failover demo"
            },
            {
                Healthy().With(1, Missing).With(2, node => Missing(node) with { StandbySignal = false }),
                "a primary's data hold p1 (timeline 1), p2 (timeline 1): which of them is the cluster? The "
                    + "others are rewound to it, or made anew from it; go on with p1: pgflow repair demo --primary p1; "
                    + "go on with p2: pgflow repair demo --primary p2"
            },
            {
                Healthy().With(1, Missing).With(2, node => node with { Timeline = new(2) }),
                "p1 was the primary on timeline 1, and p2 went on to timeline 2: p1 is not started; make "
                    + "a node the primary: pgflow failover demo --to p2"
            },
            {
                Healthy().With(1, Hung).With(3, Missing),
                "p1 is unreachable: no answer within 2 s, so nobody knows whether it is the primary; make a "
                    + "node the primary: pgflow failover demo"
            },
            {
                Healthy().With(3, Missing) with
                {
                    Resources = [new(ResourceKind.Container, "pgflow-demo-p3", ResourceState.Foreign)],
                },
                "container pgflow-demo-p3: not PgFlow's, with a name of demo's or on one of its volumes; "
                    + "remove or rename what is foreign first"
            },
            { Nothing, "there is no cluster demo; make it: pgflow init demo" },
        };

    [Theory, MemberData(nameof(Refused))]
    public void Starts_nothing_where_it_is_not_certain_who_the_primary_is(ClusterState state, string why) =>
        Assert.Equal(why, Sample.Said(Assert.Throws<PgFlowException>(() => RepairClusterPlan.From(Any, state))));

    [Fact]
    public void The_only_node_with_a_primarys_data_is_started_and_the_others_follow()
    {
        var plan = RepairClusterPlan.From(
            Any,
            Healthy()
                .With(1, Missing)
                .With(2, Missing)
                .With(3, node => Missing(node) with { HasVolume = false, Control = null, StandbySignal = null })
        );

        Assert.Equal((P(1), true, false), (plan.Primary.Name, plan.StartsPrimary, plan.LacksRepository));
        Assert.Equal([new(new(Cluster, P(2)), HasData: true), new(new(Cluster, P(3)), HasData: false)], plan.Returning);
        Assert.Equal([P(2), P(3)], plan.Others);
    }

    [Fact]
    public void A_WAL_summarizer_that_fails_is_work()
    {
        var plan = RepairClusterPlan.From(Any, Healthy().With(2, node => node with { SummarizerFails = true }));
        Assert.False(plan.NothingToDo);
        Assert.Equal([new(Cluster, P(2))], plan.Summarizers);
    }

    [Fact]
    public void A_person_chooses_among_several()
    {
        var state = Healthy().With(1, Missing).With(2, node => Missing(node) with { StandbySignal = false });
        Assert.Equal(P(2), RepairClusterPlan.From(Any with { Primary = P(2) }, state).Primary.Name);
        Assert.Throws<PgFlowException>(() => RepairClusterPlan.From(Any with { Primary = P(3) }, state));
    }

    [Fact]
    public void A_fenced_node_that_has_its_container_stays_and_one_that_only_stopped_comes_back()
    {
        var plan = RepairClusterPlan.From(
            Any,
            Healthy().With(2, node => Stopped(node) with { RestartPolicy = "no" }).With(3, Stopped)
        );

        Assert.Equal(P(3), Assert.Single(plan.Returning).Id.Name);
        Assert.Contains(
            "pgflow failback demo p2",
            Assert.Single(plan.Warnings.Select(HintText.Line)),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Does_nothing_where_nothing_is_out_of_its_place(bool restarts) =>
        Assert.Equal(
            restarts,
            RepairClusterPlan
                .From(Any, Healthy().With(1, node => node with { RestartPolicy = restarts ? "unless-stopped" : "no" }))
                .NothingToDo
        );

    [Fact]
    public void The_primary_is_to_ask_who_streams_or_was_asked()
    {
        bool IsDone(ClusterState state) => RepairClusterPlan.From(Any, state).NothingToDo;

        Assert.False(IsDone(Synchronous("")));
        Assert.False(IsDone(Synchronous("ANY 1 (p2)")));
        Assert.True(IsDone(Synchronous("ANY 1 (p2, p3)")));
        Assert.True(IsDone(Synchronous("ANY 1 (p2)").WithFollower(3, _ => null)));
        Assert.True(IsDone(Synchronous("ANY 1 (p2, p3)").WithFollower(3, _ => null)));
        Assert.False(
            IsDone(Synchronous("ANY 1 (p2, p3)").With(1, node => node with { EarlierStandbyNames = "ANY 1 (p2)" }))
        );
    }

    [Fact]
    public void With_nothing_to_do_says_what_is_another_procedures()
    {
        var plan = RepairClusterPlan.From(Any, Healthy().With(2, node => Stopped(node) with { RestartPolicy = "no" }));
        Assert.Equal("nothing of demo is missing or out of its place; nothing was done", plan.Summary);
        Assert.Equal(
            "p2 is no running standby (stopped, container exited); bring it back: pgflow failback demo p2",
            HintText.Line(Assert.Single(plan.Warnings))
        );
    }

    [Fact]
    public void Others_plan_without_a_missing_node()
    {
        var state = Healthy().With(3, Missing);
        Assert.Contains(
            "pgflow repair demo",
            Assert.Single(
                SwitchoverPlan
                    .From(new() { Cluster = Cluster, Force = true }, state.WithFollower(3, _ => null))
                    .Warnings.Select(HintText.Line)
            ),
            StringComparison.Ordinal
        );
        Assert.Throws<PgFlowException>(() => SwitchoverPlan.From(new() { Cluster = Cluster }, state));
        var failover = FailoverPlan.From(
            new() { Cluster = Cluster },
            Healthy().With(1, Missing),
            new LiveBranch(TimelineHistory.Parse(new(1), null))
        );
        Assert.Empty(failover.Lost);
        // without a container there is nothing to ask
        Assert.Equal([P(2), P(3)], failover.Compared.Select(node => node.Name));
        Assert.Contains(
            failover.Warnings.Select(HintText.Line),
            warning => warning.Contains("pgflow repair demo", StringComparison.Ordinal)
        );
        Assert.EndsWith(
            "put it right: pgflow repair demo",
            Sample.Said(
                Assert.Throws<PgFlowException>(() =>
                    RemakeStandbyPlan.From(new() { Cluster = Cluster, Node = P(3) }, state)
                )
            ),
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            "put it right: pgflow repair demo",
            Sample.Said(
                Assert.Throws<PgFlowException>(() =>
                    FailbackPlan.From(new() { Cluster = Cluster }, state.WithFollower(3, _ => null))
                )
            ),
            StringComparison.Ordinal
        );
    }

    private static ResolvedTarget Recovered =>
        new()
        {
            Timeline = new(1),
            End = new(0x2000000),
            EndOfBranch = true,
            Backups = ["B1"],
            Wal = [new(new(1), new(0x1000000), new(0x2000000))],
            NewTimeline = new(2),
            Why = "",
        };

    [Fact]
    public void A_recovery_leaves_a_missing_node_out_and_keeps_its_slot()
    {
        var plan = RecoverClusterPlan.From(
            new() { Cluster = Cluster, Latest = true },
            Healthy().With(1, Missing),
            Recovered
        );

        Assert.Equal([P(2), P(3)], plan.Nodes.Select(node => node.Id.Name));
        Assert.Equal([P(1), P(3)], plan.Slots);
        Assert.Contains(
            plan.Warnings.Select(HintText.Line),
            warning => warning.Contains("pgflow repair demo", StringComparison.Ordinal)
        );
        Assert.Throws<PgFlowException>(() =>
            RecoverClusterPlan.From(new() { Cluster = Cluster, Latest = true }, Healthy(1).With(1, Missing), Recovered)
        );
    }

    [Theory]
    [InlineData(1, 0x2000000, false, true)]
    [InlineData(1, 0x3000000, true, true)]
    [InlineData(1, 0x3000000, false, false)]
    [InlineData(2, 0x2000000, true, false)]
    public void What_was_written_after_the_plan_does_not_change_what_its_target_means(
        uint timeline,
        ulong end,
        bool endOfBranch,
        bool isSame
    )
    {
        var target = Recovered with { EndOfBranch = endOfBranch };
        var plan = RecoverClusterPlan.From(new() { Cluster = Cluster, Latest = true }, Healthy(), target);
        var today = target with { Timeline = new(timeline), End = new(end) };

        if (isSame)
        {
            Assert.Same(today, plan.Confirmed(today));
        }
        else
        {
            var refusal = Assert.Throws<PgFlowException>(() => plan.Confirmed(today));
            Assert.StartsWith($"the target now is {today.End} on timeline {timeline}", refusal.Message);
        }
    }
}

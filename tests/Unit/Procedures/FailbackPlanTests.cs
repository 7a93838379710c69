using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class FailbackPlanTests
{
    private static readonly FailbackInput Any = new() { Cluster = Cluster };

    public static TheoryData<string, ClusterState, FailbackInput> Refused =>
        new()
        {
            {
                "p1 is the primary; make another node the primary: pgflow switchover demo",
                Healthy(),
                Any with
                {
                    Node = P(1),
                }
            },
            { "there is no cluster demo; make it: pgflow init demo", Nothing, Any },
            { "demo has no node p9; it has p1, p2, p3", Healthy(), Any with { Node = P(9) } },
            {
                "no node of demo accepts writes; make a node the primary: pgflow failover demo",
                Healthy().With(1, Stopped),
                Any with
                {
                    Node = P(2),
                }
            },
            {
                "p1, p2 both accept writes; fence the wrong one: pgflow failback demo NODE",
                Healthy().With(2, node => node with { Role = NodeRole.Primary }),
                Any
            },
            { "node: name one of p2, p3", Healthy().With(2, Stopped).With(3, Stopped), Any },
            { "demo has one node only", Healthy(1), Any },
            {
                "p3 is a standby of p1 already, but not as it should be: p3 is not on the read-only endpoint "
                    + "demo-ro; put it right: pgflow repair demo",
                Healthy().With(3, node => node with { Endpoint = EndpointRole.None }),
                Any with
                {
                    Node = P(3),
                }
            },
        };

    [Theory, MemberData(nameof(Refused))]
    public void Says_what_stands_against_it(string why, ClusterState state, FailbackInput input) =>
        Assert.Equal(why, Sample.Said(Assert.Throws<PgFlowException>(() => FailbackPlan.From(input, state))));

    [Fact]
    public void Takes_the_only_node_that_is_missing()
    {
        var plan = FailbackPlan.From(Any, Healthy().With(3, Stopped));

        Assert.Equal((P(3), P(1)), (plan.Node.Name, plan.Primary.Name));
        Assert.Equal([P(2), P(3)], plan.Others);
        Assert.False(plan.NothingToDo);
    }

    [Fact]
    public void A_standby_that_streams_needs_nothing()
    {
        Assert.True(FailbackPlan.From(Any, Healthy()).NothingToDo);
        Assert.True(FailbackPlan.From(Any with { Node = P(3) }, Healthy()).NothingToDo);
        Assert.True(
            FailbackPlan
                .From(Any with { Node = P(3) }, Healthy().WithFollower(3, row => row with { LagBytes = 1L << 30 }))
                .NothingToDo
        );
    }

    [Fact]
    public void What_is_wrong_with_another_node_keeps_no_standby_from_needing_nothing() =>
        Assert.True(
            FailbackPlan
                .From(Any with { Node = P(3) }, Healthy().With(2, node => node with { Endpoint = EndpointRole.None }))
                .NothingToDo
        );

    [Fact]
    public void The_named_one_of_two_primaries_is_the_wrong_one()
    {
        var plan = FailbackPlan.From(
            Any with
            {
                Node = P(2),
            },
            Healthy().With(2, node => node with { Role = NodeRole.Primary })
        );

        Assert.Equal((P(2), P(1)), (plan.Node.Name, plan.Primary.Name));
        Assert.Equal(
            ["p2 accepts writes: what p1 does not have of them is dropped from the cluster"],
            plan.Warnings.Select(HintText.Line)
        );
    }
}

using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class SetReadOnlyPlanTests
{
    private static SetReadOnlyInput On { get; } = new() { Cluster = Cluster, Mode = ReadOnlyMode.On };

    [Fact]
    public void Every_node_that_can_be_reached_gets_it_and_one_that_can_not_is_named()
    {
        var plan = SetReadOnlyPlan.From(
            On,
            Healthy(4)
                .With(2, node => node with { Role = NodeRole.Stopped })
                .With(3, node => node with { Role = NodeRole.Unreachable })
                .With(4, node => node with { Role = NodeRole.Missing })
        );

        Assert.Equal([P(1), P(2)], plan.Nodes.Select(node => node.Id.Name));
        Assert.Equal([P(3), P(4)], plan.Warnings.Select(warning => warning.Node!.Value.Name));
        Assert.False(plan.NothingToDo);
    }

    [Fact]
    public void A_cluster_that_is_as_asked_is_left_alone_and_one_that_is_so_in_part_is_not()
    {
        var all = Healthy() with { Nodes = [.. Healthy().Nodes.Select(node => node with { ReadOnly = true })] };
        Assert.True(SetReadOnlyPlan.From(On, all).NothingToDo);
        Assert.False(SetReadOnlyPlan.From(On, all.With(2, node => node with { ReadOnly = false })).NothingToDo);
    }

    [Fact]
    public void Another_file_that_says_otherwise_is_refused_and_other_settings_are_not_its_business()
    {
        var state = Healthy().With(1, node => node with { Drift = [Override] });
        Assert.Equal(P(1), SetReadOnlyPlan.From(On, state).Primary.Name);

        var refused = Assert.Throws<PgFlowException>(() =>
            SetReadOnlyPlan.From(
                On,
                Healthy()
                    .With(
                        1,
                        node => node with { Drift = [new("default_transaction_read_only", "postgresql.auto.conf")] }
                    )
            )
        );
        Assert.Contains(
            "default_transaction_read_only is set in postgresql.auto.conf",
            refused.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_the_primary_has_is_meant_for_all_also_where_an_absent_node_has_an_earlier_setting()
    {
        var state = Healthy().With(3, node => node with { Role = NodeRole.Stopped, ReadOnly = true });
        Assert.False(ClusterIntent.Of(state).ReadOnly);
        Assert.True(ClusterIntent.Of(state.With(1, node => node with { Role = NodeRole.Stopped })).ReadOnly);
    }
}

using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

/// <summary>Which nodes a cluster is meant to have, and how they become more and fewer.</summary>
public sealed class MembershipTests
{
    private static readonly ClusterState Gone = Healthy().With(3, Missing);

    [Fact]
    public void The_primarys_settings_count_then_whoever_is_named_then_those_that_are_there()
    {
        var state = Naming(Healthy(2), 1, 2, 3);
        Assert.Equal([P(1), P(2), P(3)], Membership.Of(state.Nodes));
        Assert.Equal([P(1), P(2)], Membership.Of(state.With(1, node => node with { Members = [P(1), P(2)] }).Nodes));

        var pruned = state.With(1, Missing).With(2, node => Missing(node) with { Members = [P(2), P(4)] });
        Assert.Equal([P(1), P(2), P(3), P(4)], Membership.Of(pruned.Nodes));

        Assert.Equal([P(1), P(2)], Membership.Of(Healthy(2).Nodes));
        Assert.Empty(Membership.Of([]));
    }

    [Fact]
    public void The_primary_that_clients_reached_last_counts_while_none_runs()
    {
        var state = Naming(Healthy(2), 1, 2, 3).With(1, Stopped).With(1, node => node with { Members = [P(1), P(2)] });
        Assert.Equal([P(1), P(2)], Membership.Of(state.Nodes));
    }

    [Fact]
    public void All_nodes_are_written_into_every_nodes_settings()
    {
        var intent = ClusterIntent.Of(Healthy());
        NodeName[] all = [P(1), P(2), P(3)];
        Assert.Equal(all, intent.Primary(Healthy().Nodes[0].Id).Members);
        Assert.Equal(all, intent.Standby(Healthy().Nodes[1].Id, Healthy().Nodes[0].Id, new(1)).Members);
    }

    [Fact]
    public void A_standby_that_names_others_is_a_finding_and_repaired()
    {
        var state = Naming(Healthy(), 1, 2, 3).With(2, node => node with { Members = [P(1), P(2)] });
        Assert.Equal(
            "p2 has other nodes in its settings than the cluster: p1, p2 instead of p1, p2, p3; put it right: "
                + "pgflow repair demo",
            HintText.Line(Assert.Single(Inspection.DeviationsOf(state)))
        );
        Assert.Equal(
            [P(2)],
            RepairClusterPlan.From(new() { Cluster = Cluster }, state).Outdated.Select(one => one.Name)
        );
        Assert.Empty(RepairClusterPlan.From(new() { Cluster = Cluster }, Healthy()).Outdated);
    }

    [Fact]
    public void What_is_left_of_a_removed_node_is_a_finding()
    {
        var state = Left(Healthy(), 4);
        Assert.Equal(
            "p4 is no node of the cluster, and something of it is left; remove what is left of it: "
                + "pgflow remove-node demo p4",
            HintText.Line(Assert.Single(Inspection.DeviationsOf(state)))
        );
        var plan = RemoveNodePlan.From(new() { Cluster = Cluster, Node = P(4) }, state);
        Assert.Equal((true, true, "what is left of p4 is removed"), (plan.HasData, plan.LacksContainer, plan.Summary));
        Assert.Null(plan.Lift);
    }

    [Fact]
    public void A_removed_node_that_somebody_starts_is_taken_in_again()
    {
        var state = Naming(Healthy(), 1, 2).With(3, node => node with { Members = [P(1), P(2), P(3)] });
        Assert.Equal([P(1), P(2)], Inspection.DeviationsOf(state).Select(finding => finding.Node!.Value.Name));
        Assert.Equal(
            [P(1), P(2)],
            RepairClusterPlan.From(new() { Cluster = Cluster }, state).Outdated.Select(one => one.Name)
        );
    }

    [Fact]
    public void A_node_that_runs_is_one_of_the_clusters_whatever_the_settings_say()
    {
        var state = Healthy();
        NodeName[] members = [P(1), P(2)];
        Assert.All(state.Nodes, node => Assert.True(members.Includes(node)));
        Assert.True(members.Includes(Hung(state.Nodes[2])));
        Assert.False(members.Includes(Stopped(state.Nodes[2])));
        Assert.False(members.Includes(Missing(state.Nodes[2])));
        Assert.True(members.Includes(Missing(state.Nodes[1])));
    }

    [Fact]
    public void The_first_free_name_is_taken()
    {
        var plan = Add(Healthy(1));
        Assert.Equal(("p2", "p1"), (plan.Node.Name.ToString(), plan.Primary.Name.ToString()));
        Assert.Equal("p2 becomes a standby of p1: demo has 2 nodes", plan.Summary);
        Assert.Equal([P(1), P(2)], plan.Intent.Members);
        Assert.Equal([P(1)], plan.Before.Members);
        Assert.Empty(plan.Others);

        Assert.Equal(P(2), Add(Of(Healthy().Nodes[0], Healthy().Nodes[2])).Node.Name);
        Assert.Equal(P(5), Add(Left(Healthy(), 4)).Node.Name);
        Assert.Equal(P(7), Add(Healthy(), 7).Node.Name);
    }

    [Fact]
    public void Every_node_that_can_be_reached_learns_of_it_the_primary_first()
    {
        var state = Healthy(4).With(2, Hung).With(3, Stopped);
        Assert.Equal([P(1), P(3), P(4)], Add(state).Present.Select(node => node.Name));
    }

    [Fact]
    public void Adding_who_is_there_changes_nothing_and_who_is_not_in_its_place_is_named()
    {
        Assert.Equal("p2 is a node of demo already; nothing was done", Add(Healthy(), 2).Summary);
        Assert.True(Add(Healthy(), 2).NothingToDo);
        Assert.EndsWith("; put it right: pgflow repair demo", Refused(() => Add(Gone, 3)), Ordinal);
    }

    [Fact]
    public void Nothing_is_added_beside_a_node_that_is_to_be_made()
    {
        Assert.Equal(
            "p3 is to be a node of demo, and is without a container; its volume holds a standby's data on timeline 1; "
                + "put it right: pgflow repair demo; remove what is left of it: pgflow remove-node demo p3",
            Refused(() => Add(Gone))
        );
        Assert.StartsWith(
            "p3 is to be a node of demo",
            Refused(() => Add(Healthy().With(3, node => Stopped(node) with { Control = null, Container = "created" }))),
            Ordinal
        );
    }

    [Fact]
    public void What_has_the_new_nodes_name_is_left_alone()
    {
        Assert.Equal(
            "there is a container or a volume pgflow-demo-p4 already; remove what is left of it: "
                + "pgflow remove-node demo p4",
            Refused(() => Add(Left(Healthy(), 4), 4))
        );
        Assert.Equal(
            "there is a container or a volume pgflow-demo-p4 already; it is not PgFlow's: remove or rename it, or choose "
                + "another name",
            Refused(() => Add(Left(Healthy(), 4, ResourceState.Foreign), 4))
        );
        Assert.Equal("every name from p1 to p9 is taken on demo", Refused(() => Add(Healthy(9))));
    }

    [Fact]
    public void A_stopped_node_without_data_comes_back_by_a_repair()
    {
        var state = Healthy().With(3, node => Stopped(node) with { Control = null, RestartPolicy = "no" });
        var plan = RepairClusterPlan.From(new() { Cluster = Cluster }, state);
        Assert.Equal((P(3), false), (Assert.Single(plan.Returning).Id.Name, plan.Returning[0].HasData));
        var finding = Inspection.DeviationsOf(state).Single(one => one.Code is FindingCode.NotAStandby);
        Assert.Equal("RepairCluster", finding.Hint!.Procedure);
    }

    [Fact]
    public void The_primary_is_not_removed()
    {
        Assert.Equal(
            "p1 is the primary; make another node the primary: pgflow switchover demo",
            Refused(() => Remove(1))
        );
        Assert.Equal(
            "p1 is the primary; remove the cluster with its data: pgflow destroy demo",
            Refused(() => Remove(1, Healthy(1)))
        );
        Assert.Equal("demo has no node p4; it has p1, p2, p3", Refused(() => Remove(4)));
    }

    [Fact]
    public void A_standby_goes_with_its_data_and_the_last_one_with_a_warning()
    {
        var plan = Remove(3);
        Assert.Equal((P(1), true, false), (plan.Primary.Name, plan.HasData, plan.LacksContainer));
        Assert.Equal([P(1), P(2)], plan.Members);
        Assert.Equal(["p3's container and volume are removed: nothing brings its data back"], Warned(plan));
        Assert.Equal(
            [
                "p2's container and volume are removed: nothing brings its data back",
                "p2 is the last standby: nothing takes over when p1 is lost, but a recovery from a backup",
            ],
            Warned(Remove(2, Healthy(2)))
        );
    }

    [Fact]
    public void Its_confirmation_is_lifted_first()
    {
        Assert.Null(Remove(3).Lift);
        var plan = Remove(3, Synchronous("ANY 2 (p2, p3)", quorum: 2));
        Assert.Equal((true, 1), (plan.Lift!.Streams, plan.Lift.Confirmations));
        Assert.Contains("commits on p1 wait for 1 standby instead of 2", Warned(plan));
        Assert.Equal("p1, p2, p3", string.Join(", ", plan.Settings.Members)); // until that is recorded
    }

    [Fact]
    public void What_only_it_may_have_confirmed_before_is_proven_to_be_on_others_first()
    {
        var state = Synchronous("ANY 1 (p2)").With(1, node => node with { EarlierStandbyNames = "ANY 1 (p3)" });
        Assert.NotNull(Remove(3, state).Lift);
        Assert.Null(Remove(3, Synchronous("ANY 1 (p2)")).Lift);
    }

    [Fact]
    public void A_node_that_is_gone_is_removed_with_what_is_left_of_it()
    {
        var volume = Remove(3, Gone);
        Assert.Equal((true, true, false), (volume.HasData, volume.LacksContainer, volume.Returns));
        var nothing = Remove(3, Gone.With(3, node => node with { HasVolume = false }));
        Assert.Equal((false, false), (nothing.HasData, nothing.LacksContainer));
    }

    [Fact]
    public void A_second_primary_is_removed_when_it_is_named_and_stays_fenced_if_that_fails()
    {
        var plan = Remove(2, Healthy().With(2, node => node with { Role = NodeRole.Primary }));
        Assert.Equal((P(1), false), (plan.Primary.Name, plan.Returns));
        Assert.Contains("p2 accepts writes: what p1 does not have of them is dropped from the cluster", Warned(plan));
    }

    [Fact]
    public void Whose_volume_somebody_else_uses_is_not_removed() =>
        Assert.Equal(
            "container web uses volume pgflow-demo-p3 and is not PgFlow's; remove or rename it first",
            Refused(() =>
                Remove(
                    3,
                    Healthy() with
                    {
                        Resources = [new(ResourceKind.Container, "web", ResourceState.Foreign, "pgflow-demo-p3")],
                    }
                )
            )
        );

    private const StringComparison Ordinal = StringComparison.Ordinal;

    private static AddStandbyPlan Add(ClusterState state, int? node = null) =>
        AddStandbyPlan.From(new() { Cluster = Cluster, Node = node is { } number ? P(number) : null }, state);

    private static RemoveNodePlan Remove(int node, ClusterState? state = null) =>
        RemoveNodePlan.From(new() { Cluster = Cluster, Node = P(node) }, state ?? Healthy());

    private static string Refused(Func<Plan> plan) => Said(Assert.Throws<PgFlowException>(plan));

    private static IEnumerable<string> Warned(Plan plan) => plan.Warnings.Select(HintText.Line);

    private static ClusterState Naming(ClusterState state, params int[] nodes) =>
        state with
        {
            Nodes = [.. state.Nodes.Select(node => node with { Members = [.. nodes.Select(P)] })],
        };

    private static ClusterState Left(ClusterState state, int node, ResourceState whose = ResourceState.Labelled) =>
        state with
        {
            Resources = [new(ResourceKind.Volume, $"pgflow-demo-p{node}", whose)],
        };
}

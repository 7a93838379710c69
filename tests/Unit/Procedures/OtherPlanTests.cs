using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class OtherPlanTests
{
    [Theory]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void Remake_knows_whether_the_node_ran(int number, bool running)
    {
        var plan = RemakeStandbyPlan.From(new() { Cluster = Cluster, Node = P(number) }, Healthy().With(3, Stopped));

        Assert.Equal((P(number), P(1), running), (plan.Node.Name, plan.Primary.Name, plan.Before.WasRunning));
        Assert.Equal([P(2), P(3)], plan.Others);
    }

    [Fact]
    public void A_node_that_was_fenced_before_stays_fenced_when_a_remake_is_undone()
    {
        var fenced = Healthy()
            .With(
                3,
                node =>
                    node with
                    {
                        Role = NodeRole.Stopped,
                        Container = "exited",
                        StandbySignal = true,
                        RestartPolicy = "no",
                    }
            );
        Assert.True(RemakeStandbyPlan.From(new() { Cluster = Cluster, Node = P(3) }, fenced).Before.WasFenced);
        Assert.False(
            RemakeStandbyPlan
                .From(new() { Cluster = Cluster, Node = P(3) }, Healthy().With(3, Stopped))
                .Before.WasFenced
        );
        Assert.False(RemakeStandbyPlan.From(new() { Cluster = Cluster, Node = P(3) }, Healthy()).Before.WasFenced);
    }

    [Fact]
    public void Of_two_writable_nodes_the_named_one_is_remade_and_stays_fenced_if_that_fails()
    {
        var plan = RemakeStandbyPlan.From(
            new() { Cluster = Cluster, Node = P(2) },
            Healthy().With(2, node => node with { Role = NodeRole.Primary })
        );
        Assert.Equal((P(1), true), (plan.Primary.Name, plan.WasWrong));
        Assert.Equal(
            ["p2 accepts writes: what p1 does not have of them is dropped from the cluster"],
            plan.Warnings.Select(HintText.Line)
        );
    }

    [Fact]
    public void An_old_primary_that_is_stopped_stays_fenced_too_if_its_remake_fails() =>
        Assert.True(
            RemakeStandbyPlan
                .From(
                    new() { Cluster = Cluster, Node = P(2) },
                    Healthy().With(2, node => node with { Role = NodeRole.Stopped, StandbySignal = false })
                )
                .WasWrong
        );

    [Fact]
    public void Remake_of_the_primary_is_refused() =>
        Assert.StartsWith(
            "p1 is the primary; ",
            Sample.Said(
                Assert.Throws<PgFlowException>(() =>
                    RemakeStandbyPlan.From(new() { Cluster = Cluster, Node = P(1) }, Healthy())
                )
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void Init_plans_a_primary_and_standbys()
    {
        var plan = InitClusterPlan.From(new() { Cluster = Cluster, Nodes = 3 }, Nothing);

        Assert.Equal(P(1), plan.Primary.Name);
        Assert.Equal([P(2), P(3)], plan.Standbys.Select(node => node.Name));
        Assert.Empty(InitClusterPlan.From(new() { Cluster = Cluster, Nodes = 1 }, Nothing).Standbys);
        Assert.Single(
            InitClusterPlan
                .From(
                    new()
                    {
                        Cluster = Cluster,
                        Nodes = 1,
                        Sync = true,
                    },
                    Nothing
                )
                .Warnings.Select(HintText.Line)
        );
    }

    [Fact]
    public void Init_leaves_a_cluster_as_asked_for_alone()
    {
        Assert.True(InitClusterPlan.From(new() { Cluster = Cluster, Nodes = 3 }, Healthy()).NothingToDo);
        Assert.Equal(
            "there is a cluster demo already, and it differs: nodes is 3, not 2; image is postgres:17, not "
                + "postgres:16; archive is External, not Local; vip is 10.0.0.9, not 10.0.0.8; subnet is "
                + "10.77.1.0/24, not 10.1.0.0/16; externalNetwork is lan, not wan",
            Sample.Said(
                Assert.Throws<PgFlowException>(() =>
                    InitClusterPlan.From(
                        new()
                        {
                            Cluster = Cluster,
                            Nodes = 2,
                            Image = "postgres:16",
                            Archive = ArchiveMode.Local,
                            Vip = "10.0.0.8",
                            Subnet = "10.1.0.0/16",
                            ExternalNetwork = "wan",
                        },
                        Healthy()
                    )
                )
            )
        );
    }

    [Fact]
    public void Init_of_a_cluster_that_is_there_says_what_is_wrong_with_it()
    {
        var plan = InitClusterPlan.From(new() { Cluster = Cluster, Nodes = 3 }, Healthy().With(2, Stopped));
        Assert.Equal("cluster demo is there already, as asked for; nothing was done", plan.Summary);
        Assert.Equal(
            "p2 is no running standby (stopped, container exited); bring it back: pgflow failback demo p2",
            HintText.Line(Assert.Single(plan.Warnings))
        );
    }

    public static TheoryData<ClusterState, string> Leftovers =>
        new()
        {
            {
                Nothing with
                {
                    Resources = [Labelled(ResourceKind.Volume, "v")],
                },
                "something of demo is there already: volume v; nothing was touched; remove the cluster with "
                    + "its data: pgflow destroy demo; choose another name"
            },
            {
                Nothing with
                {
                    Resources = [Foreign],
                },
                "something of demo is there already: container c; nothing was touched; remove or rename what "
                    + "is not PgFlow's (container c); choose another name"
            },
            {
                Healthy(2).With(1, Missing).With(2, Missing) with
                {
                    Resources = [Labelled(ResourceKind.Volume, "v")],
                },
                "something of demo is there already: volume v; nothing was touched; run the cluster again from "
                    + "it: pgflow repair demo; remove the cluster with its data: pgflow destroy demo; choose "
                    + "another name"
            },
        };

    private static Resource Foreign => new(ResourceKind.Container, "c", ResourceState.Foreign);

    private static Resource Labelled(ResourceKind kind, string name) => new(kind, name, ResourceState.Labelled);

    [Theory, MemberData(nameof(Leftovers))]
    public async Task What_is_there_already_is_named_with_the_ways_on(ClusterState state, string why)
    {
        Assert.Equal(
            why,
            Sample.Said(Assert.Throws<PgFlowException>(() => InitClusterPlan.From(new() { Cluster = Cluster }, state)))
        );
        Assert.Equal(
            why,
            Sample.Said(
                await Assert.ThrowsAsync<PgFlowException>(() =>
                    CloneClusterPlan.FromAsync(new() { Cluster = Cluster, From = ClusterName.Parse("other") }, state)
                )
            )
        );
    }

    [Fact]
    public void Destroy_refuses_while_somebody_elses_container_uses_a_volume_and_lets_the_rest_stay()
    {
        Assert.Equal(
            "container web uses volume pgflow-demo-p1: remove it first; nothing was removed",
            Sample.Said(
                Assert.Throws<PgFlowException>(() =>
                    DestroyClusterPlan.From(
                        new() { Cluster = Cluster },
                        Healthy() with
                        {
                            Resources = [new(ResourceKind.Container, "web", ResourceState.Foreign, "pgflow-demo-p1")],
                        }
                    )
                )
            )
        );
        var plan = DestroyClusterPlan.From(
            new() { Cluster = Cluster },
            Nothing with
            {
                Resources = [Foreign, Labelled(ResourceKind.Volume, "v")],
            }
        );
        Assert.Equal(["no node is there", "removed: volume v"], plan.Facts);
        Assert.Equal([Foreign], plan.Foreign);
    }

    [Fact]
    public void Destroy_removes_what_is_left_of_a_cluster_too()
    {
        Assert.Equal(["no node is there"], DestroyClusterPlan.From(new() { Cluster = Cluster }, Nothing).Facts);
        Assert.Equal(
            ["nodes: p1 (primary), p2 (standby)"],
            DestroyClusterPlan.From(new() { Cluster = Cluster }, Healthy(2)).Facts
        );
    }

    [Fact]
    public void A_backup_is_taken_of_the_primary_where_it_writes_no_full_pages()
    {
        var state = Healthy().With(1, node => node with { FullPageWrites = false });

        Assert.Equal(P(1), TakeBackupPlan.From(new() { Cluster = Cluster }, state).Source.Name);
        Assert.Equal(P(2), TakeBackupPlan.From(new() { Cluster = Cluster }, Healthy()).Source.Name);
        Assert.Throws<PgFlowException>(() => TakeBackupPlan.From(new() { Cluster = Cluster, Node = P(2) }, state));
    }

    [Fact]
    public void A_cluster_of_which_something_is_left_is_not_told_to_be_none()
    {
        var left = Nothing with
        {
            Resources =
            [
                new(ResourceKind.Volume, "pgflow-demo-repository", ResourceState.Labelled),
                new(ResourceKind.Network, "pgflow-demo-internal", ResourceState.Missing),
            ],
        };
        Assert.Equal(
            "no node of demo is left, but volume pgflow-demo-repository; remove the cluster with its data: pgflow "
                + "destroy demo",
            Said(Assert.Throws<PgFlowException>(() => left.RequireExisting()))
        );
    }
}

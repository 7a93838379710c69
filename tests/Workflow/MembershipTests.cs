namespace PgFlow.WorkflowTests;

/// <summary>A cluster grows and shrinks, and is told what it is meant to be when that ends half-way.</summary>
public sealed class MembershipTests(TemporalServer server)
{
    [Fact]
    public async Task One_grows_to_three_and_shrinks_to_one()
    {
        await using var world = TestEnvironment.Start(server, nodes: 1);
        await world.SucceedAsync("AddStandby");
        var grown = await world.SucceedAsync("AddStandby");
        Assert.Equal("p3 follows p1: x has 3 nodes", grown.Summary!.Replace($"{world.Cluster}", "x", Ordinal));
        Assert.Equal(
            ["p1, p2, p3", "p1, p2, p3", "p1, p2, p3"],
            world.InMemory.There.Select(name => string.Join(", ", world.InMemory[$"{name}"].Members))
        );
        Assert.Equal(["p2", "p3"], world.InMemory["p1"].Slots.Select(slot => slot.Name));
        Assert.Equal(EndpointRole.ReadOnly, world.InMemory["p3"].Endpoint);
        Assert.True((await InspectAsync(world)).Healthy);

        await world.SucceedAsync("RemoveNode", ("node", "p2"));
        await world.SucceedAsync("RemoveNode", ("node", "p3"));
        Assert.Equal("p1", Assert.Single(world.InMemory.There).ToString());
        Assert.Empty(world.InMemory["p1"].Slots);
        Assert.True((await InspectAsync(world)).Healthy);
        Assert.Equal(4, world.InMemory.Ledger.Count);
        Assert.Empty(world.InMemory.Violations);
    }

    [Fact]
    public async Task Who_confirms_goes_only_when_the_others_have_it_and_who_joins_confirms_when_it_streams()
    {
        await using var world = Scenario.Synchronous(TestEnvironment.Start(server, nodes: 3), 2);
        await world.SucceedAsync("RemoveNode", ("node", "p3"));
        Assert.Equal("ANY 1 (p2)", world.InMemory["p1"].SynchronousStandbyNames);
        Assert.Equal(
            [
                "DemandConfirmations p1",
                "FenceNode p3",
                "SalvageWal p3",
                "KeepArchive p3",
                "WriteMembers p1",
                "WriteMembers p2",
                "SetReplicationSlots p1",
                "RemoveNode p3",
            ],
            Runbook(world)
        );

        var before = world.InMemory.Calls.Count;
        await world.SucceedAsync("AddStandby");
        Assert.Equal("ANY 2 (p2, p3)", world.InMemory["p1"].SynchronousStandbyNames);
        Assert.Equal(
            [
                "InspectImage",
                "WriteMembers p1",
                "WriteMembers p2",
                "CreateNode p3",
                "SetReplicationSlots p1",
                "SetRoles p1",
                "CopyPrimary p3",
                "SwapInCopy p3",
                "LeaveEndpoint p3",
                "WriteSettings p3",
                "StartPostgres p3",
                "SetReplicationSlots p3",
                "ProveStreaming p3",
                "OfferReadOnly p3",
                "DemandConfirmations p1",
            ],
            Runbook(world, before)
        );
    }

    [Fact]
    public async Task Nobody_is_let_go_while_the_other_one_that_is_asked_is_away_for_a_moment()
    {
        await using var world = Scenario.Synchronous(TestEnvironment.Start(server, nodes: 3), 1);
        var (gate, p2) = (world.InMemory.Hold("DemandConfirmations p1"), world.InMemory["p2"]);
        var removal = await world.StartAsync("RemoveNode", ("node", "p3"));
        await gate.Reached;
        world.InMemory.Crash("p2");
        gate.Open();
        await TestEnvironment.UntilAsync(
            removal,
            _ => world.InMemory.Calls.Count(call => call == "DemandConfirmations p1") > 1
        );
        Assert.Equal("ANY 1 (p2, p3)", world.InMemory["p1"].SynchronousStandbyNames);

        world.InMemory["p2"] = p2;
        Assert.Equal(ProcedureStatus.Succeeded, (await removal.GetResultAsync<Report>()).Outcome);
        Assert.Equal("ANY 1 (p2)", world.InMemory["p1"].SynchronousStandbyNames);
    }

    [Theory]
    [InlineData("CreateNode p3")]
    [InlineData("CopyPrimary p3")]
    [InlineData("ProveStreaming p3")]
    public async Task An_addition_that_somebody_terminates_is_missed_and_finished_by_what_is_proposed(string during)
    {
        await using var world = TestEnvironment.Start(server, nodes: 2);
        await TerminateAsync(world, during, "AddStandby");

        var found = (await InspectAsync(world)).Findings.First(finding => finding.Node?.Name == NodeName.Of(3));
        await world.SucceedAsync(found.Hint!.Procedure!, Fields(found.Hint));
        Assert.Equal(NodeRole.Standby, world.InMemory["p3"].Role);
        Assert.True((await InspectAsync(world)).Healthy);
    }

    [Theory]
    [InlineData("SetReplicationSlots p1")]
    [InlineData("RemoveNode p3")]
    public async Task A_removal_that_somebody_terminates_is_finished_by_what_is_proposed(string during)
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        await TerminateAsync(world, during, "RemoveNode", ("node", "p3"));

        var found = Assert.Single((await InspectAsync(world)).Findings);
        Assert.Equal((FindingCode.NodeLeftBehind, "RemoveNode"), (found.Code, found.Hint!.Procedure));
        Assert.Equal(NodeName.Of(4), await NextAsync(world));
        await world.SucceedAsync("RemoveNode", Fields(found.Hint));
        Assert.Equal(2, world.InMemory.There.Count);
        Assert.Equal(["p2"], world.InMemory["p1"].Slots.Select(slot => slot.Name));
        Assert.Equal(NodeName.Of(3), await NextAsync(world));
    }

    [Fact]
    public async Task A_member_whose_container_and_volume_are_gone_is_missed_and_made_again()
    {
        await using var world = TestEnvironment.Start(server, nodes: 1);
        await world.SucceedAsync("AddStandby");
        world.InMemory.Lose("p2");

        var found = (await InspectAsync(world)).Findings[0];
        Assert.Equal((FindingCode.ContainerMissing, "RepairCluster"), (found.Code, found.Hint!.Procedure));
        await world.SucceedAsync("RepairCluster");
        Assert.Equal(NodeRole.Standby, world.InMemory["p2"].Role);
        Assert.True((await InspectAsync(world)).Healthy);
    }

    [Fact]
    public async Task An_image_that_is_gone_makes_no_node()
    {
        await using var world = TestEnvironment.Start(server, nodes: 1);
        world.InMemory.Fail("InspectImage", "no such image", FailureTypes.Refused);
        var failed = await TestEnvironment.FailureAsync(await world.StartAsync("AddStandby"));
        Assert.Contains("no such image", failed.Message, Ordinal);
        Assert.DoesNotContain("CreateNode p2", world.InMemory.Calls);
    }

    [Fact]
    public async Task Who_joins_after_an_update_has_the_image_and_the_settings_of_the_primary()
    {
        await using var world = TestEnvironment.Start(server, nodes: 2);
        await world.SucceedAsync("UpdateCluster", ("image", "postgres:17.7"), ("set", Scenario.Connections("200")));
        await world.SucceedAsync("AddStandby");

        Assert.Equal(NodeRole.Primary, world.InMemory["p2"].Role);
        Assert.Equal("sha256:postgres:17.7", world.InMemory.ImageOf("p3"));
        Assert.Equal("200", world.InMemory.SettingsOf("p3")["max_connections"]);
        Assert.DoesNotContain((await InspectAsync(world)).Findings, IsOfUpdateOrMembers);
    }

    [Fact]
    public async Task The_names_of_all_stay_in_every_nodes_settings_through_updates()
    {
        await using var world = TestEnvironment.Start(server, nodes: 2);
        await world.SucceedAsync("AddStandby");
        await world.SucceedAsync("UpdateCluster", ("set", Scenario.Connections("200")));
        Assert.All(world.InMemory.There, name => Assert.Equal("p1, p2, p3", MembersOf(world, name)));

        await world.SucceedAsync("RemoveNode", ("node", "p1"));
        await world.SucceedAsync("UpdateCluster", ("image", "postgres:17.7"));
        Assert.Equal(["p2", "p3"], world.InMemory.There.Select(name => name.ToString()));
        Assert.All(world.InMemory.There, name => Assert.Equal("p2, p3", MembersOf(world, name)));
        Assert.All(
            world.InMemory.There,
            name => Assert.Equal("sha256:postgres:17.7", world.InMemory.ImageOf($"{name}"))
        );
        Assert.DoesNotContain((await InspectAsync(world)).Findings, IsOfUpdateOrMembers);
    }

    [Fact]
    public async Task What_is_left_of_a_removed_node_takes_no_part_in_an_update_and_goes_afterwards()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        await TerminateAsync(world, "RemoveNode p3", "RemoveNode", ("node", "p3"));
        var before = world.InMemory.Calls.Count;
        await world.SucceedAsync("UpdateCluster", ("image", "postgres:17.7"));
        Assert.DoesNotContain(world.InMemory.Calls.Skip(before), call => call.EndsWith(" p3", Ordinal));
        Assert.Equal("sha256:one", world.InMemory.ImageOf("p3"));

        await world.SucceedAsync("RemoveNode", ("node", "p3"));
        Assert.Equal(2, world.InMemory.There.Count);
    }

    [Fact]
    public async Task A_node_that_is_missed_keeps_the_cluster_as_it_is_until_it_is_back_or_removed()
    {
        await using var world = TestEnvironment.Start(server, nodes: 1);
        await world.SucceedAsync("AddStandby");
        world.InMemory.Lose("p2");
        var failed = await world.FailAsync("UpdateCluster", ("image", "postgres:17.7"));
        Assert.Equal(FailureTypes.Refused, failed.Type);
        Assert.Contains("p2 is without a container", failed.Message, Ordinal);

        await world.SucceedAsync("RemoveNode", ("node", "p2"));
        await world.SucceedAsync("UpdateCluster", ("image", "postgres:17.7"));
        Assert.Equal("sha256:postgres:17.7", world.InMemory.ImageOf("p1"));
        Assert.Equal("p1", MembersOf(world, NodeName.Of(1)));
    }

    [Fact]
    public async Task A_node_that_waits_for_a_restart_is_removed_and_nothing_waits_any_more()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory["p3"] = world.InMemory["p3"] with { PendingRestart = ["max_connections"] };
        Assert.Contains((await InspectAsync(world)).Findings, finding => finding.Code is FindingCode.RestartPending);
        await world.SucceedAsync("RemoveNode", ("node", "p3"));
        Assert.True((await InspectAsync(world)).Healthy);
    }

    private const StringComparison Ordinal = StringComparison.Ordinal;

    private static bool IsOfUpdateOrMembers(Finding finding) =>
        finding.Code is FindingCode.ImageDiffers or FindingCode.RestartPending or FindingCode.MembersDiffer;

    private static string MembersOf(TestEnvironment world, NodeName name) =>
        string.Join(", ", world.InMemory[name.ToString()].Members);

    private static async Task TerminateAsync(
        TestEnvironment world,
        string during,
        string procedure,
        params (string Name, object Value)[] fields
    )
    {
        var gate = world.InMemory.Hold(during);
        var handle = await world.StartAsync(procedure, fields);
        await gate.Reached;
        await handle.TerminateAsync();
        var lease = world.Client.GetWorkflowHandle(ClusterLease.IdOf(world.Cluster));
        await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(() => lease.GetResultAsync());
        gate.Open(); // the server ends the lease a moment after its procedure: what goes on before still holds it
    }

    private static async Task<Inspection> InspectAsync(TestEnvironment world) =>
        await (await world.StartAsync("InspectCluster")).GetResultAsync<Inspection>();

    private static async Task<NodeName> NextAsync(TestEnvironment world)
    {
        var planned = await world.SucceedAsync("AddStandby", ("dryRun", true));
        return NodeName.Parse(planned.Plan!.Summary.Split(' ')[0]);
    }

    private static (string, object)[] Fields(Hint hint) =>
        [
            .. hint.Input!.Where(field => field.Key != "cluster")
                .Select(field => (field.Key, (object)field.Value!.ToString())),
        ];

    private static IEnumerable<string> Runbook(TestEnvironment world, int from = 0) =>
        world.InMemory.Calls.Skip(from).Where(world.InMemory.Changes.Contains).Where(call => call != "RemoveJobs");
}

namespace PgFlow.WorkflowTests;

/// <summary>In which order nodes get another image, or other settings, and what is left after a failure.</summary>
public sealed class UpdateTests(TemporalServer server)
{
    private static readonly string[] All = ["p1", "p2", "p3"];

    [Fact]
    public async Task One_standby_streams_again_before_the_next_stops_and_the_old_primary_is_last()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        await world.SucceedAsync("UpdateCluster", ("image", "postgres:17.7"), ("set", Scenario.Connections("200")));

        world.InMemory.Changes.AssertOrder(
            "FenceNode p2",
            "ReplaceContainer p2",
            "WriteClusterSettings p2",
            "StartPostgres p2",
            "ProveStreaming p2",
            "FenceNode p3",
            "ReplaceContainer p3",
            "ProveStreaming p3",
            "StopPostgres p1",
            "PromoteStandby p2",
            "ReplaceContainer p1",
            "WriteClusterSettings p1",
            "SalvageWal p1",
            "StartPostgres p1",
            "ProveStreaming p1"
        );
        Assert.Equal(NodeRole.Primary, world.InMemory["p2"].Role);
        Assert.All(All, name => Assert.Equal("sha256:postgres:17.7", world.InMemory.ImageOf(name)));
        Assert.All(All, name => Assert.Equal("200", world.InMemory.SettingsOf(name)["max_connections"]));
    }

    [Fact]
    public async Task What_the_standbys_need_as_much_of_is_lowered_on_the_primary_first_without_a_switchover()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        var report = await world.SucceedAsync("UpdateCluster", ("set", Scenario.Connections("50")));

        Assert.Contains(report.Plan!.Warnings, warning => warning.Code is FindingCode.Outage);
        world.InMemory.Changes.AssertOrder(
            "StopPostgres p1",
            "WriteClusterSettings p1",
            "StartPostgres p1",
            "ProveEndpoint p1",
            "FenceNode p2",
            "ProveStreaming p2",
            "FenceNode p3"
        );
        Assert.Equal(NodeRole.Primary, world.InMemory["p1"].Role);
    }

    [Fact]
    public async Task Where_a_reload_is_enough_nothing_is_restarted()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        await world.SucceedAsync("UpdateCluster", ("set", Scenario.WorkMemory));

        Assert.Equal(
            ["WriteClusterSettings p2", "WriteClusterSettings p3", "WriteClusterSettings p1"],
            world.InMemory.Changes.Where(call => !call.StartsWith("Inspect", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task A_standby_that_does_not_come_up_with_it_goes_back_and_so_do_those_before_it()
    {
        await using var world = Scenario.Synchronous(TestEnvironment.Start(server, nodes: 3), 1);
        world.InMemory.Broken = ("p3", "sha256:postgres:17.7");
        var failed = await world.FailAsync("UpdateCluster", ("image", "postgres:17.7"));

        Assert.Equal((FailureTypes.Unchanged, "p3 ended with 1 when it was started"), (failed.Type, failed.Message));
        Assert.All(All, name => Assert.Equal("sha256:one", world.InMemory.ImageOf(name)));
        Assert.Equal(NodeRole.Primary, world.InMemory["p1"].Role);
        Assert.All(
            All.Skip(1),
            name =>
                Assert.Equal(
                    (NodeRole.Standby, EndpointRole.ReadOnly),
                    (world.InMemory[name].Role, world.InMemory[name].Endpoint)
                )
        );
        Assert.Equal("ANY 1 (p2, p3)", world.InMemory["p1"].SynchronousStandbyNames);
    }

    [Fact]
    public async Task A_primary_that_does_not_come_up_where_it_is_goes_back()
    {
        await using var world = TestEnvironment.Start(server, nodes: 1);
        world.InMemory.Broken = ("p1", "sha256:postgres:17.7");
        var failed = await world.FailAsync("UpdateCluster", ("image", "postgres:17.7"));
        Assert.Equal((FailureTypes.Unchanged, "p1 ended with 1 when it was started"), (failed.Type, failed.Message));

        Assert.Equal("sha256:one", world.InMemory.ImageOf("p1"));
        Assert.Equal(
            (NodeRole.Primary, EndpointRole.ReadWrite),
            (world.InMemory["p1"].Role, world.InMemory["p1"].Endpoint)
        );
    }

    [Fact]
    public async Task No_commit_waits_for_a_standby_that_is_away()
    {
        await using var world = Scenario.Synchronous(TestEnvironment.Start(server, nodes: 3), 2);
        var gate = world.InMemory.Hold("FenceNode p3");
        var handle = await world.StartAsync("UpdateCluster", ("set", Scenario.Connections("200")));
        await gate.Reached;
        Assert.Equal("ANY 1 (p2)", world.InMemory["p1"].SynchronousStandbyNames);
        gate.Open();
        await handle.GetResultAsync();
        Assert.Equal("ANY 2 (p1, p3)", world.InMemory["p2"].SynchronousStandbyNames);
    }

    [Fact]
    public async Task Again_it_finds_nothing_to_do()
    {
        await using var world = TestEnvironment.Start(server, nodes: 2);
        (string, object)[] input = [("image", "postgres:17.7"), ("set", Scenario.Connections("200"))];
        await world.SucceedAsync("UpdateCluster", input);
        var again = await world.SucceedAsync("UpdateCluster", input);

        Assert.Contains("nothing was done", again.Summary, StringComparison.Ordinal);
        Assert.Empty(again.Steps);
    }

    [Theory]
    [InlineData("p2")]
    [InlineData("p1")]
    public async Task A_cancel_that_leaves_a_node_without_its_container_leaves_it_so_for_no_longer(string node)
    {
        await using var world = TestEnvironment.Start(server, nodes: 2);
        var gate = world.InMemory.Hold($"ReplaceContainer {node}");
        gate.WhileHeld = () => world.InMemory[node] = world.InMemory[node] with { Role = NodeRole.Missing };
        var handle = await world.StartAsync("UpdateCluster", ("image", "postgres:17.7"));
        await gate.Reached;
        await handle.CancelAsync();
        if (node == "p2")
        {
            gate.WhileHeld = () => { };
            gate.Open();
            await TestEnvironment.CancelledAsync(handle);
            Assert.Equal("sha256:one", world.InMemory.ImageOf(node));
        }
        else
        {
            var blocked = await TestEnvironment.UntilAsync(
                handle,
                now => now.Blocked.Count > 0 && now.Steps.All(step => step.State is not StepState.Running)
            );
            gate.Open();
            foreach (var step in blocked.Blocked)
            {
                await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry, step.Step);
            }

            Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
            Assert.Equal("sha256:postgres:17.7", world.InMemory.ImageOf(node));
        }

        Assert.Equal(NodeRole.Standby, world.InMemory[node].Role);
    }

    [Fact]
    public async Task What_a_node_missed_of_an_earlier_update_it_gets_by_a_restart()
    {
        await using var world = TestEnvironment.Start(server, nodes: 2);
        world.InMemory.Set("p1", "shared_buffers", "256MB");
        await world.SucceedAsync("UpdateCluster");

        world.InMemory.Changes.AssertOrder("FenceNode p2", "WriteClusterSettings p2", "StartPostgres p2");
        Assert.Equal(world.InMemory.SettingsOf("p1"), world.InMemory.SettingsOf("p2"));
        Assert.Equal(NodeRole.Primary, world.InMemory["p1"].Role);
    }

    [Fact]
    public async Task Two_nodes_of_which_one_confirms_go_on_while_it_is_away()
    {
        await using var world = TestEnvironment.Start(server, nodes: 2);
        foreach (var name in All.Take(2))
        {
            world.InMemory[name] = world.InMemory[name] with
            {
                Quorum = 1,
                SynchronousStandbyNames = name == "p1" ? "ANY 1 (p2)" : "",
            };
        }

        var gate = world.InMemory.Hold("FenceNode p2");
        var handle = await world.StartAsync("UpdateCluster", ("set", Scenario.Connections("200")));
        await gate.Reached;
        Assert.Equal("", world.InMemory["p1"].SynchronousStandbyNames);
        gate.Open();
        var report = await handle.GetResultAsync<Report>();
        Assert.Contains(report.Plan!.Warnings, warning => warning.Code is FindingCode.FewerConfirm);
        Assert.Equal("ANY 1 (p1)", world.InMemory["p2"].SynchronousStandbyNames);
    }
}

namespace PgFlow.WorkflowTests;

/// <summary>Of whom a synchronous primary asks its confirmations, however a procedure ended.</summary>
public sealed class SynchronousTests(TemporalServer server)
{
    [Fact]
    public async Task A_switchover_that_ends_before_the_primary_asks_is_a_finding_that_repair_puts_right()
    {
        await using var world = Start("ANY 1 (p2)");
        world.InMemory.Fail("ProveStreaming p1", "p1 is not there");
        var handle = await world.StartAsync("Switchover");
        await TestEnvironment.BlockedAsync(handle);
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Abort);
        Assert.Equal(FailureTypes.Incomplete, (await TestEnvironment.FailureAsync(handle)).Type);
        world.InMemory.Repair("ProveStreaming p1");

        var finding = (await FindingsAsync(world)).Single(found => found.Code is FindingCode.SynchronousStandbysDiffer);
        Assert.Equal(("it is '', expected 'ANY 1 (p1)'", "RepairCluster"), (finding.Detail, finding.Hint!.Procedure));

        await world.SucceedAsync("RepairCluster");
        Assert.Equal("ANY 1 (p1)", world.InMemory["p2"].SynchronousStandbyNames);
        Assert.Empty(await FindingsAsync(world));
    }

    [Theory]
    [InlineData("Failback")]
    [InlineData("RemakeStandby")]
    public async Task After_a_failover_who_comes_back_is_asked(string procedure)
    {
        await using var world = Start("ANY 1 (p2)");
        world.InMemory.Crash("p1");
        await world.SucceedAsync("Failover");
        Assert.Equal("", world.InMemory["p2"].SynchronousStandbyNames);
        Assert.Equal(
            [FindingCode.NotAStandby, FindingCode.FewerConfirm],
            (await FindingsAsync(world)).Select(finding => finding.Code)
        );

        await world.SucceedAsync(procedure, ("node", "p1"));
        Assert.Equal("ANY 1 (p1)", world.InMemory["p2"].SynchronousStandbyNames);
        Assert.Empty(await FindingsAsync(world));
    }

    [Fact]
    public async Task A_failover_that_is_cancelled_before_its_point_of_no_return_leaves_what_is_asked()
    {
        await using var world = Start("ANY 1 (p2, p3)", nodes: 3);
        var gate = world.InMemory.Hold("ObserveCandidate p2");
        var handle = await world.StartAsync("Failover", ("force", true));
        await gate.Reached;
        await handle.CancelAsync();
        await TestEnvironment.CancelledAsync(handle);
        gate.Open();

        Assert.DoesNotContain(
            world.InMemory.Changes,
            call => call.StartsWith("WriteSettings", StringComparison.Ordinal)
        );
        Assert.Equal("ANY 1 (p2, p3)", world.InMemory["p1"].SynchronousStandbyNames);
        Assert.Empty(await FindingsAsync(world));
    }

    [Fact]
    public async Task It_is_in_force_and_proven_before_the_standbys_remember_it()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        await world.SucceedAsync("SetSynchronousReplication", ("quorum", 2));

        foreach (var standby in (string[])["p2", "p3"])
        {
            world.InMemory.Changes.AssertOrder("DemandConfirmations p1", "ProveEndpoint p1", $"WriteQuorum {standby}");
        }

        Assert.Equal("ANY 2 (p2, p3)", world.InMemory["p1"].SynchronousStandbyNames);
        Assert.All((string[])["p1", "p2", "p3"], name => Assert.Equal(2, world.InMemory[name].Quorum));
        Assert.Empty(await FindingsAsync(world));

        var before = world.InMemory.Changes.Count;
        var again = await world.SucceedAsync("SetSynchronousReplication", ("quorum", 2));
        Assert.Contains("nothing was done", again.Summary, StringComparison.Ordinal);
        Assert.Equal(before, world.InMemory.Changes.Count);
    }

    [Fact]
    public async Task Whom_a_smaller_number_lets_go_does_not_wait_again()
    {
        await using var world = Start("ANY 2 (p2, p3)", nodes: 3, quorum: 2);
        world.InMemory.Fail("ProveEndpoint p1", "nobody holds the virtual IP");
        var handle = await world.StartAsync("SetSynchronousReplication", ("quorum", 1));
        await TestEnvironment.BlockedAsync(handle);
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Skip);
        Assert.Equal(FailureTypes.Incomplete, (await TestEnvironment.FailureAsync(handle)).Type);

        Assert.Equal("ANY 1 (p2, p3)", world.InMemory["p1"].SynchronousStandbyNames);
        Assert.Equal(1, world.InMemory["p2"].Quorum);
    }

    [Fact]
    public async Task Where_a_commit_hangs_by_it_it_is_taken_back()
    {
        await using var world = Start("ANY 1 (p2, p3)", nodes: 3);
        world.InMemory.Fail("ProveEndpoint p1", "no commit within 15 s");
        var failed = await world.FailAsync("SetSynchronousReplication", ("quorum", 2));

        Assert.Equal(FailureTypes.Unchanged, failed.Type);
        Assert.Equal(
            ("ANY 1 (p2, p3)", 1),
            (world.InMemory["p1"].SynchronousStandbyNames, world.InMemory["p1"].Quorum)
        );
        Assert.Equal(1, world.InMemory["p2"].Quorum);
        Assert.Empty(await FindingsAsync(world));
    }

    [Fact]
    public async Task A_standby_that_can_not_remember_it_takes_it_back_from_nobody()
    {
        await using var world = Start("ANY 1 (p2, p3)", nodes: 3);
        world.InMemory.Fail("WriteQuorum p3", "No space left on device");
        var handle = await world.StartAsync("SetSynchronousReplication", ("quorum", 2));
        await TestEnvironment.BlockedAsync(handle);
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Skip);
        Assert.Equal(FailureTypes.Incomplete, (await TestEnvironment.FailureAsync(handle)).Type);

        Assert.Equal("ANY 2 (p2, p3)", world.InMemory["p1"].SynchronousStandbyNames);
        var finding = Assert.Single(await FindingsAsync(world));
        Assert.Equal((FindingCode.QuorumDiffers, "p3"), (finding.Code, finding.Node.ToString()));

        world.InMemory.Repair("WriteQuorum p3");
        Assert.Equal("SetSynchronousReplication", finding.Hint!.Procedure);
        await world.SucceedAsync("SetSynchronousReplication", ("quorum", 2));
        Assert.Empty(await FindingsAsync(world));
    }

    [Fact]
    public async Task A_stopped_primary_finds_it_in_its_settings_and_a_failover_knows_what_it_demanded_before()
    {
        await using var world = Scenario.Crashed(Start("", nodes: 3, quorum: 0));
        await world.SucceedAsync("SetSynchronousReplication", ("quorum", 2));

        Assert.DoesNotContain("ProveEndpoint p1", world.InMemory.Changes);
        Assert.Equal(
            ("ANY 2 (p2, p3)", "", 2),
            (
                world.InMemory["p1"].SynchronousStandbyNames,
                world.InMemory["p1"].EarlierStandbyNames,
                world.InMemory["p3"].Quorum
            )
        );
        Assert.Equal(NodeRole.Stopped, world.InMemory["p1"].Role);
        Assert.StartsWith(
            "p1 may have acknowledged its last commits without confirmation",
            (await world.FailAsync("Failover")).Message,
            StringComparison.Ordinal
        );

        await world.SucceedAsync("Failover", ("force", true));
        Assert.Equal("ANY 1 (p3)", world.InMemory["p2"].SynchronousStandbyNames);
        await world.SucceedAsync("Failback", ("node", "p1"));
        Assert.Equal("ANY 2 (p1, p3)", world.InMemory["p2"].SynchronousStandbyNames);
        Assert.Empty(await FindingsAsync(world));
    }

    [Fact]
    public async Task A_quorum_goes_along_through_role_changes_remake_and_recovery()
    {
        await using var world = Start("ANY 2 (p2, p3)", nodes: 3, quorum: 2);
        await world.SucceedAsync("Switchover", ("to", "p2"));
        Assert.Equal("ANY 2 (p1, p3)", world.InMemory["p2"].SynchronousStandbyNames);
        Assert.Empty(await FindingsAsync(world));

        await world.SucceedAsync("RemakeStandby", ("node", "p1"));
        Assert.Equal("ANY 2 (p1, p3)", world.InMemory["p2"].SynchronousStandbyNames);

        world.InMemory.Crash("p2");
        await world.SucceedAsync("Failover", ("to", "p3"));
        Assert.Equal("ANY 1 (p1)", world.InMemory["p3"].SynchronousStandbyNames);
        Assert.Equal(
            [FindingCode.NotAStandby, FindingCode.FewerConfirm],
            (await FindingsAsync(world)).Select(finding => finding.Code)
        );

        await world.SucceedAsync("Failback", ("node", "p2"));
        Assert.Equal("ANY 2 (p1, p2)", world.InMemory["p3"].SynchronousStandbyNames);
        world.InMemory.Target = world.InMemory.Target with { Timeline = new(3), NewTimeline = new(4) };
        await world.SucceedAsync("RecoverCluster", ("latest", true));
        Assert.Equal("ANY 2 (p1, p2)", world.InMemory["p3"].SynchronousStandbyNames);
        Assert.All((string[])["p1", "p2", "p3"], name => Assert.Equal(2, world.InMemory[name].Quorum));
        Assert.Empty(await FindingsAsync(world));
    }

    [Fact]
    public async Task Of_one_that_does_not_follow_no_confirmation_is_demanded()
    {
        await using var world = Start("ANY 2 (p2, p3)", nodes: 3, quorum: 2);
        world.InMemory.Fail("ProveStreaming p3", "p3 is not there");
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        await TestEnvironment.BlockedAsync(handle);
        await TestEnvironment.UntilAsync(
            handle,
            progress => progress.Steps.Any(step => step is { Id: "follow/p1", State: StepState.Done })
        );
        Assert.Equal("ANY 1 (p1, p3)", world.InMemory["p2"].SynchronousStandbyNames); // p1 confirms, nobody waits

        world.InMemory.Crash("p3");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Skip);
        Assert.Equal(FailureTypes.Incomplete, (await TestEnvironment.FailureAsync(handle)).Type);
        Assert.Equal("ANY 1 (p1, p3)", world.InMemory["p2"].SynchronousStandbyNames);
    }

    [Fact]
    public async Task A_confirmation_is_lifted_before_its_standby_is_remade_and_comes_back_with_an_undo()
    {
        await using var world = Start("ANY 1 (p2)");
        var gate = world.InMemory.Hold("FenceNode p2");
        world.InMemory.Fail("SwapInCopy p2", "the disk is full");
        var handle = await world.StartAsync("RemakeStandby", ("node", "p2"));
        await gate.Reached;
        Assert.Equal("", world.InMemory["p1"].SynchronousStandbyNames);
        gate.Open();

        Assert.Equal(FailureTypes.Unchanged, (await TestEnvironment.FailureAsync(handle)).Type);
        world.InMemory.Changes.AssertOrder(
            "DemandConfirmations p1",
            "FenceNode p2",
            "UnfenceNode p2",
            "ProveStreaming p2",
            "DemandConfirmations p1"
        );
        Assert.Equal("ANY 1 (p2)", world.InMemory["p1"].SynchronousStandbyNames);
        Assert.Empty(await FindingsAsync(world));
    }

    [Fact]
    public async Task Who_is_remade_is_not_asked_before_its_data_goes()
    {
        await using var world = Start("ANY 1 (p2, p3)", nodes: 3);
        await world.SucceedAsync("RemakeStandby", ("node", "p3"));

        Assert.Equal(
            ["DemandConfirmations p1", "FenceNode p3"],
            world
                .InMemory.Changes.Where(call => call.Split(' ')[0] is not ("SetReplicationSlots" or "SetRoles"))
                .Take(2)
        );
        Assert.Equal("ANY 1 (p2, p3)", world.InMemory["p1"].SynchronousStandbyNames);
    }

    private TestEnvironment Start(string names, int nodes = 2, int quorum = 1)
    {
        var world = TestEnvironment.Start(server, nodes);
        foreach (var name in Enumerable.Range(1, nodes).Select(number => $"p{number}"))
        {
            world.InMemory[name] = world.InMemory[name] with { Quorum = quorum };
        }

        world.InMemory["p1"] = world.InMemory["p1"] with { SynchronousStandbyNames = names };
        return world;
    }

    private static async Task<IReadOnlyList<Finding>> FindingsAsync(TestEnvironment world) =>
        (await (await world.StartAsync("InspectCluster")).GetResultAsync<Inspection>()).Findings;
}

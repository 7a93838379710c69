namespace PgFlow.WorkflowTests;

/// <summary>The order of changes in which nothing is lost (design §8).</summary>
public sealed class OrderTests(TemporalServer server)
{
    [Fact]
    public async Task Switchover_promotes_only_a_candidate_that_has_everything()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        await world.SucceedAsync("Switchover", ("to", "p2"));

        world.InMemory.Changes.AssertOrder(
            "SetReplicationSlots p2",
            "LeaveEndpoint p2",
            "StartPostgres p2",
            "PrepareStop p1",
            "WaitForReplay p2",
            "MarkStandby p1",
            "StopPostgres p1",
            "ProveShutdownReplayed p2",
            "PromoteStandby p2"
        );
        world.InMemory.Changes.AssertOrder(
            "LeaveEndpoint p2",
            "ProveShutdownReplayed p2",
            "ReleaseVirtualIp p1",
            "TakeVirtualIp p2",
            "SetRoles p2",
            "ProveEndpoint p2"
        );
        world.InMemory.Changes.AssertOrder(
            "MarkStandby p1",
            "PromoteStandby p2",
            "PublishTimelineHistory p2",
            "RecordTimeline p2",
            "StartPostgres p1",
            "ProveStreaming p1"
        );
        world.InMemory.Changes.AssertOrder("PublishTimelineHistory p2", "WriteSettings p3", "ProveStreaming p3");
        Assert.Equal(
            (NodeRole.Standby, NodeRole.Primary, NodeRole.Standby),
            (world.InMemory["p1"].Role, world.InMemory["p2"].Role, world.InMemory["p3"].Role)
        );
        Assert.Equal(
            (EndpointRole.ReadOnly, EndpointRole.ReadWrite),
            (world.InMemory["p1"].Endpoint, world.InMemory["p2"].Endpoint)
        );
    }

    [Fact]
    public async Task Switchover_does_not_ask_again_for_what_the_candidate_has_seen()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory.Witnesses = true;
        await world.SucceedAsync("Switchover", ("to", "p2"));

        Assert.DoesNotContain("ProveShutdownReplayed p2", world.InMemory.Changes);
        world.InMemory.Changes.AssertOrder("StopPostgres p1", "PromoteStandby p2");
    }

    [Fact]
    public async Task Switchover_to_the_primary_does_nothing()
    {
        await using var world = TestEnvironment.Start(server);
        var report = await world.SucceedAsync("Switchover", ("to", "p1"));

        Assert.Contains("nothing was done", report.Summary, StringComparison.Ordinal);
        Assert.Empty(world.InMemory.Changes);
    }

    [Fact]
    public async Task Failover_fences_before_it_promotes()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory.Crash("p1");
        world.InMemory["p3"] = world.InMemory["p3"] with { Wal = new(0x5000100) };
        var report = await world.SucceedAsync("Failover");

        world.InMemory.Changes.AssertOrder(
            "FenceNode p1",
            "ObserveCandidate p3",
            "PromoteStandby p3",
            "SetReplicationSlots p3",
            "SetRoles p3",
            "ProveStreaming p2",
            "Checkpoint p3",
            "SalvageWal p1"
        );
        world.InMemory.Changes.AssertOrder("SetRoles p3", "PublishTimelineHistory p3", "Checkpoint p3");
        world.InMemory.Changes.AssertOrder(
            "ObserveCandidate p3",
            "TakeVirtualIp p3",
            "SetRoles p3",
            "ProveEndpoint p3"
        );
        Assert.Equal(NodeRole.Primary, world.InMemory["p3"].Role);
        Assert.Equal(
            [
                "p1 had written 4096 bytes with 3 commits that p3 never received; they are in p1's volume "
                    + "until it is rewound",
                "p1 is fenced",
            ],
            report.Notes
        );
        Assert.Equal($"bring it back: pgflow failback {world.Cluster} p1", HintText.Of(Assert.Single(report.Hints)));
    }

    [Fact]
    public async Task Failover_shows_the_steps_of_a_winner_that_was_not_the_likely_one()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory.Crash("p1");
        var fenced = world.InMemory.Hold("FenceNode p1");
        var handle = await world.StartAsync("Failover");
        await fenced.Reached;
        var likely = (await TestEnvironment.UntilAsync(handle, _ => true)).Plan!;
        world.InMemory["p3"] = world.InMemory["p3"] with { Wal = new(0x5000100) };
        fenced.Open();
        var report = await handle.GetResultAsync<Report>();

        Assert.Contains(new("promote", "p2 is promoted", AfterPointOfNoReturn: true), likely.Steps);
        Assert.Contains(new("follow/p2", "p2 follows p3", AfterPointOfNoReturn: true), report.Plan!.Steps);
        Assert.Equal(
            report.Plan.Steps,
            report.Steps.Select(step => new PlannedStep(step.Id, step.Title, step.AfterPointOfNoReturn))
        );
    }

    [Fact]
    public async Task Failover_compares_standbys_that_must_be_started_for_as_long_as_they_replay()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory.Crash("p1");
        var fenced = world.InMemory.Hold("FenceNode p1");
        var handle = await world.StartAsync("Failover");
        await fenced.Reached;
        foreach (var standby in (string[])["p2", "p3"])
        {
            world.InMemory[standby] = world.InMemory[standby] with { Role = NodeRole.Stopped, Container = "exited" };
        }

        fenced.Open();
        await handle.GetResultAsync<Report>();

        var compare = (await handle.FetchHistoryAsync())
            .Events.Select(happened => happened.ActivityTaskScheduledEventAttributes)
            .Where(scheduled => scheduled?.ActivityType.Name is "ObserveCandidate" or "RestartCandidate")
            .ToList();
        Assert.Equal(6, compare.Count);
        Assert.All(compare, activity => Assert.True(activity.StartToCloseTimeout.ToTimeSpan() > TimeSpan.FromHours(1)));
    }

    [Fact]
    public async Task Failover_does_not_compare_a_standby_with_itself()
    {
        await using var world = TestEnvironment.Start(server, nodes: 2);
        world.InMemory.Crash("p1");
        await world.SucceedAsync("Failover");

        world.InMemory.Changes.AssertOrder("FenceNode p1", "PromoteStandby p2");
        world.InMemory.Changes.AssertOrder("FenceNode p1", "TakeVirtualIp p2");
        Assert.DoesNotContain("ObserveCandidate p2", world.InMemory.Calls);
    }

    [Fact]
    public async Task Failover_to_a_node_that_is_behind_is_refused_and_undone()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        world.InMemory["p3"] = world.InMemory["p3"] with { Wal = new(0x5000100) };
        var failed = await world.FailAsync("Failover", ("to", "p2"), ("force", true));

        Assert.Equal(FailureTypes.Refused, failed.Type);
        Assert.Equal("p3 has 256 bytes more than p2; without a named node it is taken", failed.Message);
        world.InMemory.Changes.AssertOrder("FenceNode p1", "UnfenceNode p1", "TakeVirtualIp p1", "OfferReadOnly p2");
        Assert.Equal(
            (NodeRole.Primary, EndpointRole.ReadWrite),
            (world.InMemory["p1"].Role, world.InMemory["p1"].Endpoint)
        );
    }

    [Fact]
    public async Task Failback_saves_WAL_before_it_touches_the_data()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Crash("p2");
        await world.SucceedAsync("Failback");

        world.InMemory.Changes.AssertOrder(
            "FenceNode p2",
            "SalvageWal p2",
            "SetReplicationSlots p1",
            "ExamineDivergence p2",
            "RewindData p2",
            "WriteSettings p2",
            "StartPostgres p2",
            "ProveStreaming p2",
            "OfferReadOnly p2",
            "TidyUpNode p1"
        );
    }

    [Fact]
    public async Task Failback_copies_what_cannot_be_rewound()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Crash("p2");
        world.InMemory.Divergence = world.InMemory.Divergence with { SameSystem = false };
        var report = await world.SucceedAsync("Failback", ("node", "p2"));

        Assert.DoesNotContain("RewindData p2", world.InMemory.Calls);
        world.InMemory.Changes.AssertOrder("SalvageWal p2", "CopyPrimary p2", "SwapInCopy p2", "StartPostgres p2");
        Assert.Equal(["p2 was made anew: it belongs to another system"], report.Notes);
    }

    [Fact]
    public async Task Failback_ends_a_split_brain()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory["p2"] = world.InMemory["p2"] with { Role = NodeRole.Primary, StandbySignal = false };
        var report = await world.SucceedAsync("Failback", ("node", "p2"));

        Assert.Equal(
            ["p2 accepts writes: what p1 does not have of them is dropped from the cluster"],
            report.Plan!.Warnings.Select(HintText.Line)
        );
        Assert.Equal(NodeRole.Standby, world.InMemory["p2"].Role);
    }

    [Fact]
    public async Task Remake_keeps_the_old_data_until_the_new_node_is_proven()
    {
        await using var world = TestEnvironment.Start(server);
        await world.SucceedAsync("RemakeStandby", ("node", "p2"));

        world.InMemory.Changes.AssertOrder(
            "SetReplicationSlots p1",
            "FenceNode p2",
            "SalvageWal p2",
            "CopyPrimary p2",
            "SwapInCopy p2",
            "StartPostgres p2",
            "ProveStreaming p2",
            "TidyUpNode p1"
        );
    }

    [Fact]
    public async Task Init_makes_a_cluster_and_then_leaves_it_alone()
    {
        await using var world = TestEnvironment.Start(server, nodes: 0);
        await world.SucceedAsync("InitCluster", ("nodes", 3), ("sync", true));

        world.InMemory.Changes.AssertOrder(
            "InspectImage",
            "CreateNetworks",
            "CreateRepository",
            "CreateNode p3",
            "InitializeDatabase p1",
            "StartPostgres p1",
            "ProveArchiving p1",
            "RecordTimeline p1",
            "SwapInCopy p3",
            "ProveStreaming p3",
            "TakeVirtualIp p1",
            "ProveEndpoint p1"
        );
        Assert.Equal("ANY 1 (p2, p3)", world.InMemory["p1"].SynchronousStandbyNames);
        var before = world.InMemory.Changes;
        var again = await world.SucceedAsync("InitCluster", ("nodes", 3), ("sync", true));
        Assert.Contains("nothing was done", again.Summary, StringComparison.Ordinal);
        Assert.Equal(before, world.InMemory.Changes);
        Assert.Equal(FailureTypes.Refused, (await world.FailAsync("InitCluster", ("nodes", 5))).Type);
    }

    [Fact]
    public async Task Init_removes_what_it_made_when_it_fails()
    {
        await using var world = TestEnvironment.Start(server, nodes: 0);
        world.InMemory.Fail("ProveStreaming p3");
        Assert.Equal(FailureTypes.Unchanged, (await world.FailAsync("InitCluster", ("nodes", 3))).Type);

        Assert.Equal("TakeBackCluster", world.InMemory.Changes[^1]);
    }

    [Fact]
    public async Task Destroy_removes_everything_and_a_second_time_too()
    {
        await using var world = TestEnvironment.Start(server);
        await world.SucceedAsync("DestroyCluster", ("approve", false));
        await world.SucceedAsync("DestroyCluster", ("approve", false));

        world.InMemory.Changes.AssertOrder(
            "EndBackup",
            "RemoveNode p2",
            "RemoveCluster",
            "EndSchedules",
            "EndBackup",
            "RemoveCluster",
            "EndSchedules"
        );
    }
}

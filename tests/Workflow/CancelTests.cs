namespace PgFlow.WorkflowTests;

public sealed class CancelTests(TemporalServer server)
{
    [Fact]
    public async Task Before_the_point_of_no_return_takes_everything_back_in_reverse()
    {
        await using var world = World.Start(server, nodes: 3);
        var gate = world.Hands.Hold("ProveShutdownReplayed p2");
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        await gate.Reached;
        await handle.CancelAsync();
        var report = await World.CancelledAsync(handle);

        world.Hands.Changes.AssertOrder("ProveShutdownReplayed p2", "MoveEndpoint p1", "UnfenceNode p1", "OfferReadOnly p2", "WriteSettings p2", "SetReplicationSlots p2");
        Assert.Equal((NodeRole.Primary, EndpointRole.ReadWrite), (world.Hands["p1"].Role, world.Hands["p1"].Endpoint));
        Assert.DoesNotContain(report.Steps, step => step.AfterPointOfNoReturn);
        Assert.Equal("cancelled", report.Summary);
        Assert.Equal("cancelled", (await handle.DescribeAsync()).TypedSearchAttributes.Get(Attributes.Outcome));
        gate.Open();
        Assert.Equal(Outcome.Succeeded, (await world.SucceedAsync("Switchover")).Outcome);
    }

    [Fact]
    public async Task After_the_point_of_no_return_is_recorded_and_not_obeyed()
    {
        await using var world = World.Start(server);
        var gate = world.Hands.Hold("ProveEndpoint p2");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await handle.CancelAsync();
        var progress = await World.UntilAsync(handle, progress => progress.Notes.Count > 0);
        gate.Open();
        var report = await handle.GetResultAsync<Report>();

        Assert.Equal(["a cancel came after the point of no return: it is not obeyed"], progress.Notes);
        Assert.Equal(progress.Notes, report.Notes);
        Assert.Equal(Outcome.Succeeded, report.Outcome);
    }

    [Fact]
    public async Task While_it_undoes_changes_nothing()
    {
        await using var world = World.Start(server);
        world.Hands.Fail("ProveShutdownReplayed p2");
        var gate = world.Hands.Hold("UnfenceNode p1");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await handle.CancelAsync();
        gate.Open();

        Assert.Equal(Ends.Unchanged, (await World.FailureAsync(handle)).Type);
        world.Hands.Changes.AssertOrder("UnfenceNode p1", "OfferReadOnly p2", "SetReplicationSlots p2");
    }

    [Fact]
    public async Task While_it_is_blocked_leaves_it_blocked()
    {
        await using var world = World.Start(server);
        world.Hands.Fail("ProveEndpoint p2");
        var handle = await world.StartAsync("Switchover");
        await World.BlockedAsync(handle);
        await handle.CancelAsync();
        await World.UntilAsync(handle, progress => progress.Notes.Count > 0 && progress.Outcome is Outcome.Blocked);
        world.Hands.Mend("ProveEndpoint p2");
        await World.ResolveAsync(handle, ResolveAction.Retry);

        Assert.Equal(Outcome.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
    }

    [Fact]
    public async Task Before_it_begins_changes_nothing()
    {
        await using var world = World.Start(server);
        var gate = world.Hands.Hold("ObserveCluster");
        var handle = await world.StartAsync("Failover", ("force", true));
        await gate.Reached;
        await handle.CancelAsync();

        Assert.Equal(Outcome.Cancelled, (await World.CancelledAsync(handle)).Outcome);
        Assert.Empty(world.Hands.Changes);
    }
}

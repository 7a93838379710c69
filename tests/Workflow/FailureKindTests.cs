namespace PgFlow.WorkflowTests;

/// <summary>What each kind of an activity's failure does to a procedure.</summary>
public sealed class FailureKindTests(TemporalServer server)
{
    [Theory]
    [InlineData("PrepareStop p1")]
    [InlineData("ReleaseVirtualIp p1")]
    [InlineData("TakeVirtualIp p2")]
    [InlineData("PromoteStandby p2")]
    [InlineData("ProveStreaming p1")]
    public async Task An_operation_that_fails_is_tried_again(string call)
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.FailTimes(call, 3);

        Assert.Equal(ProcedureStatus.Succeeded, (await world.SucceedAsync("Switchover")).Outcome);
        Assert.Equal(4, world.InMemory.Calls.Count(made => made == call));
    }

    [Theory]
    [InlineData(FailureTypes.Failed, FailureTypes.Unchanged)]
    [InlineData(FailureTypes.Broken, FailureTypes.Unchanged)]
    [InlineData(FailureTypes.Refused, FailureTypes.Refused)]
    public async Task Before_the_point_of_no_return_only_a_precondition_is_a_refusal(string kind, string end)
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("ProveShutdownReplayed p2", "it is so", kind);
        var failed = await world.FailAsync("Switchover");

        Assert.Equal((end, "it is so"), (failed.Type, failed.Message));
        Assert.Equal(NodeRole.Primary, world.InMemory["p1"].Role);
    }

    [Theory]
    [InlineData(FailureTypes.Failed)]
    [InlineData(FailureTypes.Broken)]
    [InlineData(FailureTypes.Refused)]
    public async Task Behind_it_each_kind_waits_for_a_person_with_its_reason(string kind)
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("ProveEndpoint p2", "it is so", kind);
        var handle = await world.StartAsync("Switchover");

        Assert.Equal("it is so", (await TestEnvironment.BlockedAsync(handle)).Blocked[0].Why);
        world.InMemory.Repair("ProveEndpoint p2");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        await handle.GetResultAsync();
    }

    [Theory]
    [InlineData("", "it failed and said nothing")]
    [InlineData("prove-endpoint ended with 1:", "prove-endpoint ended with 1: (it said nothing)")]
    public async Task A_reason_is_never_empty(string said, string shown)
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("ProveEndpoint p2", said);
        var handle = await world.StartAsync("Switchover");

        Assert.Equal(shown, (await TestEnvironment.BlockedAsync(handle)).Blocked[0].Why);
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Abort);
        await TestEnvironment.FailureAsync(handle);
    }
}

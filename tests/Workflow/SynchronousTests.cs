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
        Assert.Equal([FindingCode.NotAStandby], (await FindingsAsync(world)).Select(finding => finding.Code));

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

    private TestEnvironment Start(string names, int nodes = 2)
    {
        var world = TestEnvironment.Start(server, nodes);
        foreach (var name in Enumerable.Range(1, nodes).Select(number => $"p{number}"))
        {
            world.InMemory[name] = world.InMemory[name] with { Synchronous = true };
        }

        world.InMemory["p1"] = world.InMemory["p1"] with { SynchronousStandbyNames = names };
        return world;
    }

    private static async Task<IReadOnlyList<Finding>> FindingsAsync(TestEnvironment world) =>
        (await (await world.StartAsync("InspectCluster")).GetResultAsync<Inspection>()).Findings;
}

namespace PgFlow.WorkflowTests;

public sealed class DryRunTests(TemporalServer server)
{
    public static TheoryData<string, int, string?> Procedures => new()
    {
        { "Switchover", 3, null },
        { "Failover", 3, null },
        { "Failback", 3, "p1" },
        { "RemakeStandby", 3, "p3" },
        { "InitCluster", 0, null },
        { "DestroyCluster", 3, null },
    };

    [Theory, MemberData(nameof(Procedures))]
    public async Task Says_every_step_and_changes_nothing(string procedure, int nodes, string? node)
    {
        await using var world = World.Start(server, nodes);
        if (nodes > 0 && procedure is "Failover" or "Failback")
        {
            world.Hands.Crash(procedure is "Failover" ? "p1" : "p3");
        }

        var report = await world.SucceedAsync(procedure, [("dryRun", true), .. node is null ? [] : new (string, object)[] { ("node", procedure is "Failback" ? "p3" : node) }]);

        Assert.Equal(Outcome.Planned, report.Outcome);
        Assert.NotEmpty(report.Plan!.Steps);
        Assert.Empty(report.Steps);
        Assert.Empty(report.Notes);
        Assert.Equal(["ObserveCluster"], world.Hands.Calls);
    }

    [Fact]
    public async Task Needs_no_lease()
    {
        await using var world = World.Start(server);
        var gate = world.Hands.Hold("WaitForReplay p2");
        var busy = await world.StartAsync("Switchover");
        await gate.Reached;

        Assert.Equal(Outcome.Planned, (await world.SucceedAsync("RemakeStandby", ("node", "p2"), ("dryRun", true))).Outcome);
        Assert.True((await (await world.StartAsync("InspectCluster")).GetResultAsync<Inspection>()).Healthy);
        gate.Open();
        await busy.GetResultAsync();
    }
}

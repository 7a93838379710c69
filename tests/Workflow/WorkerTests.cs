namespace PgFlow.WorkflowTests;

/// <summary>A worker that ends in the midst of a procedure leaves nothing half done: the next one goes on.</summary>
public sealed class WorkerTests(TemporalServer server)
{
    [Theory]
    [InlineData("PrepareStop p1")]
    [InlineData("StopPostgres p1")]
    [InlineData("PromoteStandby p2")]
    [InlineData("RecordProcedure")]
    public async Task Another_goes_on(string during)
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.Hands.Hold(during);
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await world.ReplaceWorkerAsync();
        gate.Open();

        var report = await handle.GetResultAsync<Report>();
        Assert.Equal(ProcedureStatus.Succeeded, report.Outcome);
        Assert.Equal(2, world.Hands.Calls.Count(call => call == during));
        Assert.Equal(report.Plan!.Steps, report.Steps.Select(step => new PlannedStep(step.Id, step.Title)));
    }

    [Fact]
    public async Task Another_knows_what_is_blocked()
    {
        await using var world = TestEnvironment.Start(server);
        world.Hands.Fail("SetRoles p2");
        var handle = await world.StartAsync("Switchover");
        var before = await TestEnvironment.BlockedAsync(handle);
        await world.ReplaceWorkerAsync();

        Assert.Equivalent(before, await TestEnvironment.BlockedAsync(handle), strict: true);
        world.Hands.Mend("SetRoles p2");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
    }
}

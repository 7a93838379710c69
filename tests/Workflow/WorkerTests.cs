using System.Text.Json;

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
        var gate = world.InMemory.Hold(during);
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await world.ReplaceWorkerAsync();
        gate.Open();

        var report = await handle.GetResultAsync<Report>();
        Assert.Equal(ProcedureStatus.Succeeded, report.Outcome);
        Assert.Equal(2, world.InMemory.Calls.Count(call => call == during));
        Assert.Equal(
            report.Plan!.Steps,
            report.Steps.Select(step => new PlannedStep(step.Id, step.Title, step.AfterPointOfNoReturn))
        );
    }

    [Fact]
    public async Task Of_a_nodes_host_does_what_is_about_that_node()
    {
        await using var world = TestEnvironment.Start(server);
        var (host, p2) = (HostName.Parse("west-2"), world.InMemory["p2"]);
        world.InMemory["p2"] = p2 with { Id = p2.Id with { Host = host } };
        using var stop = new CancellationTokenSource();
        var working = world.WorkAtAsync(host, stop.Token);
        var handle = await world.StartAsync("RemakeStandby", ("node", "p2"));
        await handle.GetResultAsync<Report>().WaitAsync(TimeSpan.FromSeconds(30), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => working);

        var scheduled = (await handle.FetchHistoryAsync())
            .Events.Select(happened => happened.ActivityTaskScheduledEventAttributes)
            .Where(activity => activity is not null)
            .ToLookup(
                activity => activity.TaskQueue.Name.EndsWith(".west-2", StringComparison.Ordinal),
                activity => activity.ActivityType.Name
            );
        Assert.Contains("CopyPrimary", scheduled[true]);
        Assert.Contains("StartPostgres", scheduled[true]);
        Assert.Contains("ObserveCluster", scheduled[false]);
        Assert.DoesNotContain("CopyPrimary", scheduled[false]);
    }

    [Fact]
    public async Task Another_knows_what_is_blocked()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("SetRoles p2");
        var handle = await world.StartAsync("Switchover");
        var before = await TestEnvironment.BlockedAsync(handle);
        await world.ReplaceWorkerAsync();

        Assert.Equal(Json(before), Json(await TestEnvironment.BlockedAsync(handle)));
        world.InMemory.Repair("SetRoles p2");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
    }

    private static string Json(ProcedureProgress progress) => JsonSerializer.Serialize(progress, PgFlowJson.Options);
}

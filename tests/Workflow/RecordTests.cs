namespace PgFlow.WorkflowTests;

/// <summary>What is left to be read and searched.</summary>
public sealed class RecordTests(TemporalServer server)
{
    [Fact]
    public async Task A_success_can_be_found_by_what_it_came_to()
    {
        await using var world = TestEnvironment.Start(server);
        var handle = await world.StartAsync("Switchover", ("to", "p2"));
        await handle.GetResultAsync();
        var found = (await handle.DescribeAsync()).TypedSearchAttributes;

        Assert.Equal(world.Cluster.ToString(), found.Get(Attributes.Cluster));
        Assert.Equal("Switchover", found.Get(Attributes.Procedure));
        Assert.Equal("succeeded", found.Get(Attributes.Outcome));
        Assert.Equal("p2", found.Get(Attributes.Primary));
        Assert.Equal(2, found.Get(Attributes.Timeline));
        Assert.Equal("anna", found.Get(Attributes.RequestedBy));
    }

    [Fact]
    public async Task A_plan_moves_no_primary()
    {
        await using var world = TestEnvironment.Start(server, nodes: 0);
        var handle = await world.StartAsync("InitCluster", ("dryRun", true));
        await handle.GetResultAsync();
        var found = (await handle.DescribeAsync()).TypedSearchAttributes;

        Assert.Equal("planned", found.Get(Attributes.Outcome));
        Assert.False(found.ContainsKey(Attributes.Primary));
    }

    [Fact]
    public async Task A_refused_look_is_no_success()
    {
        await using var world = TestEnvironment.Start(server, nodes: 0);
        var handle = await world.StartAsync("InspectCluster");
        await TestEnvironment.FailureAsync(handle);

        Assert.Equal("refused", (await handle.DescribeAsync()).TypedSearchAttributes.Get(Attributes.Outcome));
    }

    [Fact]
    public async Task The_ledger_has_every_end_and_who_wanted_it()
    {
        await using var world = TestEnvironment.Start(server);
        await world.SucceedAsync("Switchover", ("to", "p2"), ("reason", "kernel update"));
        await world.FailAsync("Switchover", ("to", "p7"));

        Assert.Equal(
            [ProcedureStatus.Succeeded, ProcedureStatus.Refused],
            world.InMemory.Ledger.Select(report => report.Outcome)
        );
        var report = world.InMemory.Ledger.First();
        Assert.Equal(("anna", "kernel update", "Switchover"), (report.By, report.Reason, report.Procedure));
        Assert.Equal(
            report.Plan!.Steps,
            report.Steps.Select(step => new PlannedStep(step.Id, step.Title, step.AfterPointOfNoReturn))
        );
        Assert.Equal(report.Steps.Select((_, index) => index + 1), report.Steps.Select(step => step.Number));
        Assert.Contains(report.Steps, step => step.AfterPointOfNoReturn);
    }

    [Fact]
    public async Task A_record_that_cannot_be_written_changes_no_end()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail("RecordProcedure", "the repository is gone");
        var report = await world.SucceedAsync("Switchover");

        Assert.Equal(["the ledger has no record of this: the repository is gone"], report.Notes);
    }

    [Fact]
    public async Task Progress_can_be_asked_while_it_looks_and_after_its_end()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("ObserveCluster");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;

        Assert.Equal("inspecting the cluster", (await TestEnvironment.UntilAsync(handle, _ => true)).Summary);
        gate.Open();
        await handle.GetResultAsync();
        Assert.Equal("succeeded; all checks passed", (await TestEnvironment.UntilAsync(handle, _ => true)).Summary);
    }
}

namespace PgFlow.WorkflowTests;

public sealed class RebuildTests(TemporalServer server)
{
    [Fact]
    public async Task A_dry_run_says_what_would_be_written_and_from_what()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.LoseLedger();
        var report = await world.SucceedAsync("RebuildLedger", ("dryRun", true));

        Assert.Equal(
            $"the ledger of {world.Cluster} gets the opening of timeline 2 and 1 restore point, read from the WAL",
            report.Plan!.Summary
        );
        Assert.Equal(
            [
                "timeline 2: opened at 1970-01-01T00:00:00Z by promotion, from timeline 1 at 0/2000000, where "
                    + "that had ended; by END_OF_RECOVERY at 0/2000000 on timeline 2",
                "restore point before-2.0: 0/1000090 on timeline 1, 1970-01-01T00:00:00Z; by RESTORE_POINT at "
                    + "0/1000028 on timeline 1",
            ],
            report.Plan.Facts
        );
        Assert.Equal(["timeline 3: when it was opened stays unknown"], report.Plan.Warnings.Select(HintText.Line));
        Assert.Equal(["ObserveCluster", "FindUnrecorded"], world.InMemory.Calls);
    }

    [Fact]
    public async Task Writes_what_is_missing_names_itself_and_says_what_stays_unknown()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.LoseLedger();
        var handle = await world.StartAsync("RebuildLedger");
        var report = await handle.GetResultAsync<Report>();

        Assert.Equal(["timeline 3: when it was opened stays unknown"], report.Notes);
        Assert.Equal([null, handle.Id, null], world.InMemory.Past.Branches.Select(branch => branch.Opening?.Procedure));
        Assert.Equal("before-2.0", Assert.Single(world.InMemory.Past.RestorePoints).Name);
    }

    [Fact]
    public async Task Run_again_finds_nothing_to_do_and_says_what_it_can_not_know()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.LoseLedger();
        await world.SucceedAsync("RebuildLedger");
        var report = await world.SucceedAsync("RebuildLedger");

        Assert.Equal(
            $"the ledger of {world.Cluster} has all that the WAL tells; nothing was done; timeline 3: when it "
                + "was opened stays unknown",
            report.Summary
        );
        Assert.Empty(report.Steps);
        Assert.Single(world.InMemory.Calls, "CompleteLedger");
    }

    [Fact]
    public async Task Keeps_no_failover_waiting()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("FindUnrecorded");
        var rebuild = await world.StartAsync("RebuildLedger");
        await gate.Reached;
        world.InMemory.Crash("p1");

        Assert.Equal(ProcedureStatus.Succeeded, (await world.SucceedAsync("Failover")).Outcome);
        gate.Open();
        await rebuild.GetResultAsync();
    }
}

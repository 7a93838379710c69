using Temporalio.Api.Sdk.V1;

namespace PgFlow.WorkflowTests;

public sealed class DryRunTests(TemporalServer server)
{
    /// <summary>Of each procedure an input with which it has something to do.</summary>
    private static readonly Dictionary<
        string,
        (int Nodes, Func<TestEnvironment, TestEnvironment> Given, (string, object)[] Input)
    > _given = new()
    {
        ["Switchover"] = (3, world => world, []),
        ["Failover"] = (3, world => Scenario.Crashed(world), []),
        ["Failback"] = (3, world => Scenario.Fenced(world), [("node", "p3")]),
        ["RemakeStandby"] = (3, world => world, [("node", "p3")]),
        ["AddStandby"] = (1, world => world, []),
        ["RemoveNode"] = (3, world => world, [("node", "p3")]),
        ["RepairCluster"] = (3, world => Scenario.Pruned(world, "p1", "p2", "p3"), []),
        ["SetSynchronousReplication"] = (3, world => world, [("quorum", 1)]),
        ["InitCluster"] = (0, world => world, [("nodes", 3)]),
        ["DestroyCluster"] = (3, world => world, []),
        ["RecoverCluster"] = (3, world => world, [("toLsn", "0/2000000"), ("inspect", true)]),
        ["CloneCluster"] = (0, world => world, [("from", "source"), ("latest", true)]),
        ["TakeBackup"] = (3, world => Scenario.WithPast(world), [("keep", 1), ("incremental", true)]),
        ["SetReadOnly"] = (3, world => world, [("mode", "on")]),
        ["VerifyBackup"] = (3, world => world, []),
        ["CreateRestorePoint"] = (3, world => world, [("name", "before-2.0")]),
        ["RebuildLedger"] = (3, world => Scenario.WithoutLedger(world), []),
    };

    /// <summary>What a plan may ask; everything else that the in-memory cluster can be told is a change.</summary>
    private static readonly string[] _queries =
    [
        "ObserveCluster",
        "ResolveTarget",
        "FindExpired",
        "FindUnrecorded",
        "InspectArchive",
        "FindStarter",
    ];

    public static TheoryData<string> Procedures =>
        [
            .. typeof(Procedure)
                .Assembly.GetTypes()
                .Where(type =>
                    type is { IsAbstract: false }
                    && type.IsSubclassOf(typeof(Procedure))
                    && type.BaseType!.IsGenericType
                )
                .Select(type => type.Name),
        ];

    [Theory, MemberData(nameof(Procedures))]
    public async Task Says_every_step_and_changes_nothing(string procedure)
    {
        var (nodes, given, input) = _given[procedure];
        await using var world = given(TestEnvironment.Start(server, nodes));

        var report = await world.SucceedAsync(procedure, [("dryRun", true), .. input]);

        Assert.Equal(ProcedureStatus.Planned, report.Outcome);
        Assert.NotEmpty(report.Plan!.Steps);
        Assert.Equal(report.Plan.Steps, report.Plan.Steps.DistinctBy(step => step.Id));
        Assert.Empty(report.Steps);
        Assert.Empty(report.Notes);
        Assert.All(world.InMemory.Calls, call => Assert.Contains(call.Split(' ')[0], _queries));
    }

    [Fact]
    public async Task That_is_refused_says_what_to_do_as_data_and_so_does_the_page()
    {
        await using var world = Scenario.Crashed(TestEnvironment.Start(server));
        foreach (var mode in (string[])["dryRun", "approve"])
        {
            var handle = await world.StartAsync("Switchover", (mode, true));
            var refused = await TestEnvironment.FailureAsync(handle);

            Assert.Equal(
                $"make a node the primary: pgflow failover {world.Cluster}",
                HintText.Of(Assert.Single(refused.Report!.Hints))
            );
            Assert.Equal(Assert.Single(refused.Hints).Procedure, refused.Report.Hints[0].Procedure);
            var page = await handle.QueryAsync<WorkflowMetadata>("__temporal_workflow_metadata", []);
            Assert.Contains(
                $"make a node the primary: Failover `{{\"cluster\":\"{world.Cluster}\"}}`",
                page.CurrentDetails,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task Needs_no_lease()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("WaitForReplay p2");
        var busy = await world.StartAsync("Switchover");
        await gate.Reached;

        Assert.Equal(
            ProcedureStatus.Planned,
            (await world.SucceedAsync("RemakeStandby", ("node", "p2"), ("dryRun", true))).Outcome
        );
        Assert.True((await (await world.StartAsync("InspectCluster")).GetResultAsync<Inspection>()).Healthy);
        gate.Open();
        await busy.GetResultAsync();
    }
}

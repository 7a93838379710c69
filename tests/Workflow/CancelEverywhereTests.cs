namespace PgFlow.WorkflowTests;

/// <summary>A cancel at every single call of a procedure: before the point of no return all is as it was; behind it, it
/// is blocked and can go on.</summary>
public sealed class CancelEverywhereTests(TemporalServer server)
{
    [Theory]
    [InlineData("Failover")]
    [InlineData("Switchover")]
    [InlineData("RecoverCluster")]
    [InlineData("SetSynchronousReplication")]
    [InlineData("UpdateCluster")]
    [InlineData("UpdateCluster where it is")]
    [InlineData("AddStandby")]
    [InlineData("RemoveNode")]
    [InlineData("AddStandby", 2)]
    [InlineData("RemoveNode", 2)]
    public async Task A_cancel_at_any_call_leaves_the_cluster_as_it_was_or_waits_for_a_person(
        string procedure,
        int quorum = 0
    )
    {
        foreach (var call in await CallsAsync(procedure, quorum))
        {
            await using var world = Start(quorum);
            var before = NodesOf(world);
            var gate = world.InMemory.Hold(call);
            var handle = await world.StartAsync(procedure.Split(' ')[0], FieldsOf(procedure));
            await gate.Reached;
            await handle.CancelAsync();
            if ((await TestEnvironment.UntilAsync(handle, _ => true)).Steps.Any(step => step.AfterPointOfNoReturn))
            {
                var blocked = await TestEnvironment.UntilAsync(
                    handle,
                    now => now.Blocked.Count > 0 && now.Steps.All(step => step.State is not StepState.Running)
                );
                gate.Open();
                foreach (var step in blocked.Blocked)
                {
                    await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry, step.Step);
                }

                Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
            }
            else
            {
                gate.Open(); // its undo may make the same call
                var report = await TestEnvironment.CancelledAsync(handle);
                Assert.True(report.Outcome is ProcedureStatus.Cancelled, $"{call}: {report.Summary}");
                Assert.Equal($"{call}: {before}", $"{call}: {NodesOf(world)}");
            }
        }
    }

    private TestEnvironment Start(int quorum) =>
        quorum == 0
            ? TestEnvironment.Start(server)
            : Scenario.Synchronous(TestEnvironment.Start(server, nodes: quorum + 1), quorum);

    private static (string Name, object Value)[] FieldsOf(string procedure) =>
        procedure switch
        {
            "RecoverCluster" => [("latest", true)],
            "Failover" => [("force", true)],
            "SetSynchronousReplication" => [("quorum", 1)],
            "UpdateCluster" => [("image", "postgres:17.7"), ("set", Scenario.Connections("200"))],
            "UpdateCluster where it is" => [("image", "postgres:17.7"), ("set", Scenario.Connections("50"))],
            "RemoveNode" => [("node", "p2")],
            _ => [],
        };

    /// <summary>Each call of an undisturbed run, once, but for those that end or begin a procedure.</summary>
    private async Task<IReadOnlyList<string>> CallsAsync(string procedure, int quorum)
    {
        await using var world = Start(quorum);
        await world.SucceedAsync(procedure.Split(' ')[0], FieldsOf(procedure));
        return [.. world.InMemory.Changes.Distinct()];
    }

    private static string NodesOf(TestEnvironment world) =>
        string.Join(
            "; ",
            world
                .InMemory.There.Select(name => name.ToString())
                .Select(name =>
                    $"{name}: {world.InMemory[name].Role}, {world.InMemory[name].Endpoint}, timeline "
                    + $"{world.InMemory[name].Timeline}, {world.InMemory[name].Quorum ?? 0} of "
                    + $"'{world.InMemory[name].SynchronousStandbyNames}', {world.InMemory.ImageOf(name)}, "
                    + string.Join(", ", world.InMemory.SettingsOf(name))
                )
        );
}

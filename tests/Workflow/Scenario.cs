using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.WorkflowTests;

/// <summary>One way for a procedure to end; its history is kept in Golden/.</summary>
/// <param name="Name">The name of the golden file.</param>
/// <param name="Nodes">The cluster's nodes before.</param>
/// <param name="RunAsync">Runs it to its end and checks it.</param>
internal sealed record Scenario(string Name, int Nodes, Func<TestEnvironment, Task<WorkflowHandle>> RunAsync)
{
    /// <summary>Every procedure, in every end that it can have.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("Switchover-succeeded", 3, world => SucceededAsync(world, "Switchover", ("to", "p2"))),
        new("Switchover-approved", 3, world => ApprovedAsync(world, "Switchover", ("to", "p2"))),
        new(
            "Switchover-undone",
            3,
            world => UndoneAsync(world, "ProveShutdownReplayed p2", "Switchover", ("to", "p2"))
        ),
        new("Switchover-blocked", 3, world => ResolvedAsync(world, "ProveStreaming p3", "Switchover", ("to", "p2"))),
        new("Switchover-cancelled", 3, world => CancelledAsync(world, "StopPostgres p1", "Switchover", ("to", "p2"))),
        new("Failover-succeeded", 3, world => SucceededAsync(Crashed(world), "Failover")),
        new("Failover-undone", 3, world => UndoneAsync(Crashed(world), "ObserveCandidate p2", "Failover")),
        new("Failover-blocked", 3, world => ResolvedAsync(Crashed(world), "PromoteStandby p2", "Failover")),
        new("Failover-cancelled", 3, world => CancelledAsync(Crashed(world), "ObserveCandidate p2", "Failover")),
        new("Failback-succeeded", 3, world => SucceededAsync(Fenced(world), "Failback", ("node", "p3"))),
        new(
            "Failback-failed",
            3,
            world => UndoneAsync(Fenced(world), "ExamineDivergence p3", "Failback", ("node", "p3"))
        ),
        new("Failback-blocked", 3, world => ResolvedAsync(Fenced(world), "RewindData p3", "Failback", ("node", "p3"))),
        new(
            "Failback-cancelled",
            3,
            world => CancelledAsync(Fenced(world), "SalvageWal p3", "Failback", ("node", "p3"))
        ),
        new("RepairCluster-succeeded", 3, world => SucceededAsync(Pruned(world, "p1", "p2", "p3"), "RepairCluster")),
        new("RepairCluster-standby", 3, world => SucceededAsync(Pruned(world, "p3"), "RepairCluster")),
        new("RepairCluster-undone", 3, world => UndoneAsync(Pruned(world, "p3"), "RecreateNode p3", "RepairCluster")),
        new(
            "RepairCluster-blocked",
            3,
            world => ResolvedAsync(Pruned(world, "p3"), "ProveStreaming p3", "RepairCluster")
        ),
        new(
            "RepairCluster-cancelled",
            3,
            world => CancelledAsync(Pruned(world, "p3"), "RecreateNode p3", "RepairCluster")
        ),
        new("SetReadOnly-succeeded", 3, world => SucceededAsync(world, "SetReadOnly", ("mode", "on"))),
        new("SetReadOnly-undone", 3, world => UndoneAsync(world, "ProveReadOnly p1", "SetReadOnly", ("mode", "on"))),
        new(
            "SetReadOnly-cancelled",
            3,
            world => CancelledAsync(world, "EndSessions p1", "SetReadOnly", ("mode", "on"))
        ),
        new("RemakeStandby-succeeded", 3, world => SucceededAsync(world, "RemakeStandby", ("node", "p3"))),
        new("RemakeStandby-undone", 3, world => UndoneAsync(world, "SwapInCopy p3", "RemakeStandby", ("node", "p3"))),
        new(
            "RemakeStandby-blocked",
            3,
            world => ResolvedAsync(world, "ProveStreaming p3", "RemakeStandby", ("node", "p3"))
        ),
        new(
            "RemakeStandby-cancelled",
            3,
            world => CancelledAsync(world, "CopyPrimary p3", "RemakeStandby", ("node", "p3"))
        ),
        new(
            "RemakeStandby-synchronous",
            3,
            world => SucceededAsync(Synchronous(world, 2), "RemakeStandby", ("node", "p3"))
        ),
        new("Switchover-synchronous", 3, world => SucceededAsync(Synchronous(world, 2), "Switchover", ("to", "p2"))),
        new("Failover-synchronous", 3, world => SucceededAsync(Crashed(Synchronous(world, 2)), "Failover")),
        new(
            "SetSynchronousReplication-succeeded",
            3,
            world => SucceededAsync(world, "SetSynchronousReplication", ("quorum", 2))
        ),
        new(
            "SetSynchronousReplication-stopped",
            3,
            world => SucceededAsync(Crashed(world), "SetSynchronousReplication", ("quorum", 1))
        ),
        new(
            "SetSynchronousReplication-undone",
            3,
            world => UndoneAsync(world, "ProveEndpoint p1", "SetSynchronousReplication", ("quorum", 1))
        ),
        new(
            "SetSynchronousReplication-blocked",
            3,
            world => ResolvedAsync(world, "WriteQuorum p3", "SetSynchronousReplication", ("quorum", 1))
        ),
        new(
            "SetSynchronousReplication-cancelled",
            3,
            world => CancelledAsync(world, "ProveEndpoint p1", "SetSynchronousReplication", ("quorum", 1))
        ),
        new("AddStandby-succeeded", 1, world => SucceededAsync(world, "AddStandby")),
        new("AddStandby-synchronous", 3, world => SucceededAsync(Synchronous(world, 2), "AddStandby", ("node", "p4"))),
        new("AddStandby-undone", 2, world => UndoneAsync(world, "ProveStreaming p3", "AddStandby")),
        new("AddStandby-cancelled", 2, world => CancelledAsync(world, "CopyPrimary p3", "AddStandby")),
        new("RemoveNode-succeeded", 3, world => SucceededAsync(world, "RemoveNode", ("node", "p3"))),
        new("RemoveNode-synchronous", 3, world => SucceededAsync(Synchronous(world, 2), "RemoveNode", ("node", "p3"))),
        new("RemoveNode-undone", 3, world => UndoneAsync(world, "SalvageWal p3", "RemoveNode", ("node", "p3"))),
        new("RemoveNode-blocked", 3, world => ResolvedAsync(world, "RemoveNode p3", "RemoveNode", ("node", "p3"))),
        new("RemoveNode-cancelled", 3, world => CancelledAsync(world, "KeepArchive p3", "RemoveNode", ("node", "p3"))),
        new("UpdateCluster-succeeded", 3, world => SucceededAsync(world, "UpdateCluster", ("image", "postgres:17.7"))),
        new("UpdateCluster-restarted", 3, world => SucceededAsync(world, "UpdateCluster", ("set", Connections("200")))),
        new("UpdateCluster-lowered", 3, world => SucceededAsync(world, "UpdateCluster", ("set", Connections("50")))),
        new("UpdateCluster-reloaded", 3, world => SucceededAsync(world, "UpdateCluster", ("set", WorkMemory))),
        new(
            "UpdateCluster-synchronous",
            3,
            world => SucceededAsync(Synchronous(world, 2), "UpdateCluster", ("set", Connections("200")))
        ),
        new(
            "UpdateCluster-undone",
            3,
            world => UndoneAsync(world, "ProveShutdownReplayed p2", "UpdateCluster", ("image", "postgres:17.7"))
        ),
        new(
            "UpdateCluster-blocked",
            3,
            world => ResolvedAsync(world, "SalvageWal p1", "UpdateCluster", ("set", Connections("200")))
        ),
        new(
            "UpdateCluster-cancelled",
            3,
            world =>
                CancelledAsync(Synchronous(world, 1), "PrepareStop p1", "UpdateCluster", ("set", Connections("200")))
        ),
        new("InitCluster-succeeded", 0, world => SucceededAsync(world, "InitCluster", ("nodes", 3), ("sync", true))),
        new("InitCluster-undone", 0, world => UndoneAsync(world, "CopyPrimary p3", "InitCluster", ("nodes", 3))),
        new(
            "InitCluster-cancelled",
            0,
            world => CancelledAsync(world, "InitializeDatabase p1", "InitCluster", ("nodes", 3))
        ),
        new("DestroyCluster-succeeded", 3, world => SucceededAsync(world, "DestroyCluster", ("approve", false))),
        new(
            "DestroyCluster-blocked",
            3,
            world => ResolvedAsync(world, "RemoveCluster", "DestroyCluster", ("approve", false))
        ),
        new("RecoverCluster-succeeded", 3, world => SucceededAsync(world, "RecoverCluster", ("toLsn", "0/2000000"))),
        new(
            "RecoverCluster-latest",
            3,
            world => SucceededAsync(WithNothingDropped(world), "RecoverCluster", ("latest", true))
        ),
        new(
            "RecoverCluster-undone",
            3,
            world => UndoneAsync(world, "ReplayWal p1", "RecoverCluster", ("latest", true))
        ),
        new(
            "RecoverCluster-blocked",
            3,
            world => ResolvedAsync(world, "PromoteStandby p1", "RecoverCluster", ("latest", true))
        ),
        new(
            "RecoverCluster-cancelled",
            3,
            world => CancelledAsync(world, "RestoreBackup p1", "RecoverCluster", ("latest", true))
        ),
        new("RecoverCluster-inspected", 3, LookedAtAsync),
        new("RecoverCluster-rejected", 3, TurnedBackAsync),
        new(
            "CloneCluster-succeeded",
            0,
            world => SucceededAsync(world, "CloneCluster", ("from", "source"), ("latest", true))
        ),
        new(
            "CloneCluster-undone",
            0,
            world => UndoneAsync(world, "ReplayWal p1", "CloneCluster", ("from", "source"), ("latest", true))
        ),
        new("TakeBackup-succeeded", 3, world => SucceededAsync(world, "TakeBackup", ("annotation", "before 2.0"))),
        new(
            "TakeBackup-incremental",
            3,
            world => SucceededAsync(WithBackup(world), "TakeBackup", ("incremental", true))
        ),
        new("TakeBackup-undone", 3, world => UndoneAsync(world, "ProveBackup p1", "TakeBackup")),
        new("TakeBackup-cancelled", 3, world => CancelledAsync(world, "CopyToRepository p2", "TakeBackup")),
        new("TakeBackup-keeping", 3, world => SucceededAsync(WithPast(world), "TakeBackup", ("keep", 1))),
        new("VerifyBackup-succeeded", 3, world => SucceededAsync(world, "VerifyBackup")),
        new(
            "VerifyBackup-failed",
            3,
            world => UndoneAsync(world, "VerifyRecovery 20261124T100000Z-full", "VerifyBackup")
        ),
        new(
            "VerifyBackup-cancelled",
            3,
            world => CancelledAsync(world, "VerifyRecovery 20261124T100000Z-full", "VerifyBackup")
        ),
        new(
            "CreateRestorePoint-succeeded",
            3,
            world => SucceededAsync(world, "CreateRestorePoint", ("name", "before-2.0"))
        ),
        new(
            "CreateRestorePoint-failed",
            3,
            world => UndoneAsync(world, "ProveArchiving p1", "CreateRestorePoint", ("name", "before-2.0"))
        ),
        new("RebuildLedger-succeeded", 3, world => SucceededAsync(WithoutLedger(world), "RebuildLedger")),
        new("RebuildLedger-nothing", 3, world => SucceededAsync(world, "RebuildLedger")),
        new("RebuildLedger-failed", 3, world => UndoneAsync(WithoutLedger(world), "CompleteLedger", "RebuildLedger")),
        new(
            "RebuildLedger-cancelled",
            3,
            world => CancelledAsync(WithoutLedger(world), "FindUnrecorded", "RebuildLedger")
        ),
        new("Switchover-notified", 3, NotifiedAsync),
        new("NotificationDelivery-succeeded", 3, DeliveredAsync),
        new("WatchCluster-failed-over", 3, WatchedAsync),
        new("InspectCluster-succeeded", 3, InspectedAsync),
        new("InspectTimeline-succeeded", 3, TimelineAsync),
        new("InspectWorker-succeeded", 3, WorkerAsync),
        new("ClusterLease-released", 2, LeaseAsync),
    ];

    internal static string[] WorkMemory => ["work_mem=8MB"];

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal static string[] Connections(string number) => [$"max_connections={number}"];

    internal static TestEnvironment Crashed(TestEnvironment world)
    {
        world.InMemory.Crash("p1");
        return world;
    }

    /// <summary>A cluster of three whose commits wait for so many standbys.</summary>
    internal static TestEnvironment Synchronous(TestEnvironment world, int quorum)
    {
        foreach (var name in (string[])["p1", "p2", "p3"])
        {
            world.InMemory[name] = world.InMemory[name] with
            {
                Quorum = quorum,
                SynchronousStandbyNames = name == "p1" ? $"ANY {quorum} (p2, p3)" : "",
            };
        }

        return world;
    }

    private static TestEnvironment WithBackup(TestEnvironment world)
    {
        world.InMemory.Parent = new("20261124T140000Z-full");
        return world;
    }

    private static TestEnvironment WithNothingDropped(TestEnvironment world)
    {
        world.InMemory.Target = world.InMemory.Target with { EndOfBranch = true, FirstDropped = null };
        return world;
    }

    internal static TestEnvironment WithPast(TestEnvironment world)
    {
        world.InMemory.TwoBackups();
        return world;
    }

    internal static TestEnvironment WithoutLedger(TestEnvironment world)
    {
        world.InMemory.LoseLedger();
        return world;
    }

    internal static TestEnvironment Pruned(TestEnvironment world, params string[] names)
    {
        foreach (var name in names)
        {
            world.InMemory[name] = world.InMemory[name] with
            {
                Role = NodeRole.Missing,
                Container = "missing",
                RestartPolicy = "no",
                Endpoint = EndpointRole.None,
                Control = ControlState.InProduction,
            };
        }

        return world;
    }

    internal static TestEnvironment Fenced(TestEnvironment world)
    {
        world.InMemory["p3"] = world.InMemory["p3"] with
        {
            Role = NodeRole.Stopped,
            Container = "exited",
            Endpoint = EndpointRole.None,
        };
        return world;
    }

    private static async Task<WorkflowHandle> SucceededAsync(
        TestEnvironment world,
        string procedure,
        params (string Name, object Value)[] fields
    )
    {
        var handle = await world.StartAsync(procedure, fields);
        await EndsWellAsync(world, handle);
        return handle;
    }

    private static async Task<WorkflowHandle> ApprovedAsync(
        TestEnvironment world,
        string procedure,
        params (string Name, object Value)[] fields
    )
    {
        var handle = await world.StartAsync(procedure, [("approve", true), .. fields]);
        var plan = (
            await TestEnvironment.UntilAsync(handle, progress => progress.Status is ProcedureStatus.WaitingForApproval)
        ).Plan!;
        await handle.ExecuteUpdateAsync("approve", [new Approval(plan.Hash, "carla")]);
        Assert.Equal("carla", (await EndsWellAsync(world, handle)).Acts[^1].By);
        return handle;
    }

    private static async Task<WorkflowHandle> UndoneAsync(
        TestEnvironment world,
        string broken,
        string procedure,
        params (string Name, object Value)[] fields
    )
    {
        world.InMemory.Fail(broken, "the disk is full");
        var handle = await world.StartAsync(procedure, fields);
        var failed = await TestEnvironment.FailureAsync(handle);
        Assert.Equal((FailureTypes.Unchanged, "the disk is full"), (failed.Type, failed.Message));
        Assert.Equal(ProcedureStatus.Unchanged, failed.Report!.Outcome);
        Assert.Equal(ProcedureStatus.Unchanged, world.InMemory.Ledger.Single().Outcome);
        return handle;
    }

    private static async Task<WorkflowHandle> ResolvedAsync(
        TestEnvironment world,
        string broken,
        string procedure,
        params (string Name, object Value)[] fields
    )
    {
        world.InMemory.Fail(broken, "the disk is full");
        var handle = await world.StartAsync(procedure, fields);
        var blocked = Assert.Single((await TestEnvironment.BlockedAsync(handle)).Blocked);
        Assert.Equal("the disk is full", blocked.Why);
        Assert.Contains(
            $"Fix the cause, then run: pgflow resolve {handle.Id} retry --step {blocked.Step}",
            blocked.Hints.Select(HintText.Of)
        );
        world.InMemory.Repair(broken);
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        await EndsWellAsync(world, handle);
        return handle;
    }

    private static async Task<WorkflowHandle> CancelledAsync(
        TestEnvironment world,
        string during,
        string procedure,
        params (string Name, object Value)[] fields
    )
    {
        var gate = world.InMemory.Hold(during);
        var handle = await world.StartAsync(procedure, fields);
        await gate.Reached;
        await handle.CancelAsync();
        var report = await TestEnvironment.CancelledAsync(handle);
        Assert.Equal(ProcedureStatus.Cancelled, report.Outcome);
        Assert.Equal(ProcedureStatus.Cancelled, world.InMemory.Ledger.Single().Outcome);
        return handle;
    }

    /// <summary>A person looks, moves on twice (once to where nothing can go), and confirms.</summary>
    private static async Task<WorkflowHandle> LookedAtAsync(TestEnvironment world)
    {
        var handle = await world.StartAsync("RecoverCluster", ("toLsn", "0/2000000"), ("inspect", true));
        await TestEnvironment.UntilAsync(handle, progress => progress.Status is ProcedureStatus.Inspecting);
        Assert.Equal(EndpointRole.ReadOnly, world.InMemory["p1"].Endpoint);
        var refused = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() =>
            handle.ExecuteUpdateAsync("move", [TestEnvironment.Typed("""{"toLsn": "0/1000000"}""")])
        );
        Assert.Contains("replay goes only forward", refused.InnerException!.Message, StringComparison.Ordinal);
        var before = (await handle.QueryAsync<ProcedureProgress>("progress", [])).Plan!;
        Assert.Equal(
            "replays on to 0/3000000 on timeline 1",
            await handle.ExecuteUpdateAsync<string>(
                "move",
                [TestEnvironment.Typed("""{"toLsn": "0/3000000", "by": "ann", "reason": "a little more"}""")]
            )
        );
        await TestEnvironment.UntilAsync(
            handle,
            progress =>
                progress is { Status: ProcedureStatus.Inspecting }
                && progress.Steps.Any(step => step.Title.Contains("0/3000000", StringComparison.Ordinal))
        );
        await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() =>
            handle.ExecuteUpdateAsync("approve", [new Approval(before.Hash, "carla")])
        );
        await handle.ExecuteUpdateAsync("approve", [new Approval(null, "carla")]);
        var report = await EndsWellAsync(world, handle);
        Assert.Contains("0/3000000", report.Plan!.Summary, StringComparison.Ordinal);
        Assert.Contains(
            report.Acts,
            act =>
                act is { By: "ann", Reason: "a little more" }
                && act.What.StartsWith("move to ", StringComparison.Ordinal)
                && act.What.EndsWith(" 0/3000000", StringComparison.Ordinal)
        );
        // proven once more before the point of no return
        Assert.Equal([new(0x2000000), new(0x3000000), new(0x3000000)], world.InMemory.Replays);
        return handle;
    }

    /// <summary>A person looks and rolls back.</summary>
    private static async Task<WorkflowHandle> TurnedBackAsync(TestEnvironment world)
    {
        var handle = await world.StartAsync("RecoverCluster", ("latest", true), ("inspect", true));
        await TestEnvironment.UntilAsync(handle, progress => progress.Status is ProcedureStatus.Inspecting);
        await handle.ExecuteUpdateAsync("reject", [new Rejection("carla", "not what we want")]);
        Assert.Equal(FailureTypes.Refused, (await TestEnvironment.FailureAsync(handle)).Type);
        Assert.Equal(
            (NodeRole.Primary, EndpointRole.ReadWrite),
            (world.InMemory["p1"].Role, world.InMemory["p1"].Endpoint)
        );
        Assert.All(
            (string[])["p2", "p3"],
            name =>
                Assert.Equal(
                    (NodeRole.Standby, EndpointRole.ReadOnly),
                    (world.InMemory[name].Role, world.InMemory[name].Endpoint)
                )
        );
        return handle;
    }

    private static async Task<WorkflowHandle> InspectedAsync(TestEnvironment world)
    {
        var handle = await world.StartAsync("InspectCluster");
        var inspection = await handle.GetResultAsync<Inspection>();
        Assert.Empty(inspection.Findings);
        return handle;
    }

    private static async Task<WorkflowHandle> WorkerAsync(TestEnvironment world)
    {
        var handle = await world.StartRawAsync("InspectWorker");
        var found = await handle.GetResultAsync<WorkerInspection>();
        Assert.Equal("answers", found.Results.Single().Found);
        return handle;
    }

    private static async Task<WorkflowHandle> TimelineAsync(TestEnvironment world)
    {
        var handle = await world.StartAsync("InspectTimeline");
        var tree = await handle.GetResultAsync<TimelineTree>();
        Assert.Equal((world.Cluster, DateTimeOffset.UnixEpoch), (tree.Cluster, tree.ReadAt));
        return handle;
    }

    private static async Task<WorkflowHandle> LeaseAsync(TestEnvironment world)
    {
        await SucceededAsync(world, "Switchover");
        return world.Client.GetWorkflowHandle(ClusterLease.IdOf(world.Cluster));
    }

    private static async Task<WorkflowHandle> NotifiedAsync(TestEnvironment world)
    {
        using var hook = new WebhookReceiver();
        world.InMemory.Notifications = InMemoryCluster.Telling(new() { NotifyUrl = hook.Url });
        var handle = await ResolvedAsync(world, "ProveStreaming p3", "Switchover", ("to", "p2"));
        await hook.NextAsync(3);
        return handle;
    }

    /// <summary>A witness that sees something, is paused, fails over, and is stopped.</summary>
    private static async Task<WorkflowHandle> WatchedAsync(TestEnvironment world)
    {
        var witness = await WitnessTests.StartAsync(world);
        world.InMemory.Show(WitnessFinding.Well);
        await WitnessTests.DecidedAsync(witness, WitnessAction.Watching);
        world.InMemory.Show(WitnessFinding.Unreachable);
        await WitnessTests.DecidedAsync(witness, WitnessAction.Alerted);
        await WitnessTests.PauseAsync(world, witness);
        await witness.ExecuteUpdateAsync("resume", [new WitnessOrder("bert")]);
        world.InMemory.Crash("p1");
        world.InMemory.Show(WitnessFinding.Down);
        await WitnessTests.DecidedAsync(witness, WitnessAction.LeftAlone);
        await WitnessTests.StopAsync(witness);
        return witness;
    }

    private static async Task<WorkflowHandle> DeliveredAsync(TestEnvironment world)
    {
        using var hook = new WebhookReceiver();
        world.InMemory.Notifications = InMemoryCluster.Telling(
            new() { NotifyUrl = hook.Url, NotifyProgram = "/bin/true" }
        );
        await SucceededAsync(world, "Switchover");
        var delivery = world.Client.GetWorkflowHandle((await hook.NextAsync()).Id);
        await delivery.GetResultAsync();
        return delivery;
    }

    private static async Task<Report> EndsWellAsync(TestEnvironment world, WorkflowHandle handle)
    {
        var report = await handle.GetResultAsync<Report>().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(ProcedureStatus.Succeeded, report.Outcome);
        Assert.All(report.Steps, step => Assert.Equal(StepState.Done, step.State));
        var planned = report.Plan!.Steps.Select(step => step.Id).ToList();
        Assert.Equal(planned, planned.Distinct());
        Assert.Equal(planned, report.Steps.Select(step => step.Id).Where(planned.Contains).Distinct());
        Assert.Equal(handle.Id, world.InMemory.Ledger.Single().WorkflowId);
        return report;
    }
}

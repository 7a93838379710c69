using System.Net;
using System.Text;
using CloudNative.CloudEvents.SystemTextJson;
using Microsoft.Extensions.Logging;
using Temporalio.Client;

namespace PgFlow.WorkflowTests;

/// <summary>Whoever wants to know is told where procedures are, and none of these waits for it.</summary>
public sealed class NotificationTests(TemporalServer server) : IDisposable
{
    private const string Hostile =
        "she said \"now\" and 'here';\n$(touch /tmp/pgflow) `id` \\ é 漢字 😀 \u2028 </script> {\"a\": 1}\r\nX-Header: 1";

    private readonly WebhookReceiver _hook = new();
    private readonly LogLines _log = new();

    public void Dispose()
    {
        _hook.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task Its_begin_every_wait_for_a_person_and_its_end_are_told_with_what_these_need()
    {
        await using var world = Start();
        world.InMemory.Fail("SetRoles p2", "no \"such\" role");
        var handle = await world.StartAsync("Switchover", ("approve", true), ("reason", Hostile));
        var waits = await _hook.NextAsync();
        await handle.ExecuteUpdateAsync("approve", [new Approval(waits.Data.PlanHash, "carla")]);
        var (begins, blocked) = await _hook.NextAsync(2) is [var first, var second] ? (first, second) : default;
        world.InMemory.Repair("SetRoles p2");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        var report = await handle.GetResultAsync<Report>();
        var ended = await _hook.NextAsync();

        Assert.Equal(
            ["waitingForApproval", "running", "blocked", "succeeded"],
            new[] { waits, begins, blocked, ended }.Select(told => told.Type["pgflow.procedure.".Length..])
        );
        Assert.All(
            new[] { waits, begins, blocked, ended },
            told =>
            {
                Assert.Equal(("POST", handle.Id), (told.Method, told.Json.GetProperty("subject").GetString()));
                var data = told.Data;
                Assert.Equal(
                    (world.Cluster, "Switchover", handle.Id, report.RunId, "anna", Hostile, report.Plan!.Summary),
                    (data.Cluster, data.Procedure, data.WorkflowId, data.RunId, data.By, data.Reason, data.Plan)
                );
            }
        );
        Assert.Equal(4, new[] { waits, begins, blocked, ended }.DistinctBy(told => told.Id).Count());
        var step = Assert.Single(blocked.Data.Blocked);
        Assert.StartsWith("no \"such\" role", step.Why, StringComparison.Ordinal);
        Assert.Contains(step.Hints, hint => hint.Action is WorkflowAction.Resolve && hint.WorkflowId == handle.Id);
        Assert.Equal(report.Summary, ended.Data.Summary);
        Assert.True(_hook.IsQuiet);
    }

    [Fact]
    public async Task It_is_a_CloudEvent()
    {
        await using var world = Start();
        await world.SucceedAsync("CreateRestorePoint", ("name", "before"));
        var told = await _hook.NextAsync();

        Assert.StartsWith("application/cloudevents+json", told.ContentType, StringComparison.Ordinal);
        var read = await new JsonEventFormatter().DecodeStructuredModeMessageAsync(
            new MemoryStream(Encoding.UTF8.GetBytes(told.Text)),
            new(told.ContentType),
            null
        );
        Assert.True(read.IsValid);
        Assert.Equal(
            ("1.0", $"/pgflow/{world.Cluster}", "application/json", told.Data.At),
            (read.SpecVersion.VersionId, $"{read.Source}", read.DataContentType, read.Time)
        );
    }

    [Fact]
    public async Task A_stop_at_a_recovery_target_is_told_and_so_is_the_way_back()
    {
        await using var world = Start();
        var handle = await world.StartAsync("RecoverCluster", ("latest", true), ("inspect", true));
        await TestEnvironment.UntilAsync(handle, progress => progress.Status is ProcedureStatus.Inspecting);
        await handle.ExecuteUpdateAsync("reject", [new Rejection("carla", "not what we want")]);

        Assert.Equal(
            [ProcedureStatus.Running, ProcedureStatus.Inspecting, ProcedureStatus.Refused],
            (await _hook.NextAsync(3)).Select(told => told.Data.Status)
        );
    }

    [Fact]
    public async Task A_cancelled_procedure_tells_its_end_too()
    {
        await using var world = Start();
        var gate = world.InMemory.Hold("StopPostgres p1");
        var handle = await world.StartAsync("Switchover");
        await gate.Reached;
        await handle.CancelAsync();
        await TestEnvironment.CancelledAsync(handle);

        Assert.Equal(
            [ProcedureStatus.Running, ProcedureStatus.Cancelled],
            (await _hook.NextAsync(2)).Select(told => told.Data.Status)
        );
    }

    [Fact]
    public async Task One_that_is_refused_tells_why_and_what_to_do_and_one_that_finds_nothing_to_do_its_end()
    {
        await using var world = Start();
        world.InMemory.Crash("p1");
        var refused = await world.FailAsync("Switchover");
        var told = (await _hook.NextAsync()).Data;
        Assert.Equal((ProcedureStatus.Refused, refused.Message), (told.Status, told.Summary));
        Assert.Equal(refused.Hints.Select(HintText.Of), told.Hints.Select(HintText.Of));

        await world.SucceedAsync("RebuildLedger");
        Assert.Equal(ProcedureStatus.Succeeded, (await _hook.NextAsync()).Data.Status);
        Assert.True(_hook.IsQuiet);
    }

    [Fact]
    public async Task What_changes_nothing_tells_nothing()
    {
        await using var world = Start();
        foreach (
            var handle in new[]
            {
                await world.StartAsync("InspectCluster"),
                await world.StartAsync("InspectTimeline"),
                await world.StartAsync("Switchover", ("dryRun", true)),
            }
        )
        {
            await handle.GetResultAsync();
            Assert.Empty(await DeliveriesAsync(handle));
        }
    }

    [Fact]
    public async Task One_that_finds_the_cluster_busy_tells_its_end_too()
    {
        await using var world = Start();
        var gate = world.InMemory.Hold("StopPostgres p1");
        var holder = await world.StartAsync("Switchover");
        await gate.Reached;
        Assert.Equal(FailureTypes.ClusterBusy, (await world.FailAsync("RemakeStandby", ("node", "p2"))).Type);
        gate.Open();
        await holder.GetResultAsync();

        Assert.Equal(
            [
                ("Switchover", ProcedureStatus.Running),
                ("RemakeStandby", ProcedureStatus.ClusterBusy),
                ("Switchover", ProcedureStatus.Succeeded),
            ],
            (await _hook.NextAsync(3)).Select(told => (told.Data.Procedure, told.Data.Status))
        );
    }

    /// <summary>Nor is anything asked: their histories, in ReplayTests, are those of before.</summary>
    [Fact]
    public async Task Where_nobody_is_to_be_told_nothing_is_done_for_it()
    {
        await using var world = TestEnvironment.Start(server);
        var handle = await world.StartAsync("Switchover");
        await handle.GetResultAsync();

        Assert.Empty(await DeliveriesAsync(handle));
        Assert.DoesNotContain(
            (await handle.FetchHistoryAsync()).Events,
            happened => happened.ActivityTaskScheduledEventAttributes?.ActivityType.Name is "FindReceivers"
        );
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_keeps_no_failover_waiting()
    {
        await using var world = Start();
        world.InMemory.Crash("p1");
        _hook.Hangs = true;
        var handle = await world.StartAsync("Failover");
        Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);

        var deliveries = await DeliveriesAsync(handle);
        Assert.Equal(2, deliveries.Count);
        _hook.Release();
        await Task.WhenAll(deliveries.Select(delivery => delivery.GetResultAsync()));
    }

    [Fact]
    public async Task One_that_fails_is_told_again_as_the_same_event_until_it_takes_it_and_changes_no_end()
    {
        await using var world = Start();
        _hook.Answer = HttpStatusCode.ServiceUnavailable;
        var handle = await world.StartAsync("CreateRestorePoint", ("name", "before"));
        Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
        var refused = await _hook.NextAsync(3); // of two, so one has come twice
        _hook.Answer = HttpStatusCode.OK;

        var deliveries = await DeliveriesAsync(handle);
        await Task.WhenAll(deliveries.Select(delivery => delivery.GetResultAsync()));
        Assert.Subset(
            deliveries.Select(delivery => delivery.Id).ToHashSet(),
            refused.Select(told => told.Id).ToHashSet()
        );
        Assert.Contains(
            _log.Own,
            line =>
                line.Level is LogLevel.Warning
                && line.Text.StartsWith($"DeliverNotification {world.Cluster}", StringComparison.Ordinal)
                && line.Text.Contains("is tried again", StringComparison.Ordinal)
                && line.Text.Contains("503", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_worker_that_ends_in_the_middle_leaves_it_to_the_next()
    {
        await using var world = Start();
        _hook.Hangs = true;
        var handle = await world.StartAsync("CreateRestorePoint", ("name", "before"));
        var lost = await _hook.NextAsync();
        await handle.GetResultAsync();
        _hook.Hangs = false;
        await world.ReplaceWorkerAsync();

        await Task.WhenAll((await DeliveriesAsync(handle)).Select(delivery => delivery.GetResultAsync()));
        var again = new List<WebhookReceiver.Event>();
        while (!_hook.IsQuiet)
        {
            again.Add(await _hook.NextAsync());
        }

        Assert.Contains(again, told => (told.Id, told.Text) == (lost.Id, lost.Text));
    }

    [Fact]
    public async Task An_answer_is_not_waited_for_longer_than_the_limit()
    {
        await using var world = Start(limits: new() { Notification = TimeSpan.FromMilliseconds(300) });
        _hook.Hangs = true;
        var handle = await world.StartAsync("CreateRestorePoint", ("name", "before"));
        await handle.GetResultAsync();
        await _hook.NextAsync(4);
        _hook.Hangs = false; // the next attempts are answered; those that hang are given up

        await Task.WhenAll((await DeliveriesAsync(handle)).Select(delivery => delivery.GetResultAsync()));
        Assert.Contains(_log.Own, line => line.Text.Contains("it did not end within 0.3 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_program_gets_the_same_event_and_one_receiver_that_fails_keeps_the_other_from_nothing()
    {
        using var program = ProgramFile.KeepingItsInput();
        await using var world = Start(
            new() { NotifyProgram = program.Command, NotifyUrl = new("http://127.0.0.1:1/") }
        );
        await world.SucceedAsync("CreateRestorePoint", ("name", "before"), ("reason", Hostile));

        var told = (await program.KeptAsync(2))
            .Select(text => new WebhookReceiver.Event("", "", text, default))
            .OrderBy(told => told.Data.At)
            .ToList();
        Assert.Equal([ProcedureStatus.Running, ProcedureStatus.Succeeded], told.Select(told => told.Data.Status));
        Assert.All(told, told => Assert.Equal(Hostile, told.Data.Reason));
    }

    private TestEnvironment Start(ActivityHostOptions? options = null, TimeLimits? limits = null)
    {
        var world = TestEnvironment.Start(server, log: _log.Factory, interceptors: LogLines.ActivitiesOf(_log.Factory));
        world.InMemory.Notifications = InMemoryCluster.Telling(options ?? new() { NotifyUrl = _hook.Url }, limits);
        return world;
    }

    /// <summary>The workflows that deliver what a procedure tells.</summary>
    private async Task<IReadOnlyList<WorkflowHandle>> DeliveriesAsync(WorkflowHandle procedure) =>
        [
            .. (await procedure.FetchHistoryAsync())
                .Events.Select(happened => happened.ChildWorkflowExecutionStartedEventAttributes)
                .Where(child => child?.WorkflowType.Name is nameof(NotificationDelivery))
                .Select(child => server.Client.GetWorkflowHandle(child!.WorkflowExecution.WorkflowId)),
        ];
}

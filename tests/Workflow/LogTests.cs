using Microsoft.Extensions.Logging;

namespace PgFlow.WorkflowTests;

/// <summary>The worker's log says what was changed, by whom, and why something was not.</summary>
public sealed class LogTests(TemporalServer server) : IDisposable
{
    private readonly LogLines _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task A_change_is_logged_with_all_that_tells_what_it_belongs_to()
    {
        await using var world = Start();
        var gate = world.InMemory.Hold("PromoteStandby p2");
        gate.WhileHeld = () =>
        {
            ProgressReporter.Now!.AllowedAt = 0;
            gate.Open();
        };
        var handle = await world.StartAsync("Switchover");
        var report = await handle.GetResultAsync<Report>();

        var promoted = Assert.Single(_log.Own, line => line.Level is LogLevel.Information && line.Event == 100);
        var step = report.Steps.Single(step => step.Id == "promote");
        Assert.Matches(
            $@"^PromoteStandby {world.Cluster}/p2: changed in \d+ ms \(Switchover, step {step.Number}: {step.Title}\)$",
            promoted.Text
        );
        Assert.Equal(
            (
                "PromoteStandby",
                $"{world.Cluster}",
                "p2",
                "Switchover",
                step.Number,
                step.Title,
                1,
                handle.Id,
                report.RunId
            ),
            (
                promoted.Fields["Activity"],
                promoted.Fields["Cluster"],
                promoted.Fields["Node"],
                promoted.Fields["Procedure"],
                promoted.Fields["Step"],
                promoted.Fields["Title"],
                promoted.Fields["Attempt"],
                promoted.Fields["WorkflowId"],
                promoted.Fields["RunId"]
            )
        );
    }

    [Fact]
    public async Task What_only_looked_is_there_for_those_who_debug()
    {
        await using var world = Start();
        await world.SucceedAsync("Switchover");

        var look = _log.Own.First(line => line.Text.StartsWith("ObserveCluster", StringComparison.Ordinal));
        Assert.Equal((LogLevel.Debug, $"{world.Cluster}"), (look.Level, look.Fields["Cluster"]));
        Assert.Contains("outside of steps", look.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_is_a_warning_with_its_reason_each_time()
    {
        await using var world = Start();
        world.InMemory.FailTimes("WriteSettings p2", 2, "no space left");
        await world.SucceedAsync("Switchover");

        var failures = _log.Own.Where(line => line.Level is LogLevel.Warning).ToList();
        Assert.Equal([1, 2], failures.Select(line => line.Fields["Attempt"]));
        Assert.All(
            failures,
            line => Assert.Matches("^WriteSettings .*: failed after .* and is tried again: no space left", line.Text)
        );
    }

    [Fact]
    public async Task A_procedure_says_that_it_is_blocked_and_how_it_ended_once()
    {
        await using var world = Start();
        world.InMemory.Fail("SetRoles p2", "no such role");
        var handle = await world.StartAsync("Switchover");
        await TestEnvironment.BlockedAsync(handle);
        await world.ReplaceWorkerAsync(); // which replays it
        world.InMemory.Repair("SetRoles p2");
        await TestEnvironment.ResolveAsync(handle, ResolveAction.Retry);
        await handle.GetResultAsync();

        var lines = _log.Own.Where(line => line.Event >= 200).ToList();
        Assert.Collection(
            lines,
            blocked =>
            {
                Assert.Equal(LogLevel.Warning, blocked.Level);
                Assert.Contains("blocked until a person decides", blocked.Text, StringComparison.Ordinal);
                Assert.Contains("no such role", blocked.Text, StringComparison.Ordinal);
            },
            ended =>
            {
                Assert.Equal(LogLevel.Information, ended.Level);
                Assert.Matches($@"^Switchover {world.Cluster}: succeeded in \d+ ms: .*asked for by anna", ended.Text);
            }
        );
    }

    [Fact]
    public async Task An_end_that_is_no_success_is_a_warning()
    {
        await using var world = Start();
        world.InMemory.Crash("p2");
        await world.FailAsync("Switchover");

        var ended = Assert.Single(_log.Own, line => line.Event == 202);
        Assert.Equal((LogLevel.Warning, "refused"), (ended.Level, ended.Fields["Outcome"]));
    }

    private TestEnvironment Start() =>
        TestEnvironment.Start(server, log: _log.Factory, interceptors: LogLines.ActivitiesOf(_log.Factory));
}

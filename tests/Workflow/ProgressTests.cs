using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Spectre.Console.Testing;

namespace PgFlow.WorkflowTests;

/// <summary>What an activity reports is what a person reads.</summary>
public sealed class ProgressTests(TemporalServer server)
{
    [Fact]
    public async Task An_activitys_progress_goes_through_the_server_to_its_step_in_the_view()
    {
        await using var world = TestEnvironment.Start(
            server,
            interceptors: LogLines.ActivitiesOf(NullLoggerFactory.Instance)
        );
        var gate = world.InMemory.Hold("CopyToRepository p2");
        gate.WhileHeld = () => ProgressReporter.Report("backup", 40_000_000, 100_000_000);
        var handle = await world.StartAsync("TakeBackup");
        await gate.Reached;

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var seen = await new ProcedureWatcher(handle)
            .SnapshotsAsync(limit.Token)
            .FirstAsync(now => now.Activities.Any(activity => activity.Progress?.Percent is not null), limit.Token);
        var activity = Assert.Single(seen.Activities);
        var step = Assert.Single(seen.Progress!.Steps, step => step.State is StepState.Running);
        Assert.Equal(
            ("CopyToRepository", step.Number, 40.0),
            (activity.Type, activity.Progress!.Step, activity.Progress.Percent)
        );
        Assert.Equal((40_000_000, 100_000_000), (activity.Progress.Bytes, activity.Progress.TotalBytes));

        var console = new TestConsole().Width(200);
        console.Write(LiveView.Draw(seen, handle.Id, DateTimeOffset.UtcNow));
        Assert.Matches($"{step.Title} .*\n +backup: 40 %, 38 MB of 95 MB", console.Output);

        var (people, program) = (new TestConsole(), new TestConsole().Width(10_000));
        var address = server.Client.Connection.Options.TargetHost!;
        await CommandLine.RunAsync(
            ["show", handle.Id, "-o", "json", "--address", address],
            new(program, people, Interactive: false)
        );
        var shown = JsonNode.Parse(program.Output)!["activities"]![0]!;
        Assert.Equal(("CopyToRepository", 40), ((string?)shown["type"], (double)shown["progress"]!["percent"]!));

        gate.Open();
        var last = await new ProcedureWatcher(handle, toItsEnd: true)
            .SnapshotsAsync(limit.Token)
            .LastAsync(limit.Token);
        Assert.True(last.Closed);
        Assert.All(last.Progress!.Steps, done => Assert.Equal(StepState.Done, done.State));
    }
}

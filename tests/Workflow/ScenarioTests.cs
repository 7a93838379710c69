using System.Text.Json;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PgFlow.WorkflowTests;

/// <summary>Every procedure in every end that it can have.</summary>
public sealed class ScenarioTests(TemporalServer server)
{
    public static TheoryData<string> Names => [.. Scenario.All.Select(scenario => scenario.Name)];

    /// <summary>
    /// With PGFLOW_WRITE_GOLDEN=1 it writes the histories that <see cref="ReplayTests"/> replays:
    /// <c>PGFLOW_WRITE_GOLDEN=1 dotnet test --project tests/Workflow --filter-class
    /// PgFlow.WorkflowTests.ScenarioTests</c>. Do this only for a new procedure or
    /// a change that no running workflow will meet: a replay that fails is a procedure that hangs after a deployment.
    /// </summary>
    [Theory, MemberData(nameof(Names))]
    public async Task Ends_as_it_should(string name)
    {
        var scenario = Scenario.All.Single(scenario => scenario.Name == name);
        await using var world = TestEnvironment.Start(server, scenario.Nodes);
        var handle = await scenario.RunAsync(world);

        var history = await handle.FetchHistoryAsync();
        Assert.DoesNotContain(history.Events, IsTrouble);
        Assert.All(
            history.Events.Where(item => item.ActivityTaskScheduledEventAttributes is not null),
            KeepsTheRulesOfTheWebUi
        );
        await Golden.KeepAsync(name, handle);
        if (
            history.Events.Last().WorkflowExecutionCompletedEventAttributes?.Result?.Payloads_
            is [{ Data.IsEmpty: false } result]
        )
        {
            SaysWhatWasReached(JsonDocument.Parse(result.Data.Memory).RootElement);
        }
    }

    /// <summary>A plan's sentence says what will be, and is no end.</summary>
    private static void SaysWhatWasReached(JsonElement end)
    {
        if (
            end.TryGetProperty("steps", out var steps)
            && steps.GetArrayLength() > 0
            && end.GetProperty("procedure").GetString() is not nameof(SetSynchronousReplication) // whose states are both
        )
        {
            Assert.NotEqual(
                end.GetProperty("plan").GetProperty("summary").GetString(),
                end.GetProperty("summary").GetString()
            );
        }
    }

    private static bool IsTrouble(HistoryEvent item) => item.EventType is EventType.WorkflowTaskFailed;

    /// <summary>What the Web UI warns of (temporal.md §2), and a line for its timeline.</summary>
    private static void KeepsTheRulesOfTheWebUi(HistoryEvent item)
    {
        var activity = item.ActivityTaskScheduledEventAttributes;
        var (attempt, all) = (activity.StartToCloseTimeout.ToTimeSpan(), activity.ScheduleToCloseTimeout.ToTimeSpan());
        Assert.NotEmpty(item.UserMetadata.Summary.Data);
        Assert.InRange(item.UserMetadata.Summary.CalculateSize(), 1, 400);
        Assert.True(attempt > TimeSpan.FromSeconds(1));
        Assert.True(all >= 2 * attempt);
        Assert.InRange(activity.HeartbeatTimeout.ToTimeSpan(), TimeSpan.FromSeconds(1), attempt * 0.8);
        Assert.True(activity.RetryPolicy.MaximumAttempts > 1);
        Assert.Contains(FailureTypes.Refused, activity.RetryPolicy.NonRetryableErrorTypes);
    }
}

namespace PgFlow.WorkflowTests;

/// <summary>A primary whose fast stop takes long needs a longer limit, and its activity the time for it.</summary>
public sealed class StopLimitTests(TemporalServer server)
{
    [Theory]
    [InlineData("Switchover", null, 110, 220)]
    [InlineData("Switchover", 600, 620, 1240)]
    public async Task The_stop_has_as_long_as_the_input_says(string procedure, int? seconds, int attempt, int all)
    {
        await using var world = TestEnvironment.Start(server);
        (string, object)[] fields = seconds is { } given ? [("stopWithinSeconds", given)] : [];
        var handle = await world.StartAsync(procedure, fields);
        await handle.GetResultAsync();

        var stop = (await handle.FetchHistoryAsync())
            .Events.Select(happened => happened.ActivityTaskScheduledEventAttributes)
            .Single(scheduled => scheduled?.ActivityType.Name == "StopPostgres");
        Assert.Equal(TimeSpan.FromSeconds(attempt), stop.StartToCloseTimeout.ToTimeSpan());
        Assert.Equal(TimeSpan.FromSeconds(all), stop.ScheduleToCloseTimeout.ToTimeSpan());
        Assert.Equal($"{seconds ?? 90}", stop.Input.Payloads_[1].Data.ToStringUtf8());
    }
}

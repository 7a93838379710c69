using System.Globalization;

namespace PgFlow.UnitTests.Cli;

public sealed class ShownTimeTests
{
    private static readonly DateTimeOffset Time = new(2026, 11, 28, 21, 30, 5, 250, TimeSpan.Zero);

    [Theory]
    [InlineData("Asia/Kolkata", "2026-11-29 03:00:05+05:30", "2026-11-29T03:00:05.25+05:30")]
    [InlineData("America/New_York", "2026-11-28 16:30:05-05:00", "2026-11-28T16:30:05.25-05:00")]
    [InlineData("UTC", "2026-11-28 21:30:05Z", "2026-11-28T21:30:05.25Z")]
    public async Task A_time_is_said_in_its_zone_with_its_offset(string zone, string said, string exact)
    {
        await Task.Yield(); // the zone is of this flow alone
        ShownTime.Zone = TimeZoneInfo.FindSystemTimeZoneById(zone);
        Assert.Equal((said, exact), (ShownTime.Of(Time), ShownTime.Exact(Time)));
        Assert.Equal(Time, DateTimeOffset.Parse(ShownTime.Exact(Time), CultureInfo.InvariantCulture));
        Assert.Equal(said.Remove(16, 3), ShownTime.Minute(Time));
    }

    [Fact]
    public async Task The_offset_is_that_of_the_time_not_of_today()
    {
        await Task.Yield();
        ShownTime.Zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Zurich");
        Assert.EndsWith("+01:00", ShownTime.Of(Time), StringComparison.Ordinal);
        Assert.EndsWith("+02:00", ShownTime.Of(Time.AddMonths(-4)), StringComparison.Ordinal);
    }
}

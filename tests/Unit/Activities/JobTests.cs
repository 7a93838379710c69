using PgFlow.Activities;

namespace PgFlow.UnitTests.Activities;

public sealed class JobTests
{
    [Theory]
    [InlineData("1795549258.250000000", 0, 1795549258250)]
    [InlineData("1795549258.%N", 0, 1795549258000)] // a date without fractions
    [InlineData("1795549258.%N", 1, 1795549259000)] // an end must not lie before what it ends
    [InlineData("1795549258.250000000", 1, 1795549258250)]
    public void A_time_is_the_hosts_in_seconds(string fact, int whole, long milliseconds) =>
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), Job.TimeOf(fact, TimeSpan.FromSeconds(whole)));
}

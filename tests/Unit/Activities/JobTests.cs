namespace PgFlow.UnitTests.Activities;

public sealed class JobTests
{
    [Theory]
    [InlineData(1, FailureTypes.Failed, false, "copy ended with 1: connection reset")]
    [InlineData(2, FailureTypes.Failed, false, "copy ended with 2: connection reset")]
    [InlineData(125, FailureTypes.Failed, false, "copy ended with 125: connection reset")]
    [InlineData(3, FailureTypes.Refused, true, "copy: connection reset")]
    public void Only_a_program_that_ends_with_3_says_that_a_precondition_does_not_hold(
        int code,
        string kind,
        bool final,
        string message
    )
    {
        var failure = new JobEnd(code, "job", "connection reset").FailureOf("copy");

        Assert.Equal((kind, final, message), (failure.Type, failure.IsFinal, failure.Message));
    }

    [Theory]
    [InlineData("1795549258.250000000", 0, 1795549258250)]
    [InlineData("1795549258.%N", 0, 1795549258000)] // a date without fractions
    [InlineData("1795549258.%N", 1, 1795549259000)] // an end must not lie before what it ends
    [InlineData("1795549258.250000000", 1, 1795549258250)]
    public void A_time_is_the_hosts_in_seconds(string fact, int whole, long milliseconds) =>
        Assert.Equal(
            DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
            JobSpec.TimeOf(fact, TimeSpan.FromSeconds(whole))
        );
}

namespace PgFlow.UnitTests.Activities;

public sealed class LastWordsTests
{
    [Theory]
    [InlineData(
        """
            2026-11-28 13:00:00.000 UTC [31] FATAL:  hot standby is not possible because max_connections = 100 is a lower setting than on the master server (its value was 150)
            2026-11-28 13:00:00.000 UTC [31] CONTEXT:  WAL redo at 0/3000028 for XLOG/PARAMETER_CHANGE: max_connections=150
            """,
        "hot standby is not possible because max_connections = 100 is a lower setting than on the master server (its value was 150)"
    )] // PostgreSQL 13
    [InlineData(
        """
            2026-11-28 13:00:00.000 UTC [31] FATAL:  recovery aborted because of insufficient parameter settings
            2026-11-28 13:00:00.000 UTC [31] DETAIL:  max_connections = 100 is a lower setting than on the primary server, where its value was 150.
            """,
        "recovery aborted because of insufficient parameter settings"
    )]
    public void Of_a_standby_with_too_little_say_of_what(string log, string why)
    {
        Assert.Equal(why, LastWords.Why(log));
        Assert.Equal([new("max_connections", 100, 150)], LastWords.TooLow(log));
    }
}

namespace PgFlow.UnitTests.Cli;

public sealed class ClientsTextTests
{
    [Fact]
    public void What_this_cluster_has_measured_goes_before_what_is_typical()
    {
        Assert.Equal("clients: without writes for less than 1 s, typically", ClientsText.Of("for less than 1 s", []));
        Assert.Equal("clients: without writes for about 620 ms, as the last time here", ClientsText.Of("never", [620]));
        Assert.Equal(
            "clients: without writes for about 900 ms; the last 3 times here 620 ms to 1.4 s",
            ClientsText.Of("never", [620, 900, 1400])
        );
    }
}

namespace PgFlow.UnitTests.Activities;

public sealed class ClientConnectionsTests
{
    private static readonly ClusterSpec Spec = new(
        ClusterName.Parse("demo"),
        "postgres:17",
        new(17, "/bin", 999, 999),
        ArchiveMode.External,
        "10.77.100.0/24",
        "external",
        "10.9.9.10"
    );

    [Theory]
    [InlineData("0100007F:1538", "01", 0)] // the loopback
    [InlineData("0B644D0A:1538", "01", 0)] // the internal address: PgFlow and the standbys
    [InlineData("0A09090A:1538", "01", 1)] // a session
    [InlineData("0A09090A:1538", "03", 1)] // a client whose handshake is under way
    [InlineData("0A09090A:1538", "04", 1)] // ended, and the client may not know
    [InlineData("0A09090A:1538", "05", 0)] // ended, and it knows
    [InlineData("0A09090A:1538", "06", 0)]
    [InlineData("0A09090A:1538", "08", 0)] // it has closed
    [InlineData("00000000:1538", "0A", 0)] // the listener
    [InlineData("0A09090A:8F3A", "01", 0)] // no connection to PostgreSQL
    public void A_connection_counts_while_its_client_may_wait_for_it(string local, string state, int open) =>
        Assert.Equal(
            open == 0 ? [] : ["10.9.9.10"],
            SocketTable.OpenBeside(
                "10.77.100.11",
                $"""
                  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
                   3: {local} 0109090A:A0D2 {state} 00000000:00000000 00:00000000 00000000   999        0 123456 1 0000000000000000 20 4 30 10 -1

                """
            )
        );

    [Fact]
    public void Refusing_keeps_what_users_wrote_and_admitting_gives_it_back()
    {
        var file = $"{SettingsFile.RenderHba(Spec)}hostssl all \"odd role\" 10.0.0.0/8 cert\n";
        var refusing = Hba.Refusing(file, Spec);

        Assert.EndsWith(file, refusing, StringComparison.Ordinal);
        Assert.True(
            refusing.IndexOf("host all all 0.0.0.0/0 reject", StringComparison.Ordinal)
                > refusing.IndexOf(SettingsFile.RenderOwnHba(Spec), StringComparison.Ordinal)
        );
        Assert.Equal(file, Hba.Admitting(refusing));
        Assert.Equal(file, Hba.Admitting(file));
        Assert.Equal(refusing, Hba.Refusing(refusing, Spec)); // done twice, it ends the same
    }
}

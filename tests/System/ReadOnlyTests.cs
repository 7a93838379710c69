using Npgsql;

namespace PgFlow.SystemTests;

public sealed class ReadOnlyTests(TemporalServer temporal)
{
    private const string Write = "CREATE TABLE IF NOT EXISTS t (i int); INSERT INTO t VALUES (1)";

    [Fact]
    public async Task No_transaction_of_any_session_writes_after_restarts_and_role_changes_until_it_is_taken_back()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await TestCluster.SqlAsync(
            cluster.Node(1),
            "CREATE ROLE stubborn; ALTER ROLE stubborn SET default_transaction_read_only = off"
        );
        await using var stubborn = await OpenAsync(cluster);
        await ExecuteAsync(stubborn, Write + "; SET default_transaction_read_only = off");
        await using var busy = await OpenAsync(cluster);
        await ExecuteAsync(busy, "BEGIN; INSERT INTO t VALUES (2)");

        var report = await SetAsync(cluster, ReadOnlyMode.On);
        Assert.Equal(
            ["role stubborn sets default_transaction_read_only for itself: that goes before the cluster's"],
            report.Notes
        );
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(stubborn, Write));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(busy, "COMMIT"));
        await RefusesAsync(cluster);
        await Host.DockerAsync("restart", cluster.Node(1).Container);
        await RefusesAsync(cluster);
        await Host.UntilAsync("p2 streams again", async () => (await cluster.InspectAsync()).Healthy);

        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await RefusesAsync(cluster);
        var state = await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
        Assert.All(state.Nodes, node => Assert.True(node.ReadOnly));

        // one that is stopped meanwhile does not bring the earlier setting back
        await Host.DockerAsync("stop", cluster.Node(1).Container);
        await using var open = await OpenAsync(cluster);
        await SetAsync(cluster, ReadOnlyMode.Off);
        await ExecuteAsync(open, Write);
        await FailoverTests.FailBackAsync(cluster);
        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await using var after = await OpenAsync(cluster);
        await ExecuteAsync(after, Write);
        Assert.Equal("1", await TestCluster.SqlAsync(cluster.Node(1), "SELECT count(DISTINCT i) FROM t"));
        Assert.All(
            (await cluster.HealthyAsync(cluster.Node(1), timeline: 3)).Nodes,
            node => Assert.False(node.ReadOnly)
        );
    }

    private static Task<Report> SetAsync(TestCluster cluster, ReadOnlyMode mode) =>
        cluster.RunAsync(
            (SetReadOnly procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Mode = mode,
                    }
                )
        );

    /// <summary>A client on the virtual IP may log in and read, and not write.</summary>
    private static async Task RefusesAsync(TestCluster cluster)
    {
        for (var clock = System.Diagnostics.Stopwatch.StartNew(); ; )
        {
            try
            {
                await using var client = await OpenAsync(cluster);
                await ExecuteAsync(client, "SELECT FROM t");
                var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(client, Write));
                Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, refused.SqlState);
                return;
            }
            catch (NpgsqlException) when (clock.Elapsed < TimeSpan.FromSeconds(30))
            {
                // it is starting
            }
        }
    }

    private static async Task<NpgsqlConnection> OpenAsync(TestCluster cluster)
    {
        var client = new NpgsqlConnection(World.ClientSessions.ConnectionString(cluster, cluster.Vip));
        await client.OpenAsync(TestContext.Current.CancellationToken);
        return client;
    }

    private static async Task ExecuteAsync(NpgsqlConnection client, string sql)
    {
        await using var command = new NpgsqlCommand(sql, client);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}

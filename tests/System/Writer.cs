using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;

namespace PgFlow.SystemTests;

/// <summary>A client that inserts through the virtual IP every 5 ms and remembers what was acknowledged.</summary>
internal sealed class Writer : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    private readonly ConcurrentDictionary<long, bool> _acknowledged = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writing;
    private long _longestGap;

    private Writer(string connection) => _writing = Task.Run(() => WriteAsync(connection));

    public IReadOnlyCollection<long> Acknowledged => (IReadOnlyCollection<long>)_acknowledged.Keys;

    /// <summary>The longest time without an acknowledged row.</summary>
    public TimeSpan Outage => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _longestGap));

    /// <summary>Begins to measure anew.</summary>
    public void ForgetOutage() => Interlocked.Exchange(ref _longestGap, 0);

    public static async Task<Writer> StartAsync(TestCluster cluster)
    {
        var connection =
            $"Host={cluster.Vip};Username=app;Password={cluster.PasswordOf("app")};Database=app;Pooling=false;"
            + "Timeout=1;Command Timeout=1;SSL Mode=Disable;GSS Encryption Mode=Disable";
        await using (var source = NpgsqlDataSource.Create(connection))
        {
            await using var create = source.CreateCommand("CREATE TABLE IF NOT EXISTS written (id bigint PRIMARY KEY)");
            await create.ExecuteNonQueryAsync();
        }

        var writer = new Writer(connection);
        await writer.MoreAsync();
        return writer;
    }

    /// <summary>Waits until more rows were acknowledged.</summary>
    public Task MoreAsync()
    {
        var wanted = _acknowledged.Count + 50;
        return Host.UntilAsync("the writer writes", () => Task.FromResult(_acknowledged.Count >= wanted), 30);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _writing;
    }

    /// <summary>The acknowledged rows that the database does not have.</summary>
    public async Task<long[]> LostAsync(NodeId primary)
    {
        await StopAsync();
        var stored = (await TestCluster.SqlAsync(primary, "SELECT id FROM written"))
            .Split('\n')
            .Select(long.Parse)
            .ToHashSet();
        return [.. _acknowledged.Keys.Where(id => !stored.Contains(id)).Order()];
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task WriteAsync(string connectionString)
    {
        var last = Stopwatch.GetTimestamp();
        NpgsqlConnection? connection = null;
        for (var id = 1L; !_stop.IsCancellationRequested; id++)
        {
            try
            {
                if (connection is null)
                {
                    connection = new(connectionString);
                    await connection.OpenAsync();
                }

                await using var insert = new NpgsqlCommand("INSERT INTO written VALUES ($1)", connection)
                {
                    Parameters = { new() { Value = id } },
                };
                await insert.ExecuteNonQueryAsync();
                _acknowledged[id] = true;
                var now = Stopwatch.GetTimestamp();
                _longestGap = Math.Max(_longestGap, now - last);
                last = now;
            }
            catch (Exception e)
                when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or IOException)
            {
                await (connection?.DisposeAsync() ?? default);
                connection = null;
            }

            await Task.Delay(Pace);
        }

        await (connection?.DisposeAsync() ?? default);
    }
}

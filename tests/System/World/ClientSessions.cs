using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using Npgsql;

namespace PgFlow.SystemTests.World;

/// <summary>Clients that have no time-out of their own: what nobody tells them, they never learn.</summary>
internal sealed class ClientSessions
{
    private readonly List<(string What, Task<long> Ended)> _sessions;

    private ClientSessions(List<(string What, Task<long> Ended)> sessions) => _sessions = sessions;

    /// <summary>Opens sessions of all kinds: with a query under way, idle, idle in a transaction.</summary>
    public static async Task<ClientSessions> OpenAsync(TestCluster cluster, string address, int count)
    {
        var sessions = new List<(string, Task<long>)>();
        for (var number = 0; number < count; number++)
        {
            var connection = new NpgsqlConnection(ConnectionString(cluster, address));
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            var what = (number % 4) switch
            {
                0 => "idle",
                1 => "idle in transaction",
                _ => "query under way",
            };
            if (what == "idle in transaction")
            {
                await QueryScalarAsync(connection, "BEGIN");
            }

            sessions.Add((what, EndAsync(connection, waiting: !what.StartsWith("idle", StringComparison.Ordinal))));
        }

        await Host.UntilAsync(
            "the queries run",
            async () =>
            {
                await using var connection = new NpgsqlConnection(ConnectionString(cluster, address));
                await connection.OpenAsync();
                return await QueryScalarAsync(
                        connection,
                        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
                    )
                        is long running
                    && running >= (count / 4 * 2);
            }
        );
        return new(sessions);
    }

    /// <summary>Every session has its error, within 2 s of the first that has.</summary>
    public async Task RequireEndedAsync(string when)
    {
        var all = Task.WhenAll(_sessions.Select(session => session.Ended));
        await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(10)));
        var hung = _sessions.Where(session => !session.Ended.IsCompleted).ToList();
        Assert.True(
            hung.Count == 0,
            $"{when}: {hung.Count} of {_sessions.Count} sessions hang: "
                + $"{string.Join(", ", hung.Select(session => session.What).Distinct())}"
        );
        var ends = await all;
        var spread = Stopwatch.GetElapsedTime(ends.Min(), ends.Max());
        TestContext.Current.SendDiagnosticMessage(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{when}: {ends.Length} sessions ended within {spread.TotalMilliseconds:0} ms"
            )
        );
        Assert.True(spread < TimeSpan.FromSeconds(2), $"{when}: the last session learnt it {spread} after the first");
    }

    internal static string ConnectionString(TestCluster cluster, string address) =>
        $"Host={address};Username=app;Password={cluster.PasswordOf("app")};Database=app;Pooling=false;Timeout=0;"
        + "Command Timeout=0;SSL Mode=Disable;GSS Encryption Mode=Disable";

    private static async Task<long> EndAsync(NpgsqlConnection connection, bool waiting)
    {
        try
        {
            if (waiting)
            {
                await QueryScalarAsync(connection, "SELECT pg_sleep(3600)");
            }
            else
            {
                await connection.WaitAsync(CancellationToken.None);
            }
        }
        catch (Exception e) when (e is NpgsqlException or IOException)
        {
            return Stopwatch.GetTimestamp();
        }

        throw new InvalidOperationException("it went on");
    }

    private static async Task<object?> QueryScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}

/// <summary>Clients that work and connect again as fast as they can, without a time-out.</summary>
internal sealed class FastClients : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly long[] _began;
    private readonly string[] _doing;
    private readonly Task[] _writers;
    private long _longest;

    private readonly string _address;

    private FastClients(string connection, string address, int count, string work)
    {
        _address = address;
        _began = new long[count];
        _doing = new string[count];
        _writers =
        [
            .. Enumerable.Range(0, count).Select(number => Task.Run(() => WriteAsync(connection, number, work))),
        ];
    }

    public static FastClients Start(TestCluster cluster, string address, int count, string work) =>
        new(ClientSessions.ConnectionString(cluster, address), address, count, work);

    /// <summary>Nobody waits for an answer that does not come: each begins something new, or waits for the kernel to
    /// connect.</summary>
    /// <remarks>Where nobody has the address any more, the kernel repeats its SYN, and gives up in the end. Who was cut
    /// off has a connection, and would wait for ever.</remarks>
    public async Task RequireNoneHangsAsync(string when)
    {
        var since = Stopwatch.GetTimestamp();
        int[] Hung()
        {
            int[] waiting =
            [
                .. Enumerable.Range(0, _began.Length).Where(number => Interlocked.Read(ref _began[number]) < since),
            ];
            return Connected() > _began.Length - waiting.Length ? waiting : [];
        }

        var hung = Hung(); // once a look: clients whose SYN was answered just now have not logged in yet
        while (hung.Length > 0 && Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(4))
        {
            await Task.Delay(50);
            hung = Hung();
        }

        Assert.True(
            hung.Length == 0,
            $"{when}: of {_began.Length} fast clients hang: {string.Join(", ", hung.Select(number => _doing[number]))}"
        );
        TestContext.Current.SendDiagnosticMessage(
            $"{when}: {_began.Length} fast clients, longest wait "
                + $"{Stopwatch.GetElapsedTime(0, Interlocked.Exchange(ref _longest, 0)).TotalMilliseconds:0} ms"
        );
    }

    /// <summary>How many connections to the address there are, whoever has it.</summary>
    private int Connected() =>
        IPGlobalProperties
            .GetIPGlobalProperties()
            .GetActiveTcpConnections()
            .Count(connection =>
                connection.State is TcpState.Established
                && connection.RemoteEndPoint.Port == 5432
                && connection.RemoteEndPoint.Address.ToString() == _address
            );

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(Task.WhenAll(_writers), Task.Delay(TimeSpan.FromSeconds(2)));
        _stop.Dispose();
    }

    private async Task WriteAsync(string connectionString, int number, string work)
    {
        while (!_stop.IsCancellationRequested)
        {
            var connection = new NpgsqlConnection(connectionString);
            try
            {
                await DoAsync(number, "connects", () => connection.OpenAsync());
                while (!_stop.IsCancellationRequested)
                {
                    await using var command = new NpgsqlCommand(work, connection);
                    await DoAsync(number, "works", () => command.ExecuteNonQueryAsync());
                    await PauseAsync(number);
                }
            }
            catch (Exception e) when (e is NpgsqlException or IOException)
            {
                await PauseAsync(number);
            }
            finally
            {
                await connection.DisposeAsync();
            }
        }
    }

    private async Task PauseAsync(int number)
    {
        await Task.Delay(5);
        Interlocked.Exchange(ref _began[number], Stopwatch.GetTimestamp());
    }

    private async Task DoAsync(int number, string what, Func<Task> work)
    {
        var began = Stopwatch.GetTimestamp();
        Interlocked.Exchange(ref _began[number], began);
        _doing[number] = what;
        try
        {
            await work();
        }
        finally
        {
            var took = Stopwatch.GetTimestamp() - began;
            for (var longest = Interlocked.Read(ref _longest); took > longest; longest = Interlocked.Read(ref _longest))
            {
                Interlocked.CompareExchange(ref _longest, took, longest);
            }
        }
    }
}

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;
using Npgsql.Replication;

namespace PgFlow.Activities.Postgres;

/// <summary>SQL to nodes, as the superuser <c>pgflow</c>; every use has its deadlines.</summary>
/// <remarks>
/// Over the internal network. Where a node refuses that (connections are used up, the password is another, the database
/// is gone), through the node's own socket,
/// by a reserved way that depends on nothing that users change.
/// </remarks>
internal sealed class Sql(DockerEngine docker, JobDocker jobDocker, Secrets secrets, TimeLimits limits)
{
    private const int Port = 5432;

    /// <summary>What a client sends to ask for encryption (protocol, message formats).</summary>
    private const int SslRequest = 80877103;

    /// <summary>The reserved way in: who, and where to. Who is a superuser by the operating system, and the database
    /// may be gone.</summary>
    private static readonly (string Role, string Database)[] Reserved =
    [
        ("pgflow", "postgres"),
        ("postgres", "postgres"),
        ("pgflow", "template1"),
        ("postgres", "template1"),
    ];

    private readonly ConcurrentDictionary<string, NpgsqlDataSource> _sources = new();

    /// <summary>Opens a session; where a node that is there does not let PgFlow in as usual, by the reserved
    /// way.</summary>
    /// <exception cref="LoginException">Nobody is there, or no way is open.</exception>
    public async Task<SqlSession> OpenAsync(NodeContainer node, TimeSpan? statement = null)
    {
        try
        {
            return await LogInAsync(
                node,
                (deadline, slow) => ConnectAsync(node, statement ?? limits.Statement, deadline, slow)
            );
        }
        catch (LoginException e) when (e.IsRefusal)
        {
            return await ReservedAsync(node, statement ?? limits.Statement, e);
        }
    }

    /// <summary>Opens a session as usual or not at all: for whoever asks again anyway, and must not take
    /// long.</summary>
    /// <exception cref="LoginException">What kept it from that.</exception>
    public async Task<SqlSession> OpenOnceAsync(NodeContainer node)
    {
        await EnsureWorkerOnNetworkAsync(node.Id.Cluster);
        try
        {
            return await ConnectAsync(node, limits.Statement, limits.Statement, slow: null);
        }
        catch (Exception e) when (IsFailedLogin(e))
        {
            throw LoginException.Of(e);
        }
    }

    /// <summary>The one value that a statement returns.</summary>
    public async Task<T> QueryScalarAsync<T>(NodeContainer node, string sql, TimeSpan? statement = null)
    {
        await using var session = await OpenAsync(node, statement);
        return await session.QueryScalarAsync<T>(sql);
    }

    /// <inheritdoc cref="QueryScalarAsync{T}(NodeContainer, string, TimeSpan?)"/>
    public async Task<T> QueryScalarAsync<T>(NodeContainer node, string sql, params object[] parameters)
    {
        await using var session = await OpenAsync(node);
        return await session.QueryScalarAsync<T>(sql, parameters);
    }

    /// <summary>The one value of a statement that changes something, by an activity that still may.</summary>
    public async Task<T> ChangeAsync<T>(NodeContainer node, string sql, TimeSpan? statement = null)
    {
        await using var session = await OpenAsync(node, statement);
        return await session.ChangeAsync<T>(sql);
    }

    /// <inheritdoc cref="ChangeAsync{T}(NodeContainer, string, TimeSpan?)"/>
    public async Task<T> ChangeAsync<T>(NodeContainer node, string sql, params object[] parameters)
    {
        await using var session = await OpenAsync(node);
        return await session.ChangeAsync<T>(sql, parameters);
    }

    /// <summary>The one value that a statement returns; empty where the node can't be asked now.</summary>
    public async Task<string> QueryTextOrEmptyAsync(NodeContainer node, string question, params object[] parameters)
    {
        try
        {
            return await QueryScalarAsync<string>(node, question, parameters) ?? "";
        }
        catch (Exception e) when (IsUnavailable(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return "";
        }
    }

    /// <inheritdoc cref="SqlSession.QueryScalarAsync{T}"/>
    public static Task<T> QueryScalarAsync<T>(SqlSession session, string sql, params object[] parameters) =>
        session.QueryScalarAsync<T>(sql, parameters);

    /// <summary>A JSON document that a statement returns as text.</summary>
    public async Task<T> QueryJsonAsync<T>(NodeContainer node, string sql, params object[] parameters)
    {
        await using var session = await OpenAsync(node);
        return await QueryJsonAsync<T>(session, sql, parameters);
    }

    /// <inheritdoc cref="QueryJsonAsync{T}(NodeContainer, string, object[])"/>
    public static async Task<T> QueryJsonAsync<T>(SqlSession session, string sql, params object[] parameters) =>
        JsonSerializer.Deserialize<T>(await session.QueryScalarAsync<string>(sql, parameters), PgFlowJson.Options)!;

    /// <summary>Writes a real commit that changes no table, allowed in a read-only cluster and waiting for no
    /// standby.</summary>
    /// <returns>A position behind it.</returns>
    public async Task<Lsn> WriteMarkerAsync(NodeContainer primary)
    {
        await using var session = await OpenAsync(primary);
        await session.ChangeAsync<string>(
            "SELECT pg_logical_emit_message(true, 'pgflow', $1)::text",
            Guid.NewGuid().ToString()
        );
        return Lsn.Parse(await session.QueryScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text"));
    }

    /// <summary>The timeline that a primary writes; pg_control may still name the one before.</summary>
    public async Task<Timeline> WrittenTimelineAsync(NodeContainer primary) =>
        new(
            Convert.ToUInt32(
                await QueryScalarAsync<string>(primary, "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"),
                16
            )
        );

    /// <summary>The timeline and WAL position of a node as replication clients see them: a standby's replayed timeline,
    /// not what it merely received.</summary>
    public async Task<Identity> IdentifyAsync(NodeContainer node)
    {
        try
        {
            return await LogInAsync(
                node,
                async (deadline, _) =>
                {
                    await using var connection = new PhysicalReplicationConnection(
                        ConnectionString(node, limits.Statement, deadline)
                    );
                    await connection.Open(DockerEngine.ActivityToken);
                    var system = await connection.IdentifySystem(DockerEngine.ActivityToken);
                    return new Identity(system.SystemId, new(system.Timeline), new((ulong)system.XLogPos));
                }
            );
        }
        catch (LoginException e) when (e.IsRefusal)
        {
            var session = await ReservedAsync(node, limits.Statement, e);
            return await session.CommandAsync("IDENTIFY_SYSTEM") is [var identifier, var timeline, var wal, ..]
                ? new(identifier, new(uint.Parse(timeline, CultureInfo.InvariantCulture)), Lsn.Parse(wal))
                : throw new IOException($"{node.Id} does not identify itself");
        }
    }

    /// <summary>The lineage of a primary's timeline.</summary>
    /// <remarks>From its file: Npgsql's TIMELINE_HISTORY expects bytes where newer servers send text.</remarks>
    public async Task<TimelineHistory> HistoryAsync(NodeContainer primary, Timeline timeline) =>
        TimelineHistory.Parse(
            timeline,
            timeline.Number == 1
                ? null
                : await QueryScalarAsync<string>(primary, "SELECT pg_read_file($1)", $"pg_wal/{timeline.HistoryFile}")
        );

    /// <summary>Whether a failure means that PostgreSQL can't be asked: it is not there, not yet, or lets PgFlow in by
    /// no way.</summary>
    public static bool IsUnavailable(Exception failure) =>
        failure is LoginException or TimeoutException or SocketException or IOException
        || failure is PostgresException { SqlState: "57P01" or "57P02" or "57P03" }
        || failure is NpgsqlException and not PostgresException;

    /// <summary>Tries to log in; once more and longer where the server is there and only slow.</summary>
    private async Task<T> LogInAsync<T>(NodeContainer node, Func<TimeSpan, LoginProblem?, Task<T>> tryAsync)
    {
        await EnsureWorkerOnNetworkAsync(node.Id.Cluster);
        try
        {
            return await tryAsync(limits.Statement, null);
        }
        catch (Exception e) when (IsTimeoutOfLogin(e))
        {
            if (!await AcceptsAsync(node))
            {
                throw LoginException.Of(e);
            }
        }
        catch (Exception e) when (IsFailedLogin(e))
        {
            throw LoginException.Of(e);
        }

        try
        {
            return await tryAsync(
                limits.Login,
                new(LoginProblemKind.Slow, $"a login takes longer than {limits.Statement.TotalSeconds:0} s")
            );
        }
        catch (Exception e) when (IsFailedLogin(e))
        {
            throw LoginException.Of(e);
        }
    }

    private static bool IsFailedLogin(Exception e) => e is NpgsqlException or NoPasswordException || IsUnavailable(e);

    private static bool IsTimeoutOfLogin(Exception e) =>
        e is TimeoutException or NpgsqlException { InnerException: TimeoutException };

    private async Task<SqlSession> ConnectAsync(
        NodeContainer node,
        TimeSpan statement,
        TimeSpan deadline,
        LoginProblem? slow
    )
    {
        // One source per address and deadline: it has read nothing from the server, so it outlives a promotion.
        var source = _sources.GetOrAdd(
            ConnectionString(node, statement, deadline),
            text =>
                new NpgsqlDataSourceBuilder(text) { Name = node.Id.Container } // else traces show the connection string
                    .ConfigureTypeLoading(loading => loading.EnableTypeLoading(false))
                    .ConfigureTracing(SqlTrace.Configure)
                    .Build()
        );
        var connection = await source.OpenConnectionAsync(DockerEngine.ActivityToken);
        if (connection.PostgresParameters.GetValueOrDefault("is_superuser") is "on")
        {
            return new NetworkSession(connection, slow);
        }

        await connection.DisposeAsync();
        throw new LoginException(new(LoginProblemKind.Authentication, "the role pgflow is no superuser"));
    }

    /// <summary>The first reserved way that is open.</summary>
    private async Task<SocketSession> ReservedAsync(NodeContainer node, TimeSpan statement, LoginException refusal)
    {
        foreach (var (role, database) in Reserved)
        {
            var session = new SocketSession(docker, node, role, database, statement, limits.Psql, refusal.Problem);
            try
            {
                if (await session.QueryScalarAsync<string>("SELECT current_setting('is_superuser')") is "on")
                {
                    return session;
                }
            }
            catch (Exception e) when (IsUnavailable(e) || e is PostgresException)
            {
                ProgressReporter.Say($"{node.Id}: {e.Message}");
            }
        }

        throw refusal;
    }

    /// <summary>Whether PostgreSQL is there: it answers a request for encryption in a process of its own, before
    /// anything that makes a login slow.</summary>
    private async Task<bool> AcceptsAsync(NodeContainer node)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(DockerEngine.ActivityToken);
        limit.CancelAfter(limits.Statement / 2);
        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(node.Address, Port, limit.Token);
            var message = new byte[8];
            BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
            BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), SslRequest);
            var stream = socket.GetStream();
            await stream.WriteAsync(message, limit.Token);
            return await stream.ReadAsync(message.AsMemory(0, 1), limit.Token) == 1;
        }
        catch (Exception e)
            when (e is SocketException or IOException
                || (e is OperationCanceledException && !DockerEngine.ActivityToken.IsCancellationRequested)
            )
        {
            return false;
        }
    }

    private string ConnectionString(NodeContainer node, TimeSpan statement, TimeSpan login) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = node.Address,
            Port = Port,
            Username = "pgflow",
            Password = secrets.PasswordOf(node.Id.Cluster, "pgflow"),
            Database = "postgres",
            ApplicationName = "pgflow-worker",
            Pooling = false, // a pooled connection would outlive the server that it was opened to
            Timeout = (int)login.TotalSeconds,
            CommandTimeout = statement == Timeout.InfiniteTimeSpan ? 0 : (int)statement.TotalSeconds,
            KeepAlive = 5,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
            Options = SessionSettings.Options(node.Spec.Postgres),
        }.ConnectionString;

    /// <summary>A worker in a container reaches nodes only over their internal network.</summary>
    private async Task EnsureWorkerOnNetworkAsync(ClusterName cluster)
    {
        if (!File.Exists("/.dockerenv"))
        {
            return;
        }

        var network = Names.InternalNetwork(cluster);
        var self = await docker.FindAsync(
            (client, token) => client.Containers.InspectContainerAsync(Environment.MachineName, token)
        );
        if (self?.NetworkSettings is { } settings && !settings.Networks.ContainsKey(network))
        {
            await jobDocker.Container(self.ID).ConnectAsync(network);
        }
    }
}

/// <summary>Who a node is to its replication clients.</summary>
/// <param name="SystemIdentifier">Its cluster.</param>
/// <param name="Timeline">What it writes or replays.</param>
/// <param name="Wal">How far.</param>
internal sealed record Identity(string SystemIdentifier, Timeline Timeline, Lsn Wal);

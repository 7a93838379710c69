using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;
using Npgsql.Replication;
using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>SQL to nodes over the internal network, as the superuser <c>pgflow</c>; every use has its deadlines.</summary>
internal sealed class Sql(DockerEngine docker, Secrets secrets)
{
    /// <summary>For questions that a healthy node answers at once.</summary>
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, NpgsqlDataSource> _sources = new();

    /// <summary>Opens a connection; one that is not open within 2 s fails.</summary>
    public async Task<NpgsqlConnection> OpenAsync(NodeContainer node, TimeSpan? statement = null)
    {
        await AttachOurselvesAsync(node.Id.Cluster);
        // One source per address and deadline: it has read nothing from the server, so it outlives a promotion.
        var source = _sources.GetOrAdd(ConnectionString(node, statement ?? Quick), text =>
            new NpgsqlDataSourceBuilder(text).ConfigureTypeLoading(loading => loading.EnableTypeLoading(false)).Build());
        return await source.OpenConnectionAsync(DockerEngine.ActivityToken);
    }

    /// <summary>The one value that a statement returns.</summary>
    public async Task<T> AskAsync<T>(NodeContainer node, string sql, TimeSpan? statement = null)
    {
        await using var connection = await OpenAsync(node, statement);
        return await AskAsync<T>(connection, sql);
    }

    /// <inheritdoc cref="AskAsync{T}(NodeContainer, string, TimeSpan?)"/>
    public static async Task<T> AskAsync<T>(NpgsqlConnection connection, string sql, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }

        return await command.ExecuteScalarAsync(DockerEngine.ActivityToken) is T value ? value : default!;
    }

    /// <summary>A JSON document that a statement returns as text.</summary>
    public async Task<T> AskJsonAsync<T>(NodeContainer node, string sql, params object[] parameters)
    {
        await using var connection = await OpenAsync(node);
        return JsonSerializer.Deserialize<T>(await AskAsync<string>(connection, sql, parameters), PgFlowJson.Options)!;
    }

    /// <summary>Writes a real commit that changes no table, allowed in a read-only cluster and waiting for no standby.</summary>
    /// <returns>A position behind it.</returns>
    public async Task<Lsn> MarkAsync(NodeContainer primary)
    {
        await using var connection = await OpenAsync(primary);
        await AskAsync<string>(connection, "SELECT pg_logical_emit_message(true, 'pgflow', $1)::text", Guid.NewGuid().ToString());
        return Lsn.Parse(await AskAsync<string>(connection, "SELECT pg_current_wal_flush_lsn()::text"));
    }

    /// <summary>The timeline that a primary writes; pg_control may still name the one before.</summary>
    public async Task<Timeline> WrittenTimelineAsync(NodeContainer primary) => new(Convert.ToUInt32(
        await AskAsync<string>(primary, "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"), 16));

    /// <summary>The timeline and WAL position of a node as replication clients see them: a standby's replayed timeline, not what it merely received.</summary>
    public async Task<(string SystemIdentifier, Timeline Timeline, Lsn Wal)> IdentifyAsync(NodeContainer node)
    {
        await AttachOurselvesAsync(node.Id.Cluster);
        await using var connection = new PhysicalReplicationConnection(ConnectionString(node, Quick));
        await connection.Open(DockerEngine.ActivityToken);
        var system = await connection.IdentifySystem(DockerEngine.ActivityToken);
        return (system.SystemId, new(system.Timeline), new((ulong)system.XLogPos));
    }

    /// <summary>The lineage of a primary's timeline.</summary>
    /// <remarks>From its file: Npgsql's TIMELINE_HISTORY expects bytes where newer servers send text.</remarks>
    public async Task<TimelineHistory> HistoryAsync(NodeContainer primary, Timeline timeline) => TimelineHistory.Parse(timeline, timeline.Number == 1
        ? null
        : await AskAsync<string>(primary, $"SELECT pg_read_file('pg_wal/{timeline.HistoryFile}')"));

    /// <summary>Whether a failure means that PostgreSQL is not there, or not yet.</summary>
    public static bool IsSilence(Exception e) => e is TimeoutException or SocketException or IOException
        || e is PostgresException { SqlState: "57P01" or "57P02" or "57P03" }
        || (e is NpgsqlException and not PostgresException);

    private string ConnectionString(NodeContainer node, TimeSpan statement) => new NpgsqlConnectionStringBuilder
    {
        Host = node.Address,
        Username = "pgflow",
        Password = secrets.PasswordOf(node.Id.Cluster, "pgflow"),
        Database = "postgres",
        ApplicationName = "pgflow-worker",
        Pooling = false, // a pooled connection would outlive the server that it was opened to
        Timeout = (int)Quick.TotalSeconds,
        CommandTimeout = statement == Timeout.InfiniteTimeSpan ? 0 : (int)statement.TotalSeconds,
        KeepAlive = 5,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
        Options = "-c statement_timeout=0 -c synchronous_commit=local",
    }.ConnectionString;

    /// <summary>A worker in a container reaches nodes only over their internal network.</summary>
    private async Task AttachOurselvesAsync(ClusterName cluster)
    {
        if (!File.Exists("/.dockerenv"))
        {
            return;
        }

        var network = Names.InternalNetwork(cluster);
        var self = await docker.FindAsync((client, token) => client.Containers.InspectContainerAsync(Environment.MachineName, token));
        if (self is not null && !self.NetworkSettings.Networks.ContainsKey(network))
        {
            await docker.ConnectAsync(network, self.ID);
        }
    }
}

using Npgsql;

namespace PgFlow.Activities;

/// <summary>Asks one node again and again what it is.</summary>
internal sealed class NodeProbe : IDisposable
{
    private const string Question = """
        SELECT json_build_object(
            'recovery', pg_is_in_recovery(),
            'wal', CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_flush_lsn() END,
            'streamsFrom', (SELECT sender_host FROM pg_stat_wal_receiver WHERE status = 'streaming'),
            'demand', current_setting('synchronous_standby_names'),
            'streamTo', (SELECT coalesce(json_agg(DISTINCT application_name), '[]') FROM pg_stat_replication
                WHERE state = 'streaming'))::text
        """;

    private readonly NodeId _node;
    private readonly Inventory _inventory;
    private readonly Sql _sql;
    private readonly Inquiry<Reply> _asking;
    private readonly Inquiry<string[]> _startup;
    private NodeContainer? _container;
    private SqlSession? _session;

    public NodeProbe(NodeId node, Inventory inventory, NodeLife life, Sql sql)
    {
        (_node, _inventory, _sql) = (node, inventory, sql);
        _asking = new(AskAsync);
        _startup = new(async () => [.. await life.StartupAsync(node)]);
    }

    /// <summary>The look with what the node says within that time.</summary>
    public async Task<NodeLook> LookAsync(NodeLook look, TimeSpan within)
    {
        try
        {
            return await _asking.AnswerAsync(within) is { } reply
                ? look with
                {
                    Server = reply.Recovery ? ServerSign.Follows : ServerSign.Writes,
                    Wal = reply.Wal,
                    StreamsFrom = reply.StreamsFrom,
                    Demand = Demand.Parse(reply.Demand),
                    StreamTo = new Demand(0, reply.StreamTo).Nodes,
                }
                : look with
                {
                    Detail = "no answer yet",
                };
        }
        catch (LoginException e) when (e.Problem.Kind is LoginProblemKind.NotNow)
        {
            return look with
            {
                Server = ServerSign.Starting,
                Detail = e.Problem.Detail,
                Startup = await StartupAsync(within),
            };
        }
        catch (LoginException e)
        {
            return look with
            {
                Server = e.IsRefusal ? ServerSign.Refuses : ServerSign.Silent,
                Detail = e.Problem.Detail,
            };
        }
    }

    /// <summary>Waits for nobody: a verdict would wait for a node that hangs.</summary>
    public void Dispose() => _ = EndAsync();

    private async Task EndAsync()
    {
        await Task.WhenAll(_asking.Open, _startup.Open).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_session is not null)
        {
            await _session.DisposeAsync();
        }
    }

    private async Task<string[]?> StartupAsync(TimeSpan within)
    {
        try
        {
            return await _startup.AnswerAsync(within);
        }
        catch (Exception) when (!DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>In the session that is open, else, or where that has ended, in a new one.</summary>
    private async Task<Reply> AskAsync()
    {
        if (_session is { } open)
        {
            try
            {
                return await Sql.QueryJsonAsync<Reply>(open, Question);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _session = null;
                await open.DisposeAsync();
                if (e is NpgsqlException { InnerException: TimeoutException })
                {
                    throw LoginException.Of(e);
                }
            }
        }

        try
        {
            _container ??= await _inventory.NodeAsync(_node); // its address is fixed
            _session = await _sql.OpenOnceAsync(_container);
            return await Sql.QueryJsonAsync<Reply>(_session, Question);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw LoginException.Of(e);
        }
    }

    private sealed record Reply(
        bool Recovery,
        Lsn? Wal,
        string? StreamsFrom,
        string Demand,
        IReadOnlyList<string> StreamTo
    );
}

using Docker.DotNet.Models;
using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>Finds out what a node is: a running one by asking it, a stopped one by its pg_control.</summary>
internal sealed class NodeObserver(Sql sql, NodeFiles files)
{
    private const int MostReadsOfControl = 20;

    private static readonly string Question = """
        SELECT json_build_object(
            'recovery', pg_is_in_recovery(),
            'replayed', pg_last_wal_replay_lsn(),
            'received', pg_last_wal_receive_lsn(),
            'written', CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_flush_lsn() END,
            'replayPaused', CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END,
            'synchronousStandbyNames', current_setting('synchronous_standby_names'),
            'synchronous', coalesce(current_setting('pgflow.synchronous', true), 'off') = 'on',
            'readOnly', coalesce(current_setting('pgflow.read_only', true), 'off') = 'on',
            'followers', (SELECT coalesce(json_agg(json_build_object(
                    'node', application_name, 'state', state, 'replayed', replay_lsn, 'sync', sync_state,
                    'lagBytes', CASE WHEN pg_is_in_recovery() THEN 0 ELSE coalesce(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn), 0)::bigint END,
                    'silentSeconds', coalesce(extract(epoch FROM clock_timestamp() - reply_time), 0)::float8)), '[]')
                FROM pg_stat_replication WHERE application_name ~ '^p[0-9]+$'),
            'slots', (SELECT coalesce(json_agg(json_build_object('name', slot_name, 'active', active, 'status', wal_status)), '[]')
                FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT temporary),
            'archiver', (SELECT json_build_object('lastArchived', last_archived_wal,
                    'lastFailed', CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity') THEN last_failed_wal END,
                    'failures', failed_count, 'waiting', waiting.files, 'waitingSeconds', waiting.seconds,
                    'unarchivedBytes', CASE WHEN pg_is_in_recovery() THEN NULL
                        ELSE waiting.segments * segment.size + pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') % segment.size END)
                FROM pg_stat_archiver,
                    (SELECT count(*) AS files, count(*) FILTER (WHERE name ~ '^[0-9A-F]{24}[.]') AS segments,
                        coalesce(extract(epoch FROM clock_timestamp() - min(modification)), 0)::float8 AS seconds
                        FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS waiting,
                    (SELECT setting::bigint AS size FROM pg_settings WHERE name = 'wal_segment_size') AS segment),
            'tablespaces', (SELECT coalesce(json_agg(spcname ORDER BY spcname), '[]') FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')),
            'drift', (SELECT coalesce(json_agg(name || ' is set in ' || coalesce(sourcefile, source) || ', not in PgFlow''s file'), '[]')
                FROM pg_settings WHERE name = ANY (string_to_array($1, ',')) AND source NOT IN ('default', 'override') AND sourcefile IS DISTINCT FROM $2))::text
        """;

    public async Task<NodeState> ObserveAsync(NodeContainer node)
    {
        var state = new NodeState
        {
            Id = node.Id,
            Role = NodeRole.Stopped,
            Container = node.Docker.State.Status,
            RestartPolicy = WordOf(node.Docker.HostConfig.RestartPolicy.Name),
            OnInternalNetwork = node.IsOn(Names.InternalNetwork(node.Id.Cluster)),
            Address = node.Address,
            Endpoint = node.Endpoint,
        };
        if (!node.Docker.State.Running)
        {
            return await WithFilesAsync(state);
        }

        if (!node.Running)
        {
            return await WithFilesAsync(state with { Role = NodeRole.Silent, Silence = "its container is paused" });
        }

        try
        {
            return await AskAsync(node, state);
        }
        catch (Exception e) when (Sql.IsSilence(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return await WithFilesAsync(state with { Role = NodeRole.Silent, Silence = e.Message });
        }
    }

    /// <summary>A stopped node's pg_control, read again while it is torn; null where there is none.</summary>
    public async Task<ControlFile?> ControlAsync(NodeId node)
    {
        for (var read = 0; read < MostReadsOfControl; read++)
        {
            if (await files.ReadAsync(node.Container, $"{Names.Data}/global/pg_control") is not { } file)
            {
                return null;
            }

            if (ControlFile.Parse(file) is { } control)
            {
                return control;
            }
        }

        throw Ends.Refuse($"pg_control of {node} is damaged: its checksum is wrong");
    }

    public Task<bool> IsMarkedStandbyAsync(NodeId node) => files.ExistsAsync(node.Container, $"{Names.Data}/standby.signal");

    private static string WordOf(RestartPolicyKind policy) => policy switch
    {
        RestartPolicyKind.UnlessStopped => ExpectedNode.RestartPolicy,
        RestartPolicyKind.OnFailure => "on-failure",
        RestartPolicyKind.Always => "always",
        _ => "no",
    };

    private async Task<NodeState> AskAsync(NodeContainer node, NodeState state)
    {
        var asking = sql.AskJsonAsync<Answer>(node, Question, string.Join(',', SettingsFile.Owned), SettingsFile.Path);
        var identifying = sql.IdentifyAsync(node);
        await Task.WhenAll(asking, identifying);
        var (answer, identity) = (await asking, await identifying);
        return state with
        {
            Role = answer.Recovery ? NodeRole.Standby : NodeRole.Primary,
            SystemIdentifier = identity.SystemIdentifier,
            Timeline = identity.Timeline,
            Wal = answer.Written ?? (answer.Received > answer.Replayed ? answer.Received : answer.Replayed),
            Replayed = answer.Replayed,
            ReplayPaused = answer.ReplayPaused,
            StandbySignal = answer.Recovery,
            Followers = answer.Followers,
            Slots = answer.Slots,
            Archiver = answer.Archiver,
            SynchronousStandbyNames = answer.SynchronousStandbyNames,
            Synchronous = answer.Synchronous,
            ReadOnly = answer.ReadOnly,
            TablespaceNames = answer.Tablespaces,
            Drift = answer.Drift,
        };
    }

    private async Task<NodeState> WithFilesAsync(NodeState state)
    {
        var reading = ControlAsync(state.Id);
        var marked = IsMarkedStandbyAsync(state.Id);
        await Task.WhenAll(reading, marked);
        return await reading is not { } control ? state with { StandbySignal = await marked } : state with
        {
            SystemIdentifier = control.SystemIdentifier,
            Timeline = control.Timeline,
            Wal = control.Checkpoint,
            Control = control.State,
            StandbySignal = await marked,
        };
    }

    private sealed record Answer(
        bool Recovery,
        Lsn? Replayed,
        Lsn? Received,
        Lsn? Written,
        bool ReplayPaused,
        string SynchronousStandbyNames,
        bool Synchronous,
        bool ReadOnly,
        IReadOnlyList<Follower> Followers,
        IReadOnlyList<Slot> Slots,
        ArchiverState Archiver,
        IReadOnlyList<string> Tablespaces,
        IReadOnlyList<string> Drift);
}

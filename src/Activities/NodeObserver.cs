using System.Text;
using Docker.DotNet.Models;

namespace PgFlow.Activities;

/// <summary>Finds out what a node is: a running one by asking it, a stopped one by its pg_control.</summary>
internal sealed class NodeObserver(DockerEngine docker, Sql sql, JobRunner jobs, Roles roles)
{
    private const int MostReadsOfControl = 20;

    /// <summary>As many as a server needs to say why it ends.</summary>
    private const int MostLinesOfLog = 20;

    private static readonly string Question = """
        SELECT json_build_object(
            'recovery', pg_is_in_recovery(),
            'replayed', pg_last_wal_replay_lsn(),
            'received', pg_last_wal_receive_lsn(),
            'histories', (SELECT coalesce(json_object_agg(name, pg_read_file('pg_wal/' || name)), '{}')
                FROM (SELECT name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{8}[.]history$'
                    ORDER BY name DESC LIMIT 8) AS newest),
            'written', CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_flush_lsn() END,
            'replayPaused', CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END,
            'synchronousStandbyNames', current_setting('synchronous_standby_names'),
            'own', (SELECT coalesce(json_object_agg(name, setting ORDER BY seqno), '{}') FROM pg_file_settings
                WHERE name LIKE 'pgflow.%' AND setting IS NOT NULL AND sourcefile = $2),
            'followers', (SELECT coalesce(json_agg(json_build_object(
                    'node', host(client_addr), 'state', state, 'replayed', replay_lsn, 'sync', sync_state,
                    'lagBytes', CASE WHEN pg_is_in_recovery() THEN 0
                        ELSE coalesce(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn), 0)::bigint END,
                    'silentSeconds', coalesce(extract(epoch FROM clock_timestamp() - reply_time), 0)::float8,
                    'lagSeconds', extract(epoch FROM replay_lag)::float8)), '[]')
                FROM pg_stat_replication WHERE usename = 'replicator' AND client_addr IS NOT NULL),
            'slots', (SELECT coalesce(json_agg(json_build_object(
                    'name', slot_name, 'active', active, 'status', wal_status, 'logical', slot_type = 'logical',
                    'failover', coalesce(to_jsonb(slot) ->> 'failover', 'false')::boolean,
                    'synced', coalesce(to_jsonb(slot) ->> 'synced', 'false')::boolean)), '[]')
                FROM pg_replication_slots AS slot WHERE NOT temporary),
            'applyDelay', (SELECT CASE WHEN setting = '0' THEN '' ELSE current_setting(name) END
                FROM pg_settings WHERE name = 'recovery_min_apply_delay'),
            'capacities', (SELECT json_object_agg(name, setting::int) FROM pg_settings
                WHERE name IN ('max_connections', 'max_worker_processes', 'max_wal_senders',
                    'max_prepared_transactions', 'max_locks_per_transaction')),
            'archiver', (SELECT json_build_object('lastArchived', last_archived_wal,
                    'lastFailed', CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity')
                        THEN last_failed_wal END,
                    'failures', failed_count, 'waiting', waiting.files, 'waitingSeconds', waiting.seconds,
                    'unarchivedBytes', CASE WHEN pg_is_in_recovery() THEN NULL
                        ELSE waiting.segments * segment.size
                            + pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') % segment.size END)
                FROM pg_stat_archiver,
                    (SELECT count(*) AS files, count(*) FILTER (WHERE name ~ '^[0-9A-F]{24}[.]') AS segments,
                        coalesce(extract(epoch FROM clock_timestamp() - min(modification)), 0)::float8 AS seconds
                        FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS waiting,
                    (SELECT setting::bigint AS size FROM pg_settings WHERE name = 'wal_segment_size') AS segment),
            'summarizerFails', coalesce((
                    SELECT setting = 'off' AND sourcefile = $2 FROM pg_settings WHERE name = 'summarize_wal'), false)
                OR clock_timestamp() - pg_postmaster_start_time() > interval '30 s'
                AND EXISTS (SELECT FROM pg_stat_activity
                    WHERE backend_type = 'walsummarizer' AND wait_event = 'WalSummarizerError'),
            'refusesClients', coalesce(pg_read_binary_file(current_setting('hba_file'), 0, octet_length($3), true)
                = convert_to($3, 'UTF8'), false),
            'pendingRestart', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings
                WHERE pending_restart AND NOT name = ANY (string_to_array($1, ',')) AND name !~ '^recovery_target'),
            'fullPageWrites', current_setting('full_page_writes') = 'on',
            'tablespaces', (SELECT coalesce(json_agg(spcname ORDER BY spcname), '[]')
                FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')),
            'drift', (SELECT coalesce(json_agg(json_build_object('name', name, 'file', sourcefile)), '[]')
                FROM (SELECT DISTINCT ON (lower(name)) lower(name) AS name, sourcefile FROM pg_file_settings
                    WHERE lower(name) = ANY (string_to_array($1, ',')) ORDER BY lower(name), seqno DESC) AS last
                WHERE sourcefile IS DISTINCT FROM $2))::text
        """;

    /// <summary>What a node can say whose views or files are damaged.</summary>
    private static readonly string BareQuestion = """
        SELECT json_build_object(
            'recovery', pg_is_in_recovery(),
            'replayed', pg_last_wal_replay_lsn(),
            'received', pg_last_wal_receive_lsn(),
            'written', CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_flush_lsn() END)::text
        """;

    /// <summary>What can be learnt of a node: whatever it answers, or doesn't, is no failure of the look at its
    /// cluster.</summary>
    public async Task<NodeState> ObserveAsync(NodeContainer node)
    {
        var words = await LastWordsAsync(node);
        var state = new NodeState
        {
            Id = node.Id,
            Role = NodeRole.Stopped,
            Container = node.State.Status,
            RestartPolicy = WordOf(node.RestartPolicy),
            OnInternalNetwork = node.IsOn(Names.InternalNetwork(node.Id.Cluster)),
            Address = node.Address,
            Image = node.Docker.Image,
            Endpoint = node.Endpoint,
            LastWords = LastWords.Why(words),
            TooLow = LastWords.TooLow(words),
        };
        if (!node.State.Running)
        {
            return await WithFilesAsync(state);
        }

        if (!node.Running)
        {
            return await WithFilesAsync(Unreachable(state, new(LoginProblemKind.NoAnswer, "its container is paused")));
        }

        try
        {
            return await QueryScalarAsync(node, state);
        }
        catch (Exception e) when (!DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return await WithFilesAsync(Unreachable(state, LoginException.Of(e).Problem));
        }
    }

    /// <summary>A member without a container: what its volume says, read through a container that never runs and goes
    /// with the activity's jobs.</summary>
    public async Task<NodeState> ObserveMissingAsync(NodeId node, ClusterParts parts)
    {
        var state = new NodeState
        {
            Id = node,
            Role = NodeRole.Missing,
            Container = "missing",
            RestartPolicy = "no",
            Address = Names.AddressOf(parts.Spec!, node.Name),
            OnInternalNetwork = false,
            HasVolume = parts.HasVolume(node.Container),
        };
        return state.HasVolume
            ? await WithFilesAsync(
                state,
                await jobs.PlaceAsync(
                    new(parts.Spec!, $"read-{node}", "wait") { Volumes = [$"{node.Container}:{Names.NodeVolume}:ro"] }
                )
            )
            : state;
    }

    /// <summary>A stopped node's pg_control, read again while it is torn; null where there is none.</summary>
    public Task<ControlFile?> ControlAsync(NodeId node) => ControlAsync(node, docker.Of(node));

    public Task<bool> IsMarkedStandbyAsync(NodeId node) => IsMarkedStandbyAsync(docker.Of(node));

    private static Task<bool> IsMarkedStandbyAsync(ContainerRef container) =>
        container.FileExistsAsync($"{Names.Data}/standby.signal");

    private static async Task<ControlFile?> ControlAsync(NodeId node, ContainerRef container)
    {
        for (var read = 0; read < MostReadsOfControl; read++)
        {
            if (await container.ReadFileAsync($"{Names.Data}/global/pg_control") is not { } file)
            {
                return null;
            }

            if (ControlFile.Parse(file) is { } control)
            {
                return control;
            }
        }

        throw Failure.Fail($"pg_control of {node} is damaged: its checksum is wrong");
    }

    private static string WordOf(RestartPolicyKind policy) =>
        policy switch
        {
            RestartPolicyKind.UnlessStopped => ExpectedNode.RestartPolicy,
            RestartPolicyKind.OnFailure => "on-failure",
            RestartPolicyKind.Always => "always",
            _ => "no",
        };

    private static NodeState Unreachable(NodeState state, LoginProblem why) =>
        state with
        {
            Role = NodeRole.Unreachable,
            Login = why,
        };

    private async Task<NodeState> QueryScalarAsync(NodeContainer node, NodeState state)
    {
        var opening = sql.OpenAsync(node);
        var identifying = LearnAsync("its timeline", () => sql.IdentifyAsync(node));
        await Task.WhenAll(opening, identifying);
        await using var session = await opening;
        var full = await LearnAsync(
            "its state",
            () =>
                Sql.QueryJsonAsync<NodeAnswer>(
                    session,
                    Question,
                    string.Join(',', SettingsFile.Owned),
                    SettingsFile.Path,
                    Hba.Begin
                )
        );
        var answer = full.Value ?? await Sql.QueryJsonAsync<NodeAnswer>(session, BareQuestion);
        var changed = await LearnAsync("PgFlow's roles", () => roles.ProblemsAsync(node, session));
        var (identity, settings) = (
            await identifying,
            new KnownSettings(answer.Own ?? new Dictionary<string, string>())
        );
        return state with
        {
            Role = answer.Recovery ? NodeRole.Standby : NodeRole.Primary,
            Login = session.Problem,
            Unread = [.. new[] { identity.Why, full.Why, changed.Why }.OfType<string>()],
            SystemIdentifier = identity.Value?.SystemIdentifier,
            Timeline = identity.Value?.Timeline,
            History = identity.Value is { } known ? HistoryOf(known.Timeline, answer.Histories) : null,
            Wal = answer.Written ?? (answer.Received > answer.Replayed ? answer.Received : answer.Replayed),
            Replayed = answer.Replayed,
            ReplayPaused = answer.ReplayPaused,
            StandbySignal = answer.Recovery,
            Followers = FollowersOf(node.Spec, answer.Followers ?? []),
            Slots = answer.Slots ?? [],
            ApplyDelay = answer.ApplyDelay,
            TooLow = answer is { ReplayPaused: true, Capacities: { } own }
                ? (await LearnAsync("its capacities", () => TooLowAsync(node.Id, own))).Value ?? []
                : [],
            Archiver = answer.Archiver,
            SynchronousStandbyNames = answer.SynchronousStandbyNames,
            EarlierStandbyNames = settings.EarlierStandbyNames,
            Quorum = settings.Quorum,
            ReadOnly = settings.ReadOnly,
            Members = settings.Members,
            SummarizerFails = answer.SummarizerFails,
            RefusesClients = answer.RefusesClients,
            PendingRestart = answer.PendingRestart ?? [],
            FullPageWrites = answer.FullPageWrites,
            TablespaceNames = answer.Tablespaces ?? [],
            Drift = answer.Drift ?? [],
            Roles = changed.Value ?? [],
        };
    }

    /// <summary>Who follows, by the address that the node has on the internal network: a name is what its client
    /// says.</summary>
    private static IReadOnlyList<Follower> FollowersOf(ClusterSpec spec, IReadOnlyList<Follower> byAddress) =>
        [
            .. InitClusterInput.AllNames.SelectMany(
                name => byAddress.Where(row => row.Node == Names.AddressOf(spec, name)),
                (name, row) => row with { Node = name.ToString() }
            ),
        ];

    private Task<NodeState> WithFilesAsync(NodeState state) => WithFilesAsync(state, docker.Of(state.Id));

    private static async Task<NodeState> WithFilesAsync(NodeState state, ContainerRef container)
    {
        var reading = LearnAsync("its pg_control", () => ControlAsync(state.Id, container));
        var looking = LearnAsync("its standby.signal", async () => (bool?)await IsMarkedStandbyAsync(container));
        var configured = LearnAsync("its settings", () => container.ReadFileAsync(SettingsFile.Path));
        await Task.WhenAll(reading, looking, configured);
        var (control, signal) = (await reading, await looking);
        var configuration = new KnownSettings((await configured).Value);
        if (configuration.Quorum > 0) // else nothing is promised, and a failover waits for this
        {
            var automatic = await LearnAsync(
                "its overrides",
                () => container.ReadFileAsync(KnownSettings.AutomaticPath)
            );
            var unknown = Encoding.UTF8.GetBytes($"{SettingsFile.StandbyNames} = '{Demand.Anybody}'");
            configuration = new((await configured).Value, automatic.Why is null ? automatic.Value : unknown);
        }

        return state with
        {
            Unread = [.. new[] { control.Why, signal.Why }.OfType<string>()],
            SystemIdentifier = control.Value?.SystemIdentifier,
            Timeline = control.Value?.Timeline,
            Wal = control.Value?.Checkpoint,
            Control = control.Value?.State,
            StandbySignal = signal.Value,
            SynchronousStandbyNames = configuration.SynchronousStandbyNames,
            EarlierStandbyNames = configuration.EarlierStandbyNames,
            Drift = configuration.Drift,
            Quorum = configuration.Quorum,
            ReadOnly = configuration.ReadOnly,
            Members = configuration.Members,
        };
    }

    /// <summary>What a server said that ended by itself; one that was stopped or killed ends with another code than
    /// 1.</summary>
    private async Task<string> LastWordsAsync(NodeContainer node) =>
        node.State is { ExitCode: 1 } and ({ Running: false } or { Restarting: true })
            ? (await LearnAsync("its log", () => docker.Of(node.Id).LogAsync(MostLinesOfLog))).Value ?? ""
            : "";

    /// <summary>An answer, or why there is none.</summary>
    private static async Task<(T? Value, string? Why)> LearnAsync<T>(string what, Func<Task<T>> askAsync)
    {
        try
        {
            return (await askAsync(), null);
        }
        catch (Exception e) when (!DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return (default, $"{what}: {e.Message}");
        }
    }

    /// <summary>Which settings stop the replay of a standby: its WAL was written with more of them.</summary>
    private async Task<IReadOnlyList<LowSetting>> TooLowAsync(NodeId node, IReadOnlyDictionary<string, int> own) =>
        await docker.Of(node).ReadFileAsync($"{Names.Data}/global/pg_control") is { } control
            ?
            [
                .. ControlFile
                    .CapacitiesOf(control)
                    .Where(setting => own.TryGetValue(setting.Key, out var has) && has < setting.Value)
                    .Select(setting => new LowSetting(setting.Key, own[setting.Key], setting.Value)),
            ]
            : [];

    private static TimelineHistory? HistoryOf(Timeline timeline, IReadOnlyDictionary<string, string>? histories) =>
        histories?.TryGetValue(timeline.HistoryFile, out var text) is true ? TimelineHistory.Parse(timeline, text)
        : timeline.Number == 1 ? TimelineHistory.Parse(timeline, null)
        : null;
}

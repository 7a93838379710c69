using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PgFlow.Activities;

internal sealed class NodeActivities(
    Inventory inventory,
    NodeLife life,
    Replay replay,
    Confirmers confirmers,
    ReplicationSlots slots,
    DockerEngine docker,
    Sql sql,
    Secrets secrets,
    Summarizer summarizer,
    TimeLimits limits
) : INodeActivities
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>Leaves little of the current segment: a server that archives fills the rest of it with zeros when it
    /// stops, and its standbys receive them, while clients wait.</summary>
    /// <remarks>512 kB are left, and what the pages' headers take, for what is written until then: behind the segment's
    /// end the whole next one would be filled. None of more than 64 MB is filled: that much memory it takes. Rolled
    /// back, so that no logical decoding passes it on as committed.</remarks>
    private const string FillSegment = """
        BEGIN;
        SELECT coalesce((
            SELECT pg_logical_emit_message(true, 'pgflow', repeat('0', left_of_it - left_of_it / 256 - 524288))
            FROM (SELECT (size - (pg_current_wal_insert_lsn() - '0/0') % size)::int AS left_of_it
                FROM (SELECT setting::bigint AS size FROM pg_settings WHERE name = 'wal_segment_size') AS segment
                WHERE size <= 67108864) AS segment
            WHERE left_of_it > 1048576)::text, '');
        ROLLBACK
        """;

    public Task StartPostgresAsync(NodeId node) => life.StartAsync(node);

    public async Task ConnectNodeAsync(NodeId node)
    {
        var container = await inventory.NodeAsync(node);
        await docker.Of(node).ConnectAsync(Names.InternalNetwork(node.Cluster), container.Address);
        await life.LetRestartAsync(container);
    }

    public async Task CheckpointAsync(NodeId node) =>
        await sql.ChangeAsync<string>(await life.RunningAsync(node), "CHECKPOINT", Timeout.InfiniteTimeSpan);

    public async Task PrepareStopAsync(NodeId node)
    {
        await RestartSummarizerAsync(node);
        await sql.ChangeAsync<string>(await life.RunningAsync(node), FillSegment, Timeout.InfiniteTimeSpan);
        await CheckpointAsync(node); // near the end of a segment it makes the next one
    }

    public async Task<bool> RestartSummarizerAsync(NodeId node)
    {
        var container = await life.RunningAsync(node);
        await using var session = await sql.OpenAsync(container, Timeout.InfiniteTimeSpan);
        return await summarizer.RestartAsync(container, session);
    }

    public async Task WaitForReplayAsync(NodeId standby, NodeId primary)
    {
        var marker = await sql.WriteMarkerAsync(await life.RunningAsync(primary));
        await replay.ReplayedAsync(await life.RunningAsync(standby), marker);
    }

    public async Task WriteSettingsAsync(NodeSettings settings)
    {
        var (known, next) = (await KnownAsync(settings.Node), Demand.Parse(settings.SynchronousStandbyNames));
        var kept =
            settings.Recovery is not null ? string.Join(';', known.Former)
            : settings.Upstream is not null ? null
            // one that becomes the primary: its checkpointer may be at work
            : known.Follows && !next.IsNone ? ""
            : DemandChange.Of(next, known.Former).Kept;
        await WriteAsync(settings, kept is "" && settings.Recovery is not null ? null : kept);
    }

    public async Task DemandConfirmationsAsync(NodeSettings settings, IReadOnlyList<NodeName> without, int least)
    {
        var primary = await life.StillPrimaryAsync(settings.Node);
        var inForce = await sql.QueryScalarAsync<string>(primary, "SHOW synchronous_standby_names");
        var now = Demand.Parse(inForce).Without(settings.Node.Name);
        var next = now.Next(settings.Quorum, await confirmers.StreamingAsync(primary), without);
        if (next.Confirmations < least)
        {
            throw Failure.Fail($"only {next.Confirmations} of {least} can confirm now");
        }

        var change = DemandChange.Of(next, (await KnownAsync(settings.Node)).Former.Append(inForce));
        var wanted = settings with { SynchronousStandbyNames = next.ToString() };
        if (!now.Implies(next))
        {
            await confirmers.ReceivedAsync(primary, next); // else clients would wait for who is behind
        }

        await WriteAsync(wanted, change.Kept);
        if (change.Kept is null)
        {
            return;
        }

        if (change.NeedsCheckpoint)
        {
            await CheckpointAsync(settings.Node);
        }

        // whose data may go next, or what was acknowledged until then
        if (without.Count > 0 || !now.Implies(next))
        {
            await confirmers.ReceivedAsync(primary, next, limits.Psql);
        }
        else if (!next.IsNone && !await confirmers.HaveReceivedAsync(primary, next))
        {
            return; // whom it let go waits for nothing; it can be proven later
        }

        await WriteAsync(wanted, earlier: null);
    }

    private async Task<KnownSettings> KnownAsync(NodeId node) =>
        new(await docker.Of(node).ReadFileAsync(SettingsFile.Path));

    private async Task WriteAsync(NodeSettings settings, string? earlier)
    {
        var container = await life.StoppedOrRunningAsync(settings.Node);
        await PlaceAsync(
            settings.Node,
            [
                ContainerFile.Private(
                    SettingsFile.Path,
                    SettingsFile.Render(settings, container.Spec, earlier),
                    container.Spec.Postgres
                ),
                ContainerFile.Private(
                    SettingsFile.PasswordPath,
                    secrets.FileFor(settings.Node.Cluster, "replicator"),
                    container.Spec.Postgres
                ), // it may have been rotated
                // another version may have made it
                .. container.State.Running ? [] : SettingsFile.Programs(container.Spec, settings.Node.Name),
            ]
        );

        await GiveHistoryAsync(settings, container);
        if (container.State.Running) // a paused one too: it would go on with what it has read
        {
            await ReloadedAsync(container, SettingsFile.OfRole(settings, container.Spec));
        }
    }

    public async Task WriteQuorumAsync(NodeId node, int quorum) =>
        await ChangeFileAsync(
            await life.StoppedOrRunningAsync(node),
            new() { [SettingsFile.Quorum] = quorum.ToString(CultureInfo.InvariantCulture) }
        );

    public async Task WriteMembersAsync(NodeId node, IReadOnlyList<NodeName> members) =>
        await ChangeFileAsync(
            await life.StoppedOrRunningAsync(node),
            new() { [SettingsFile.Members] = SettingsFile.ValueOf(members) }
        );

    public async Task SetReadOnlyAsync(NodeId node, bool isOn)
    {
        var (container, wanted) = (await inventory.NodeAsync(node), SettingsFile.OfReadOnly(isOn));
        await ChangeFileAsync(container, wanted);
        if (container.State.Running)
        {
            await ReloadedAsync(container, wanted);
        }
    }

    /// <summary>Changes some settings in the node's own file, and nothing else in it.</summary>
    private async Task ChangeFileAsync(NodeContainer node, Dictionary<string, string> changed)
    {
        var there = Encoding.UTF8.GetString(
            await docker.Of(node.Id).ReadFileAsync(SettingsFile.Path)
                ?? throw Failure.Fail($"{node.Id} has no {SettingsFile.Path}", Hint.Repair(node.Id.Cluster))
        );
        if (SettingsFile.With(there, changed) is var wanted && wanted != there)
        {
            await docker
                .Of(node.Id)
                .WriteFilesAsync(ContainerFile.Private(SettingsFile.Path, wanted, node.Spec.Postgres));
        }
    }

    /// <summary>Writes all where one is not as it should be: to read one takes as long as to write all.</summary>
    private async Task PlaceAsync(NodeId node, IReadOnlyList<ContainerFile> wanted)
    {
        foreach (var file in wanted)
        {
            if (
                await docker.Of(node).ReadFileAsync(file.Path) is not { } there
                || Encoding.UTF8.GetString(there) != file.Content
            )
            {
                await docker.Of(node).WriteFilesAsync(wanted);
                return;
            }
        }
    }

    /// <summary>A standby does not start without the history of the branch that it follows, and the archive may not
    /// have it yet.</summary>
    private async Task GiveHistoryAsync(NodeSettings settings, NodeContainer container)
    {
        if (settings is not { Upstream: { } upstream, Timeline: { Number: > 1 } timeline })
        {
            return;
        }

        var path = $"{Names.Data}/pg_wal/{timeline.HistoryFile}";
        if (!await docker.Of(container.Id).FileExistsAsync(path))
        {
            var primary = await life.RunningAsync(new(settings.Node.Cluster, upstream));
            var history = await sql.QueryScalarAsync<string>(
                primary,
                "SELECT pg_read_file($1)",
                $"pg_wal/{timeline.HistoryFile}"
            );
            await docker
                .Of(container.Id)
                .WriteFilesAsync(ContainerFile.Private(path, history, container.Spec.Postgres));
        }
    }

    /// <summary>Reloads and proves in pg_settings that the values are in force and come from PgFlow's own
    /// file.</summary>
    /// <remarks>PgFlow's sessions have a default_transaction_read_only of their own; what was read with
    /// pgflow.read_only is in force with it.</remarks>
    private async Task ReloadedAsync(NodeContainer node, IReadOnlyDictionary<string, string> wanted)
    {
        var applied = "";
        for (
            var clock = Stopwatch.StartNew();
            clock.Elapsed < limits.Reload;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            await using var connection = await sql.OpenAsync(node);
            // also where the role is the same: the file may have changed otherwise
            await connection.ChangeAsync<bool>("SELECT pg_reload_conf()");
            applied = await Sql.QueryScalarAsync<string>(
                connection,
                """
                SELECT coalesce(
                    string_agg(name || ' is ' || setting || ' from ' || coalesce(sourcefile, source), '; '), '')
                FROM pg_settings, json_each_text($1::json) AS wanted
                WHERE name = wanted.key AND name <> 'default_transaction_read_only'
                    AND (setting <> wanted.value OR sourcefile IS DISTINCT FROM $2)
                """,
                JsonSerializer.Serialize(wanted),
                SettingsFile.Path
            );
            if (applied.Length == 0)
            {
                return;
            }
        }

        throw Failure.Fail($"{node.Id} does not use the settings in {SettingsFile.Path}: {applied}");
    }

    public async Task SetReplicationSlotsAsync(NodeId node, IReadOnlyList<NodeName> others, NodeName? gone) =>
        await slots.SetAsync(await life.RunningAsync(node), others, gone);

    public async Task<RestorePoint> CreateRestorePointRecordAsync(NodeId primary, string name)
    {
        var node = await life.StillPrimaryAsync(primary);
        var created = await sql.ChangeAsync<string>(
            node,
            """
            SELECT json_build_object('name', $1, 'lsn', pg_create_restore_point($1)::text, 'at', clock_timestamp(),
                'timeline', ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int)::text
            """,
            name
        );
        return JsonSerializer.Deserialize<RestorePoint>(created, PgFlowJson.Options)!;
    }

    public async Task ProveStreamingAsync(NodeId standby, NodeId primary)
    {
        var (follower, leader) = (await life.RunningAsync(standby), await life.RunningAsync(primary));
        if (
            await sql.QueryTextOrEmptyAsync(
                follower,
                "SELECT (setting <> '0')::text FROM pg_settings WHERE name = 'recovery_min_apply_delay'"
            ) == "true"
        )
        {
            // after a start it streams only when it has replayed, as late as it is meant to, what it has: status names
            // it until then
            return;
        }

        await replay.AdvancesAsync(
            $"{standby} streams from {primary}",
            () =>
                sql.QueryTextOrEmptyAsync(
                    leader,
                    """
                    SELECT coalesce((SELECT state || ' ' || replay_lsn FROM pg_stat_replication
                        WHERE usename = 'replicator' AND client_addr = $1::text::inet AND application_name = $2
                        LIMIT 1), '')
                    """,
                    follower.Address,
                    standby.Name.ToString()
                ),
            answer => answer.StartsWith("streaming", StringComparison.Ordinal),
            [follower, leader]
        );
        await replay.ReplayedAsync(follower, await sql.WriteMarkerAsync(leader));
    }
}

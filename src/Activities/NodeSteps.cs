using System.Diagnostics;
using System.Text.RegularExpressions;
using Docker.DotNet.Models;
using Microsoft.Extensions.Options;
using Npgsql;
using PgFlow.Workflows;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PgFlow.Activities;

internal sealed partial class NodeSteps(
    DockerEngine docker,
    Inventory inventory,
    NodeObserver observer,
    NodeEnd ends,
    NodeFiles files,
    NodeWal wal,
    Jobs jobs,
    Sql sql,
    Secrets secrets,
    CatalogueSteps catalogues,
    Summarizer summarizer,
    IOptions<HandOptions> options
) : INodeSteps
{
    /// <summary>How long the candidate of a switchover may stand still when it has all that it will get, and clients
    /// wait.</summary>
    private static readonly TimeSpan CandidatesPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>How long a standby is asked for its primary's end, before the node itself is.</summary>
    private static readonly TimeSpan WitnessLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FastStopLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PromotionLimit = TimeSpan.FromSeconds(50);
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(10);

    /// <summary>How often a look is taken at what a starting node does.</summary>
    private static readonly TimeSpan StartLook = TimeSpan.FromSeconds(1);

    /// <summary>How often a wait looks whether the nodes are still there that it depends on.</summary>
    private static readonly TimeSpan EndLook = TimeSpan.FromMilliseconds(250);

    /// <summary>A start that failed for what passes (an address, a lock file) may be repeated.</summary>
    private const int MostStarts = 3;

    /// <summary>As many as PostgreSQL needs to say why it ends.</summary>
    private const int LogLines = 8;

    /// <summary>Leaves little of the current segment: a server that archives fills the rest of it with zeros when it
    /// stops, and its standbys receive them, while clients wait.</summary>
    /// <remarks>512 kB are left, and what the pages' headers take, for what is written until then: behind the segment's
    /// end the whole next one would be filled. None of more than 64 MB is filled: that much memory it takes. Rolled back,
    /// so that no logical decoding passes it on as committed.</remarks>
    private const string FillSegment = """
        BEGIN;
        SELECT coalesce((SELECT pg_logical_emit_message(true, 'pgflow', repeat('0', left_of_it - left_of_it / 256 - 524288))
            FROM (SELECT (size - (pg_current_wal_insert_lsn() - '0/0') % size)::int AS left_of_it
                FROM (SELECT setting::bigint AS size FROM pg_settings WHERE name = 'wal_segment_size') AS segment WHERE size <= 67108864) AS segment
            WHERE left_of_it > 1048576)::text, '');
        ROLLBACK
        """;

    /// <summary>PostgreSQL's fast stop; Docker's own ends in SIGKILL.</summary>
    private const string FastStop = "SIGINT";

    private static readonly string[] Unmark = ["rm", "-f", $"{Names.Data}/standby.signal"];

    private TimeSpan Patience => options.Value.Patience;

    /// <summary>What the attempts before this one have taken, by Temporal's clock.</summary>
    private static TimeSpan EarlierAttempts =>
        ActivityExecutionContext.Current.Info.CurrentAttemptScheduledTime
        - ActivityExecutionContext.Current.Info.ScheduledTime;

    public async Task StartAsync(NodeId node)
    {
        var container = await SettledAsync(node);
        if (container.Docker.State.Running && await FollowsAnotherBranchAsync(container))
        {
            await EndAsync(container);
            container = await inventory.NodeAsync(node);
        }

        if (!container.Docker.State.Running)
        {
            await RequireNoSecondPrimaryAsync(container);
            await Permit.RequireAsync(node.Cluster);
            await docker.ConnectAsync(Names.InternalNetwork(node.Cluster), node.Container, container.Address);
            await docker.StartAsync(node.Container);
        }

        // Before Docker may restart it: the end of a node that can't start is seen at once, and not taken for one that
        // is stopping.
        await AnswersAsync(container);
        await LetRestartAsync(await inventory.NodeAsync(node));
    }

    /// <summary>Post-condition: a fast stop has ended it; Docker does not start it again.</summary>
    public async Task EndAsync(NodeContainer container)
    {
        await Permit.RequireAsync(container.Id.Cluster);
        await ForbidRestartAsync(container);
        await docker.SignalAsync(container.Id.Container, FastStop);
        if (!await docker.EndedAsync(container.Id.Container, FastStopLimit))
        {
            throw new TimeoutException(
                $"{container.Id} has not ended {FastStopLimit.TotalSeconds:0} s after its fast stop; see docker "
                    + $"logs {container.Id.Container}"
            );
        }
    }

    public async Task SettleAsync(NodeId node)
    {
        var container = await inventory.NodeAsync(node);
        await Permit.RequireAsync(node.Cluster);
        await docker.ConnectAsync(Names.InternalNetwork(node.Cluster), node.Container, container.Address);
        await LetRestartAsync(container);
    }

    public async Task<CleanShutdown> StopAsync(NodeId node, int withinSeconds, NodeId? witness)
    {
        var limit = TimeSpan.FromSeconds(withinSeconds) - EarlierAttempts;
        var container = await inventory.NodeAsync(node);
        await Permit.RequireAsync(node.Cluster);
        await ForbidRestartAsync(container);
        var clock = Stopwatch.StartNew();
        if (container.Running && witness is { } standby && await SeenByAsync(standby) is { } seen)
        {
            return seen with { ReplayedBy = standby.Name };
        }

        await docker.SignalAsync(node.Container, FastStop);
        do
        {
            var ended = await docker.EndedAsync(node.Container, TimeSpan.Zero);
            if (await observer.ControlAsync(node) is { State: ControlState.ShutDown } control)
            {
                return new(control.Timeline, control.Checkpoint); // Docker says so later, and clients are waiting
            }

            if (ended)
            {
                throw Ends.Break(
                    $"{node} has ended, but not cleanly: its last records may not have been sent; its log: "
                        + await docker.OfLogAsync(node.Container, LogLines)
                );
            }
        } while (clock.Elapsed < limit); // at least once: an earlier attempt may have waited for all of it

        throw Ends.Stick(
            $"{node} has not ended {withinSeconds} s after its fast stop, which may take longer with "
                + $"stopWithinSeconds; see docker logs {node.Container}"
        );

        async Task<CleanShutdown?> SeenByAsync(NodeId standby)
        {
            try
            {
                await using var stopped = await sql.OpenAsync(container);
                await using var replaying = await sql.OpenAsync(await inventory.NodeAsync(standby));
                var shutdown = await ShutdownWitness.BeginAsync(stopped, replaying);
                await docker.SignalAsync(node.Container, FastStop);
                return await shutdown.WaitAsync(WitnessLimit);
            }
            catch (Exception e)
                when ((e is PostgresException || Sql.IsUnavailable(e))
                    && !DockerEngine.ActivityToken.IsCancellationRequested
                )
            {
                return null; // the node itself is asked
            }
        }
    }

    public async Task MarkStandbyAsync(NodeId node)
    {
        var container = await inventory.NodeAsync(node);
        await Permit.RequireAsync(node.Cluster);
        await Task.WhenAll(ForbidRestartAsync(container), files.WriteAsync(node.Container, StandbySignal(container)));
    }

    public async Task FenceAsync(NodeId node, bool atOnce = false)
    {
        var container = await inventory.NodeAsync(node);
        await Permit.RequireAsync(node.Cluster);
        await ForbidRestartAsync(container);
        if (!atOnce && container.Running && await AnswersNowAsync(container))
        {
            await docker.SignalAsync(node.Container, "SIGINT");
            await docker.EndedAsync(node.Container, FastStopLimit);
        }

        if (container.Docker.State.Running)
        {
            // a paused one dies of it as it is, and its clients' connections with it
            await docker.SignalAsync(node.Container, "SIGKILL");
        }

        if (!await docker.EndedAsync(node.Container, KillLimit))
        {
            throw new TimeoutException(
                $"{node} does not end although it was killed; see: docker inspect {node.Container}"
            );
        }

        await Task.WhenAll(LeaveNetworksAsync(container), MarkAsync(container));
    }

    public async Task UnfenceAsync(NodeId node, bool running, bool standby)
    {
        var container = await inventory.NodeAsync(node);
        await Permit.RequireAsync(node.Cluster);
        await docker.ConnectAsync(Names.InternalNetwork(node.Cluster), node.Container, container.Address);
        var over = await IsOverAsync(container); // or somebody has started it
        if (!standby)
        {
            await UnmarkAsync(container, over);
        }

        await (running ? StartAsync(node) : LetRestartAsync(container));
    }

    public async Task CheckpointAsync(NodeId node) =>
        await sql.AskAsync<string>(await RunningAsync(node), "CHECKPOINT", Timeout.InfiniteTimeSpan);

    public async Task PrepareStopAsync(NodeId node)
    {
        await RestartSummarizerAsync(node);
        await sql.AskAsync<string>(await RunningAsync(node), FillSegment, Timeout.InfiniteTimeSpan);
        await CheckpointAsync(node); // near the end of a segment it makes the next one
    }

    public async Task<bool> RestartSummarizerAsync(NodeId node)
    {
        var container = await RunningAsync(node);
        await using var session = await sql.OpenAsync(container, Timeout.InfiniteTimeSpan);
        await Permit.RequireAsync(node.Cluster);
        return await summarizer.RestartAsync(container, session);
    }

    public async Task WaitForReplayAsync(NodeId standby, NodeId primary)
    {
        var marker = await sql.MarkAsync(await RunningAsync(primary));
        await ReplayedAsync(await RunningAsync(standby), marker);
    }

    public async Task ProveReplayedAsync(NodeId candidate, CleanShutdown shutdown)
    {
        var container = await inventory.NodeAsync(candidate);
        var identifying = sql.IdentifyAsync(container); // side by side: clients are waiting
        try
        {
            // The position is where the checkpoint begins: only what lies beyond it proves that the standby has it.
            await ReplayedAsync(container, new(shutdown.Checkpoint.Value + 1), CandidatesPatience);
        }
        catch (ApplicationFailureException e) when (e.ErrorType is Ends.Failed)
        {
            throw Ends.Break(e.Message); // nobody sends what it lacks, and the old primary's clients wait for the undo
        }

        var (_, timeline, _) = await identifying;
        if (timeline != shutdown.Timeline)
        {
            throw Ends.Break($"{candidate} is on timeline {timeline}, the old primary ended on {shutdown.Timeline}");
        }
    }

    public async Task<IReadOnlyList<Candidate>> CompareAsync(IReadOnlyList<NodeId> nodes, TimelineHistory? live)
    {
        var containers = await Task.WhenAll(nodes.Select(inventory.NodeAsync));
        // one did when this was planned: Docker has stopped them with its daemon
        if (!containers.Any(node => node.Docker.State.Running))
        {
            await Task.WhenAll(
                containers
                    .Where(node => node.Docker.HostConfig.RestartPolicy.Name is RestartPolicyKind.UnlessStopped)
                    .Select(node => TryStartAsync(node.Id))
            );
            containers = await Task.WhenAll(nodes.Select(inventory.NodeAsync));
        }

        return await Task.WhenAll(containers.Select(node => CompareAsync(node, live)));
    }

    public async Task<Promotion> PromoteAsync(NodeId node, Timeline from)
    {
        var running = RunningAsync(node);
        await Task.WhenAll(running, Permit.RequireAsync(node.Cluster)); // side by side: clients are waiting
        var container = await running;
        await using (var connection = await sql.OpenAsync(container, Patience))
        {
            if (await Sql.AskAsync<bool>(connection, "SELECT pg_is_in_recovery()"))
            {
                await summarizer.PrepareAsync(container, connection);
                await Permit.FreshAsync();
                await PromoteAsync(node, connection);
            }
        }

        await LetRestartAsync(container); // one that recovered was started without
        var timeline = await sql.WrittenTimelineAsync(container);
        var fork = (await sql.HistoryAsync(container, timeline)).Ancestors;
        return timeline > from && fork.Count > 0
            ? new(node, timeline, fork[^1].Timeline, fork[^1].End)
            : throw Ends.Break(
                $"{node} accepts writes on timeline {timeline}, not on one above {from}: it was not promoted "
                    + "but started without standby.signal"
            );
    }

    public async Task ConfigureAsync(NodeSettings settings)
    {
        var container = await SettledAsync(settings.Node);
        await PlaceAsync(
            settings.Node,
            [
                ContainerFile.Private(
                    SettingsFile.Path,
                    SettingsFile.Render(settings, container.Spec),
                    container.Spec.Postgres
                ),
                ContainerFile.Private(
                    SettingsFile.PasswordPath,
                    secrets.FileFor(settings.Node.Cluster, "replicator"),
                    container.Spec.Postgres
                ), // it may have been rotated
                // another version may have made it
                .. container.Docker.State.Running ? [] : SettingsFile.Programs(container.Spec, settings.Node.Name),
            ]
        );

        await GiveHistoryAsync(settings, container);
        if (container.Docker.State.Running) // a paused one too: it would go on with what it has read
        {
            await ReloadedAsync(container, SettingsFile.OfRole(settings, container.Spec));
        }
    }

    /// <summary>Writes what is not there as it should be.</summary>
    private async Task PlaceAsync(NodeId node, IReadOnlyList<ContainerFile> wanted)
    {
        var there = await Task.WhenAll(wanted.Select(file => files.ReadAsync(node.Container, file.Path)));
        var others = wanted
            .Where(
                (file, index) =>
                    there[index] is not { } content || System.Text.Encoding.UTF8.GetString(content) != file.Content
            )
            .ToList();
        if (others.Count > 0)
        {
            await Permit.RequireAsync(node.Cluster);
            await files.WriteAsync(node.Container, others);
        }
    }

    public async Task SetSlotsAsync(NodeId node, IReadOnlyList<NodeName> others)
    {
        var container = await RunningAsync(node);
        await Permit.RequireAsync(node.Cluster);
        await using var connection = await sql.OpenAsync(container);
        var names = string.Join(',', others);
        await Sql.AskAsync<long>(
            connection,
            """
            SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots
            WHERE slot_type = 'physical' AND NOT temporary AND NOT active AND slot_name ~ '^p[1-9][0-9]?$' AND (wal_status = 'lost' OR NOT slot_name = ANY (string_to_array($1, ',')))
            """,
            names
        );
        await Sql.AskAsync<long>(
            connection,
            """
            SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots AS slot
            WHERE pg_is_in_recovery() AND slot_type = 'logical' AND NOT active AND to_jsonb(slot) ->> 'failover' = 'true' AND to_jsonb(slot) ->> 'synced' = 'false'
            """
        );
        await Sql.AskAsync<long>(
            connection,
            """
            SELECT count(pg_create_physical_replication_slot(name, true)) FROM unnest(string_to_array($1, ',')) AS wanted(name)
            WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = wanted.name)
            """,
            names
        );
    }

    public async Task<RestorePoint> CreatePointAsync(NodeId primary, string name)
    {
        var node = await StillPrimaryAsync(primary);
        await Permit.RequireBesideAsync(primary.Cluster);
        return await sql.AskJsonAsync<RestorePoint>(
            node,
            """
            SELECT json_build_object('name', $1, 'lsn', pg_create_restore_point($1)::text, 'at', clock_timestamp(),
                'timeline', ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int)::text
            """,
            name
        );
    }

    public async Task ProveStreamingAsync(NodeId standby, NodeId primary)
    {
        var (follower, leader) = (await RunningAsync(standby), await RunningAsync(primary));
        if (
            await AskSilentAsync(
                follower,
                "SELECT (setting <> '0')::text FROM pg_settings WHERE name = 'recovery_min_apply_delay'"
            ) == "true"
        )
        {
            // after a start it streams only when it has replayed, as late as it is meant to, what it has: status names
            // it until then
            return;
        }

        await AdvancesAsync(
            $"{standby} streams from {primary}",
            () =>
                AskSilentAsync(
                    leader,
                    """
                    SELECT coalesce((SELECT state || ' ' || replay_lsn FROM pg_stat_replication
                        WHERE usename = 'replicator' AND client_addr = $1::text::inet AND application_name = $2 LIMIT 1), '')
                    """,
                    follower.Address,
                    standby.Name.ToString()
                ),
            answer => answer.StartsWith("streaming", StringComparison.Ordinal),
            [follower, leader]
        );
        await ReplayedAsync(follower, await sql.MarkAsync(leader));
    }

    private static async Task PromoteAsync(NodeId node, SqlSession connection)
    {
        try
        {
            await Sql.AskAsync<bool>(connection, "SELECT pg_promote(false)");
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.ObjectNotInPrerequisiteState)
        {
            return; // no more in recovery: an earlier attempt had asked
        }

        var woken = -TimeSpan.FromSeconds(2);
        for (
            var clock = Stopwatch.StartNew();
            await Sql.AskAsync<string>(
                connection,
                """
                SELECT CASE WHEN NOT pg_is_in_recovery() THEN 'open' WHEN EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event = 'WalSummaryReady')
                    THEN 'waits for the WAL summarizer' ELSE 'replays' END
                """
            )
                is var state
                && state != "open";
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            if (state != "replays" && clock.Elapsed - woken > TimeSpan.FromSeconds(1))
            {
                woken = clock.Elapsed;
                await Sql.AskAsync<bool>(connection, "SELECT pg_reload_conf()"); // it sleeps
            }

            if (clock.Elapsed > PromotionLimit)
            {
                throw Ends.Stick($"{node} was asked to promote and still {state}; see docker logs {node.Container}");
            }
        }
    }

    /// <summary>A call that costs clients 50 ms, and that Docker refuses for a container that is ending: only where it
    /// is needed.</summary>
    private Task ForbidRestartAsync(NodeContainer container) =>
        container.Docker.HostConfig.RestartPolicy.Name is RestartPolicyKind.No
            ? Task.CompletedTask
            : docker.SetRestartPolicyAsync(container.Id.Container, RestartPolicyKind.No);

    /// <summary>Docker starts the node again after a crash or a reboot; the counterpart of
    /// <see cref="ForbidRestartAsync"/>.</summary>
    private async Task LetRestartAsync(NodeContainer container)
    {
        if (container.Docker.HostConfig.RestartPolicy.Name is not RestartPolicyKind.UnlessStopped)
        {
            await Permit.RequireAsync(container.Id.Cluster);
            await docker.SetRestartPolicyAsync(container.Id.Container, RestartPolicyKind.UnlessStopped);
        }
    }

    /// <summary>A node that a step needs running. One that Docker stopped, with its daemon or by itself, is started as
    /// what it is, where that is safe.</summary>
    /// <remarks>Only by a procedure that decides what runs: a backup may work beside one that has stopped or fenced the
    /// node.</remarks>
    public async Task<NodeContainer> RunningAsync(NodeId node)
    {
        if (await inventory.NodeAsync(node) is { Docker.State.Running: true } running)
        {
            return running;
        }

        await Permit.RequireBesideAsync(node.Cluster);
        if (!await Permit.DecidesAsync(node.Cluster))
        {
            throw Ends.Fail($"{node} does not run");
        }

        await StartAsync(node);
        return await inventory.NodeAsync(node);
    }

    /// <summary>The primary of a procedure beside which roles may change.</summary>
    public async Task<NodeContainer> StillPrimaryAsync(NodeId node)
    {
        var container = await RunningAsync(node);
        return await sql.AskAsync<bool>(container, "SELECT pg_is_in_recovery()")
            ? throw Ends.Break($"{node} is not the primary any more: roles have changed meanwhile; start it again")
            : container;
    }

    /// <summary>One that can't be started can still be read.</summary>
    private async Task TryStartAsync(NodeId node)
    {
        try
        {
            await StartAsync(node);
        }
        catch (ApplicationFailureException e) when (e.ErrorType is Ends.Failed)
        {
            HandProgress.Say(e.Message);
        }
    }

    /// <summary>Waits for the end of a node that was stopped or killed.</summary>
    /// <returns>Whether it has ended; not, where it answers: it was never stopped.</returns>
    private async Task<bool> IsOverAsync(NodeContainer node)
    {
        for (var clock = Stopwatch.StartNew(); !await docker.EndedAsync(node.Id.Container, TimeSpan.Zero); )
        {
            if (await AnswersNowAsync(node))
            {
                return false;
            }

            if (await ends.IsShutDownAsync(node))
            {
                await ends.FinishAsync(node);
            }

            if (clock.Elapsed > FastStopLimit)
            {
                throw new TimeoutException($"{node.Id} has not ended yet");
            }
        }

        return true;
    }

    /// <summary>A node's container, once it isn't ending any more: a start of one that is would be lost.</summary>
    private async Task<NodeContainer> SettledAsync(NodeId node)
    {
        for (
            var clock = Stopwatch.StartNew();
            clock.Elapsed < FastStopLimit;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            var container = await inventory.NodeAsync(node);
            var stopped =
                container.Docker.State is { Running: true, Restarting: false }
                && container.Docker.HostConfig.RestartPolicy.Name is RestartPolicyKind.No
                && await observer.ControlAsync(node) is { State: ControlState.ShutDown };
            if (!stopped)
            {
                return container;
            }
        }

        throw new TimeoutException($"{node} was stopped and has not ended; see: docker inspect {node.Container}");
    }

    private async Task<Candidate> CompareAsync(NodeContainer node, TimelineHistory? live)
    {
        var asked = await AskPositionAsync(node);
        return asked is { End: not null }
            ? asked
            : await ReadPositionAsync(asked ?? new(node.Id, live?.Tip ?? default, End: null) { Answers = false }, live);
    }

    /// <summary>What a standby says; null where it does not answer.</summary>
    private async Task<Candidate?> AskPositionAsync(NodeContainer container)
    {
        try
        {
            var identifying = sql.IdentifyAsync(container); // side by side: clients are waiting
            await using var connection = await sql.OpenAsync(container);
            // With its sender gone a walreceiver ends at once; one that hangs on is given what it takes for the
            // position to stand still.
            var position = "";
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(1); )
            {
                var now = await Sql.AskAsync<string>(
                    connection,
                    """
                    SELECT (SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming') || ' '
                        || coalesce(pg_last_wal_receive_lsn(), '0/0') || ' ' || coalesce(pg_last_wal_replay_lsn(), '0/0') || ' ' || pg_is_wal_replay_paused()
                        || ' ' || (SELECT setting <> '0' FROM pg_settings WHERE name = 'recovery_min_apply_delay')
                    """
                );
                if (now.StartsWith("0 ", StringComparison.Ordinal) || now == position)
                {
                    position = now;
                    break;
                }

                position = now;
                await Task.Delay(TimeSpan.FromMilliseconds(100), DockerEngine.ActivityToken);
            }

            var (_, timeline, _) = await identifying;
            if (position.Split(' ') is not [_, var received, var replayed, var paused, var delayed])
            {
                return null;
            }

            // Until it has streamed since its start, WAL that it has and has not replayed is in no position that it
            // tells.
            var end = Lsn.Parse(received);
            return new(container.Id, timeline, end > default(Lsn) && end >= Lsn.Parse(replayed) ? end : null)
            {
                ReplayPaused = paused == "true",
                Delayed = delayed == "true",
            };
        }
        catch (Exception e) when (Sql.IsUnavailable(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>The end of the valid WAL in a standby's volume.</summary>
    private async Task<Candidate> ReadPositionAsync(Candidate candidate, TimelineHistory? live)
    {
        try
        {
            var end = await wal.EndAsync(candidate.Node, live ?? new(candidate.Timeline, []));
            return candidate with { End = end.End, Timeline = candidate.Answers ? candidate.Timeline : end.Timeline };
        }
        catch (Exception e)
            when (e is InvalidDataException or IOException or Docker.DotNet.DockerApiException or TimeoutException
                && !DockerEngine.ActivityToken.IsCancellationRequested
            )
        {
            return candidate with { Unknown = e.Message };
        }
    }

    /// <summary>Whether a running standby was started with another branch to follow than its settings name
    /// now.</summary>
    private async Task<bool> FollowsAnotherBranchAsync(NodeContainer node) =>
        await AskSilentAsync(
            node,
            """
            SELECT (pg_is_in_recovery() AND EXISTS (SELECT FROM pg_file_settings
                WHERE sourcefile = $1 AND name = 'recovery_target_timeline' AND setting <> current_setting(name)))::text
            """,
            SettingsFile.Path
        ) == "true";

    /// <summary>A standby does not start without the history of the branch that it follows, and the archive may not
    /// have it yet.</summary>
    private async Task GiveHistoryAsync(NodeSettings settings, NodeContainer container)
    {
        if (settings is not { Upstream: { } upstream, Timeline: { Number: > 1 } timeline })
        {
            return;
        }

        var path = $"{Names.Data}/pg_wal/{timeline.HistoryFile}";
        if (!await files.ExistsAsync(container.Id.Container, path))
        {
            var primary = await RunningAsync(new(settings.Node.Cluster, upstream));
            var history = await sql.AskAsync<string>(
                primary,
                "SELECT pg_read_file($1)",
                $"pg_wal/{timeline.HistoryFile}"
            );
            await Permit.RequireAsync(settings.Node.Cluster);
            await files.WriteAsync(
                container.Id.Container,
                ContainerFile.Private(path, history, container.Spec.Postgres)
            );
        }
    }

    /// <summary>No node starts writable while another accepts writes or has gone on from its branch.</summary>
    private async Task RequireNoSecondPrimaryAsync(NodeContainer starting)
    {
        if (
            await observer.IsMarkedStandbyAsync(starting.Id)
            || await observer.ControlAsync(starting.Id) is not { } control
        )
        {
            return;
        }

        var others = await Task.WhenAll(
            (await inventory.NodesAsync(starting.Id.Cluster))
                .Where(node => node.Id != starting.Id)
                .Select(observer.ObserveAsync)
        );
        foreach (var other in others)
        {
            if (other.Role is NodeRole.Primary || await HasGoneOnAsync(other, control.Timeline))
            {
                throw Ends.Refuse(
                    $"{starting.Id} would accept writes beside {other.Id} ({PgFlowText.Word(other.Role)}, "
                        + $"timeline {other.Timeline}): not started"
                );
            }
        }
    }

    /// <summary>Whether a node is on a branch that goes on from a timeline; not, where the ledger says that this one is
    /// live: then the other was promoted by hand.</summary>
    private async Task<bool> HasGoneOnAsync(NodeState node, Timeline from)
    {
        if (node.Timeline is not { } timeline || timeline <= from)
        {
            return false;
        }

        var history =
            node.History
            ?? TimelineHistory.Parse(
                timeline,
                await files.ReadAsync(node.Id.Container, $"{Names.Data}/pg_wal/{timeline.HistoryFile}") is { } file
                    ? System.Text.Encoding.UTF8.GetString(file)
                    : null
            );
        return (history.Ancestors.Count == 0 || history.Contains(from))
            && (await catalogues.InspectAsync(node.Id.Cluster)).Live != from;
    }

    /// <summary>Post-condition: it is no standby and would not start as one, whatever somebody did with it since it was
    /// fenced.</summary>
    private async Task UnmarkAsync(NodeContainer container, bool over)
    {
        if (!over && await sql.AskAsync<bool>(container, "SELECT pg_is_in_recovery()"))
        {
            await EndAsync(container);
            over = true;
        }

        if (!over)
        {
            await docker.ExecuteAsync(container.Id.Container, "0:0", FastStopLimit, Unmark);
        }
        else if (await observer.IsMarkedStandbyAsync(container.Id))
        {
            await jobs.RequireSoleUseAsync(container.Id);
            await jobs.SucceedAsync(Job.On(container, "unmark", "remove-standby-signal"));
        }
    }

    /// <summary>A node whose directory is set aside for a rewind has nothing that could be started.</summary>
    private async Task MarkAsync(NodeContainer container)
    {
        if (await files.ExistsAsync(container.Id.Container, $"{Names.Data}/PG_VERSION"))
        {
            try
            {
                await files.WriteAsync(container.Id.Container, StandbySignal(container));
            }
            catch (Docker.DotNet.DockerApiException e)
                when (e.ResponseBody?.Contains("read-only file system", StringComparison.OrdinalIgnoreCase) is true)
            {
                // No server can start on it either, and nobody would reach one: a disk that fails must keep nobody from
                // a failover. Status says it.
            }
        }
    }

    private static ContainerFile StandbySignal(NodeContainer container) =>
        ContainerFile.Private($"{Names.Data}/standby.signal", "", container.Spec.Postgres);

    private Task LeaveNetworksAsync(NodeContainer container) =>
        Task.WhenAll(
            docker.DisconnectAsync(container.Spec.ExternalNetwork, container.Id.Container),
            docker.DisconnectAsync(Names.InternalNetwork(container.Id.Cluster), container.Id.Container)
        );

    private async Task<bool> AnswersNowAsync(NodeContainer container)
    {
        try
        {
            return await sql.AskAsync<int>(container, "SELECT 1") == 1;
        }
        catch (Exception e) when (Sql.IsUnavailable(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Waits for a started node. That Docker starts it again is no progress, nor is one whose start stands
    /// still.</summary>
    private async Task AnswersAsync(NodeContainer started)
    {
        var (clock, still, looked) = (Stopwatch.StartNew(), Stopwatch.StartNew(), TimeSpan.Zero);
        var starts = new HashSet<string>();
        for (
            var seen = new HashSet<string>();
            !await AnswersNowAsync(started);
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            HandProgress.Say($"{started.Id} starts; {clock.Elapsed.TotalSeconds:0} s");
            if (clock.Elapsed < looked + StartLook)
            {
                continue;
            }

            looked = clock.Elapsed;
            await RequireStartingAsync(started, starts);
            var known = seen.Count;
            seen.UnionWith(await StartupAsync(started.Id));
            if (seen.Count > known)
            {
                still.Restart();
            }

            if (still.Elapsed > Patience)
            {
                throw Ends.Stick(
                    $"{started.Id} does not answer: no progress for {Patience.TotalSeconds:0} s; its log: "
                        + $"{await docker.OfLogAsync(started.Id.Container, LogLines)}"
                );
            }
        }
    }

    /// <exception cref="ApplicationFailureException">It has ended, or Docker starts it again and again.</exception>
    private async Task RequireStartingAsync(NodeContainer started, HashSet<string> starts)
    {
        var state = (await inventory.NodeAsync(started.Id)).Docker.State;
        starts.Add(state.StartedAt);
        if (starts.Count > MostStarts)
        {
            throw Ends.Stick(
                $"{started.Id} can't start: Docker starts it again and again; its log: "
                    + $"{await docker.OfLogAsync(started.Id.Container, LogLines)}"
            );
        }

        if (state is { Running: false, Restarting: false })
        {
            throw Ends.Fail(
                $"{started.Id} ended with {state.ExitCode} when it was started; its log: "
                    + $"{await docker.OfLogAsync(started.Id.Container, LogLines)}"
            );
        }
    }

    /// <summary>What tells how far the start of a node has got: its pg_control, what its startup process says of
    /// itself, and its log but for its answers to us.</summary>
    private async Task<IEnumerable<string>> StartupAsync(NodeId node)
    {
        var control = await observer.ControlAsync(node);
        var processes = await docker.ProcessesAsync(node.Container);
        var log = await docker.LogAsync(node.Container, 50);
        return
        [
            control?.ToString() ?? "",
            .. processes.Where(title => title.StartsWith("postgres: startup ", StringComparison.Ordinal)),
            .. Said().Matches(log).Select(line => line.Value),
        ];
    }

    private Task ReplayedAsync(NodeContainer standby, Lsn position, TimeSpan? patience = null) =>
        AdvancesAsync(
            $"{standby.Id} replays up to {position}",
            () => AskSilentAsync(standby, "SELECT pg_last_wal_replay_lsn()::text"),
            answer => Lsn.TryParse(answer, out var replayed) && replayed >= position,
            [standby],
            patience,
            position
        );

    /// <summary>Asks again until it is so; fails at once when one of the nodes that it depends on has ended, and when
    /// nothing has changed for too long.</summary>
    private async Task AdvancesAsync(
        string what,
        Func<Task<string>> ask,
        Func<string, bool> isSo,
        NodeContainer[] nodes,
        TimeSpan? patience = null,
        Lsn? end = null
    )
    {
        var last = "";
        Lsn? first = null;
        for (
            var (still, unseen) = (Stopwatch.StartNew(), Stopwatch.StartNew());
            ;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            var answer = await ask();
            if (isSo(answer))
            {
                return;
            }

            if (answer != last)
            {
                still.Restart();
                last = answer;
            }

            if (answer.Length == 0 || unseen.Elapsed > EndLook)
            {
                await Task.WhenAll(nodes.Select(ends.RequireSameRunAsync));
                unseen.Restart();
            }

            if (end is { } position && Lsn.TryParse(answer, out var now))
            {
                first ??= now;
                HandProgress.Report(what, now.BytesSince(first.Value), position.BytesSince(first.Value));
            }
            else
            {
                HandProgress.Say($"{what}; now {answer}");
            }

            if (still.Elapsed > (patience ?? Patience))
            {
                throw Ends.Stick(
                    $"{what}: no progress for {(patience ?? Patience).TotalSeconds:0} s, now '{answer}'; "
                        + $"{nodes[0].Id}'s log: {await docker.OfLogAsync(nodes[0].Id.Container, 5)}"
                );
            }
        }
    }

    private async Task<string> AskSilentAsync(NodeContainer node, string question, params object[] parameters)
    {
        try
        {
            return await sql.AskAsync<string>(node, question, parameters) ?? "";
        }
        catch (Exception e) when (Sql.IsUnavailable(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return "";
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
            clock.Elapsed < TimeSpan.FromSeconds(5);
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            await using var connection = await sql.OpenAsync(node);
            // also where the role is the same: the file may have changed otherwise
            await Sql.AskAsync<bool>(connection, "SELECT pg_reload_conf()");
            applied = await Sql.AskAsync<string>(
                connection,
                """
                SELECT coalesce(string_agg(name || ' is ' || setting || ' from ' || coalesce(sourcefile, source), '; '), '') FROM pg_settings, json_each_text($1::json) AS wanted
                WHERE name = wanted.key AND name <> 'default_transaction_read_only' AND (setting <> wanted.value OR sourcefile IS DISTINCT FROM $2)
                """,
                System.Text.Json.JsonSerializer.Serialize(wanted),
                SettingsFile.Path
            );
            if (applied.Length == 0)
            {
                return;
            }
        }

        throw Ends.Fail($"{node.Id} does not use the settings in {SettingsFile.Path}: {applied}");
    }

    /// <summary>What a line of the log says, without its time.</summary>
    [GeneratedRegex("(?:LOG|PANIC|WARNING|HINT|DETAIL): .*")]
    private static partial Regex Said();
}

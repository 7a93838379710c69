using System.Diagnostics;
using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Options;
using Npgsql;
using Temporalio.Activities;

namespace PgFlow.Activities;

internal sealed class RoleActivities(
    DockerEngine docker,
    Inventory inventory,
    NodeObserver observer,
    NodeLife life,
    ClientConnections clients,
    Candidates candidates,
    Replay replay,
    JobRunner jobs,
    Sql sql,
    Summarizer summarizer,
    IOptions<ActivityHostOptions> options,
    TimeLimits limits
) : IRoleActivities
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>How long a standby is asked for its primary's end, before the node itself is.</summary>
    private static readonly TimeSpan WitnessLimit = TimeSpan.FromSeconds(1);

    private static readonly string[] Unmark = ["rm", "-f", $"{Names.Data}/standby.signal"];

    /// <summary>What the attempts before this one have taken, by Temporal's clock.</summary>
    private static TimeSpan EarlierAttempts =>
        ActivityExecutionContext.Current.Info.CurrentAttemptScheduledTime
        - ActivityExecutionContext.Current.Info.ScheduledTime;

    public async Task<CleanShutdown> StopPostgresAsync(NodeId node, int withinSeconds, NodeId? witness)
    {
        var limit = TimeSpan.FromSeconds(withinSeconds) - EarlierAttempts;
        var container = await inventory.NodeAsync(node);
        await life.ForbidRestartAsync(container);
        var clock = Stopwatch.StartNew();
        if (container.Running && witness is { } standby && await SeenByAsync(standby) is { } seen)
        {
            return seen with { ReplayedBy = standby.Name };
        }

        await docker.Of(node).SignalAsync(ContainerCalls.FastStop);
        do
        {
            var ended = await docker.Of(node).EndedAsync(TimeSpan.Zero);
            if (await observer.ControlAsync(node) is { State: ControlState.ShutDown } control)
            {
                return new(control.Timeline, control.Checkpoint); // Docker says so later, and clients are waiting
            }

            if (ended)
            {
                throw Failure.Break(
                    $"{node} has ended, but not cleanly: its last records may not have been sent; its log: "
                        + await docker.Of(node).OfLogAsync(NodeLife.LogLines)
                );
            }
        } while (clock.Elapsed < limit); // at least once: an earlier attempt may have waited for all of it

        throw Failure.Stick(
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
                await docker.Of(node).SignalAsync(ContainerCalls.FastStop);
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
        await Task.WhenAll(
            life.ForbidRestartAsync(container),
            docker.Of(node).WriteFilesAsync(StandbySignal(container))
        );
    }

    public async Task FenceNodeAsync(NodeId node, bool atOnce = false)
    {
        var container = await inventory.NodeAsync(node);
        await life.ForbidRestartAsync(container);
        if (!atOnce && container.Running && await life.AnswersNowAsync(container))
        {
            await TryGiveBackAsync(container);
            await docker.Of(node).StopFastAsync(limits.FastStop);
        }

        if (container.State.Running)
        {
            // a paused one dies of it as it is, and its clients' connections with it
            await docker.Of(node).SignalAsync("SIGKILL");
        }

        if (!await docker.Of(node).EndedAsync(limits.Kill))
        {
            throw new TimeoutException(
                $"{node} does not end although it was killed; see: docker inspect {node.Container}"
            );
        }

        await Task.WhenAll(LeaveNetworksAsync(container), MarkAsStandbyAsync(container));
    }

    public async Task UnfenceNodeAsync(NodeId node, bool running, bool? standby)
    {
        var container = await inventory.NodeAsync(node);
        await docker.Of(node).ConnectAsync(Names.InternalNetwork(node.Cluster), container.Address);
        var over = await life.IsOverAsync(container); // or somebody has started it
        if (standby is false || (standby is null && await WasPrimaryAsync(container, over)))
        {
            await (running ? Task.CompletedTask : life.RequireNoSecondPrimaryAsync(container)); // its start asks
            await UnmarkAsync(container, over);
        }

        await (running ? life.StartAsync(node) : life.LetRestartAsync(container));
    }

    public async Task ProveShutdownReplayedAsync(NodeId candidate, CleanShutdown shutdown)
    {
        var container = await inventory.NodeAsync(candidate);
        var identifying = sql.IdentifyAsync(container); // side by side: clients are waiting
        try
        {
            // The position is where the checkpoint begins: only what lies beyond it proves that the standby has it.
            await replay.ReplayedAsync(container, new(shutdown.Checkpoint.Value + 1), limits.Candidate);
        }
        catch (PgFlowException e) when (e.Type is FailureTypes.Failed)
        {
            // nobody sends what it lacks, and the old primary's clients wait for the undo
            throw Failure.Break(e.Message);
        }

        var (_, timeline, _) = await identifying;
        if (timeline != shutdown.Timeline)
        {
            throw Failure.Break($"{candidate} is on timeline {timeline}, the old primary ended on {shutdown.Timeline}");
        }
    }

    public Task<Candidate> ObserveCandidateAsync(NodeId node, TimelineHistory? live) =>
        candidates.ObserveAsync(node, live);

    public async Task RestartCandidateAsync(NodeId node)
    {
        if ((await inventory.NodeAsync(node)).RestartPolicy is RestartPolicyKind.UnlessStopped)
        {
            await life.TryStartAsync(node);
        }
    }

    public async Task<Promotion> PromoteStandbyAsync(NodeId node, Timeline from)
    {
        var running = life.RunningAsync(node);
        await Task.WhenAll(running, Permit.RequireAsync()); // side by side: clients are waiting
        var container = await running;
        await using (var connection = await sql.OpenAsync(container, options.Value.Patience))
        {
            if (await Sql.QueryScalarAsync<bool>(connection, "SELECT pg_is_in_recovery()"))
            {
                await summarizer.PrepareAsync(container, connection);
                await PromoteAsync(node, connection);
            }
        }

        await life.LetRestartAsync(container); // one that recovered was started without
        var timeline = await sql.WrittenTimelineAsync(container);
        var fork = (await sql.HistoryAsync(container, timeline)).Ancestors;
        return timeline > from && fork.Count > 0
            ? new(node, timeline, fork[^1].Timeline, fork[^1].End)
            : throw Failure.Break(
                $"{node} accepts writes on timeline {timeline}, not on one above {from}: it was not promoted "
                    + "but started without standby.signal"
            );
    }

    private async Task PromoteAsync(NodeId node, SqlSession connection)
    {
        try
        {
            await connection.ChangeAsync<bool>("SELECT pg_promote(false)");
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.ObjectNotInPrerequisiteState)
        {
            return; // no longer in recovery: an earlier attempt had asked
        }

        var woken = -TimeSpan.FromSeconds(2);
        for (
            var clock = Stopwatch.StartNew();
            await Sql.QueryScalarAsync<string>(
                connection,
                """
                SELECT CASE WHEN NOT pg_is_in_recovery() THEN 'open'
                    WHEN EXISTS (SELECT FROM pg_stat_activity
                        WHERE backend_type = 'startup' AND wait_event = 'WalSummaryReady')
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
                await connection.ChangeAsync<bool>("SELECT pg_reload_conf()"); // it sleeps
            }

            if (clock.Elapsed > limits.Promotion)
            {
                throw Failure.Stick($"{node} was asked to promote and still {state}; see docker logs {node.Container}");
            }
        }
    }

    /// <summary>Of a node that nobody could ask before it was fenced.</summary>
    private async Task<bool> WasPrimaryAsync(NodeContainer container, bool over) =>
        over
            ? await observer.ControlAsync(container.Id)
                is { State: ControlState.ShutDown or ControlState.ShuttingDown or ControlState.InProduction }
            : !await sql.QueryScalarAsync<bool>(container, "SELECT pg_is_in_recovery()");

    /// <summary>Post-condition: it is no standby and would not start as one, whatever somebody did with it since it was
    /// fenced.</summary>
    private async Task UnmarkAsync(NodeContainer container, bool over)
    {
        if (!over && await sql.QueryScalarAsync<bool>(container, "SELECT pg_is_in_recovery()"))
        {
            await life.EndAsync(container);
            over = true;
        }

        if (!over)
        {
            await docker.Of(container.Id).ChangeByAsync("0:0", limits.Docker, [], Unmark);
        }
        else if (await observer.IsMarkedStandbyAsync(container.Id))
        {
            await jobs.EnsureExclusiveVolumeAsync(container.Id);
            await jobs.RunToSuccessAsync(JobSpec.On(container, "unmark", "remove-standby-signal"));
        }
    }

    /// <summary>Its clients learn of the end only at the address that they came to; whatever the node answers, it is
    /// fenced.</summary>
    private async Task TryGiveBackAsync(NodeContainer container)
    {
        try
        {
            await clients.GiveBackAsync(container);
        }
        catch (PostgresException e)
        {
            ProgressReporter.Say($"{container.Id}: who was cut off is not known: {e.Message}");
        }
    }

    /// <summary>A node whose directory is set aside for a rewind has nothing that could be started.</summary>
    private async Task MarkAsStandbyAsync(NodeContainer container)
    {
        if (await docker.Of(container.Id).FileExistsAsync($"{Names.Data}/PG_VERSION"))
        {
            try
            {
                await docker.Of(container.Id).WriteFilesAsync(StandbySignal(container));
            }
            catch (DockerApiException e)
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
            docker.Of(container.Id).DisconnectAsync(container.Spec.ExternalNetwork),
            docker.Of(container.Id).DisconnectAsync(Names.InternalNetwork(container.Id.Cluster))
        );
}

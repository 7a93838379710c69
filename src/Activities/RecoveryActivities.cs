using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Options;

namespace PgFlow.Activities;

internal sealed class RecoveryActivities(
    DockerEngine docker,
    Inventory inventory,
    NodeLife life,
    JobRunner jobs,
    Sql sql,
    IOptions<ActivityHostOptions> options
) : IRecoveryActivities
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(5);

    /// <summary>The exit code of a PostgreSQL whose recovery can't go on.</summary>
    private const int GaveUp = 1;

    /// <summary>How long replay may stand still: a large segment on a slow disk takes its time.</summary>
    private TimeSpan Patience => 2 * options.Value.Patience;

    public async Task BeginRestoreAsync(NodeId node, ClusterName source, ResolvedTarget target)
    {
        await jobs.BeginAsync(await BeginAsync(node, source, target));
    }

    public async Task RestoreBackupAsync(NodeId node, ClusterName source, ResolvedTarget target)
    {
        await jobs.EnsureExclusiveVolumeAsync(node);
        // one that failed is repeated by the next, which says why
        await jobs.RunAsync(await BeginAsync(node, source, target));
        await Task.WhenAll(
            source == node.Cluster
                ? jobs.BeginAsync(await FromRepositoryAsync(node, source, target, "read-ahead") with { Beside = true })
                : Task.CompletedTask,
            jobs.RunToSuccessAsync(await FromRepositoryAsync(node, source, target, "restore-backup"))
        );
    }

    public async Task FetchWalAsync(NodeId node, ClusterName source, ResolvedTarget target)
    {
        await jobs.EnsureExclusiveVolumeAsync(node);
        await jobs.RunToSuccessAsync(await FromRepositoryAsync(node, source, target, "fetch-wal"));
    }

    public async Task<Replayed> ReplayWalAsync(NodeId node, ResolvedTarget target)
    {
        var raised = await RaisedAsync(node);
        while (true)
        {
            if (await inventory.NodeAsync(node) is { Docker.State.Running: false } stopped)
            {
                await life.RunAsync(stopped);
            }

            var (end, last) = await EndAsync(node, target);
            if (end is not null)
            {
                return end with { Raised = raised };
            }

            raised.AddRange(await RaiseAsync(node, last, target));
        }
    }

    private async Task<JobSpec> BeginAsync(NodeId node, ClusterName source, ResolvedTarget target) =>
        await FromRepositoryAsync(node, source, target, "begin-restore") with
        {
            Beside = true,
        };

    private async Task<JobSpec> FromRepositoryAsync(
        NodeId node,
        ClusterName source,
        ResolvedTarget target,
        string program
    )
    {
        var container = await inventory.NodeAsync(node);
        return new(container.Spec, program, program)
        {
            Parameters = [$"RUN={await FirstRun.ShortAsync()}", $"OWNED={string.Join(' ', SettingsFile.Owned)}"],
            Volumes =
            [
                $"{node.Container}:{Names.NodeVolume}",
                .. source == node.Cluster
                    ? [$"{Names.Repository(source)}:{Names.RepositoryVolume}:ro"]
                    : Array.Empty<string>(), // as the node itself sees it
                .. JobSpec.VolumesOfPast(await inventory.PartsAsync(source)),
            ],
            Files =
            [
                JobSpec.List("backups", target.Backups, container.Spec.Postgres),
                JobSpec.SegmentList(target.Segments(), container.Spec.Postgres),
            ],
        };
    }

    /// <returns>Where it stands at the target; nothing where it stopped before. And how far it got.</returns>
    private async Task<(Replayed? End, Lsn Last)> EndAsync(NodeId node, ResolvedTarget target)
    {
        var container = await inventory.NodeAsync(node);
        var (clock, still, last, first, startup) = (
            Stopwatch.StartNew(),
            Stopwatch.StartNew(),
            default(Lsn),
            default(Lsn),
            ""
        );
        for (var wait = Poll; ; await Task.Delay(wait, DockerEngine.ActivityToken))
        {
            var now = await PositionAsync(container);
            wait =
                now is not null ? Poll
                : clock.Elapsed < Early ? 5 * Poll
                : 25 * Poll; // each question that comes too early is a line in the log
            if (now is { Recovery: false })
            {
                throw Failure.Break($"{node} has left recovery by itself: it was promoted by somebody else");
            }

            if (now is { } at && at.Replayed >= target.ReplayEnd)
            {
                return (new(at.Replayed, at.LastCommit, []), at.Replayed);
            }

            if (now is { Paused: true } || (now is null && await HasGivenUpAsync(node)))
            {
                return (null, now?.Replayed ?? last);
            }

            var (reached, process) = (
                now?.Replayed ?? last,
                now is null && still.Elapsed > Early ? await docker.Of(node).ProcessAsync("startup") : startup
            );
            if (reached != last || process != startup)
            {
                (last, startup, first) = (reached, process, first == default ? reached : first);
                still.Restart();
            }

            Report(target, first, last);
            if (still.Elapsed > Patience)
            {
                throw Failure.Stick(
                    $"{node} has not replayed beyond {last} for {Patience.TotalSeconds:0} s (target "
                        + $"{target.End}): {await docker.Of(node).OfLogAsync(5)}"
                );
            }
        }
    }

    /// <summary>Whether PostgreSQL ended by itself.</summary>
    /// <exception cref="PgFlowException">It was stopped, as Docker's daemon does when
    /// it is restarted: another attempt starts it again.</exception>
    private async Task<bool> HasGivenUpAsync(NodeId node) =>
        (await inventory.NodeAsync(node)).State switch
        {
            { Running: true } => false,
            { ExitCode: GaveUp } => true,
            var stopped => throw Failure.Fail(
                $"{node} was stopped (exit code {stopped.ExitCode}) while it replayed; its log: "
                    + $"{await docker.Of(node).OfLogAsync(5)}"
            ),
        };

    private async Task<Position?> PositionAsync(NodeContainer node)
    {
        try
        {
            return await sql.QueryJsonAsync<Position>(
                node,
                """
                SELECT json_build_object('recovery', pg_is_in_recovery(),
                    'replayed', coalesce(pg_last_wal_replay_lsn(), '0/0'),
                    'paused', pg_is_wal_replay_paused(), 'lastCommit', pg_last_xact_replay_timestamp())::text
                """
            );
        }
        catch (Exception e) when (Sql.IsUnavailable(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return null; // not consistent yet, or not there
        }
    }

    /// <summary>What was raised when it was restored.</summary>
    private async Task<List<string>> RaisedAsync(NodeId node) =>
        await docker.Of(node).ReadFileAsync($"{Names.Data}/.copied-{await FirstRun.ShortAsync()}") is { } said
            ? [.. Encoding.UTF8.GetString(said).Split('\n', StringSplitOptions.RemoveEmptyEntries)]
            : [];

    /// <summary>Recovery refuses to go on with less than the WAL was written with; by then pg_control has how much that
    /// is.</summary>
    private async Task<List<string>> RaiseAsync(NodeId node, Lsn last, ResolvedTarget target)
    {
        var log = await docker.Of(node).OfLogAsync(8);
        await life.EndAsync(await inventory.NodeAsync(node));
        await jobs.EnsureExclusiveVolumeAsync(node);
        await jobs.RemoveOfActivityAsync(); // an earlier round's
        var raised = (
            await jobs.ResultAsync<RaisedSettings>(
                JobSpec.On(await inventory.NodeAsync(node), "raise", "raise-settings")
            )
        ).Raised;
        return raised.Count > 0
            ? [.. raised]
            : throw Failure.Stick($"{node} stopped replaying at {last}, before {target.End}: {log}");
    }

    private static void Report(ResolvedTarget target, Lsn first, Lsn last)
    {
        if (last == default)
        {
            ProgressReporter.Say("starts; not consistent yet");
        }
        else
        {
            ProgressReporter.Report(
                $"replays up to {target.End}",
                last.BytesSince(first),
                target.End.BytesSince(first)
            );
        }
    }

    private sealed record Position(bool Recovery, Lsn Replayed, bool Paused, DateTimeOffset? LastCommit);
}

/// <summary>The result of raise-settings.</summary>
/// <param name="Raised">Each as <c>setting = value</c>.</param>
internal sealed record RaisedSettings(IReadOnlyList<string> Raised);

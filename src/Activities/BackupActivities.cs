using System.Globalization;
using System.Text.Json;
using Temporalio.Activities;

namespace PgFlow.Activities;

internal sealed class BackupActivities(
    Inventory inventory,
    NodeLife life,
    JobRunner jobs,
    Sql sql,
    Secrets secrets,
    Roles roles,
    RepositoryActivities repository
) : IBackupActivities
{
    /// <summary>How verify-backup ends where the backup could not be recovered and checked.</summary>
    private const int NotRecovered = 12;

    private static readonly JsonSerializerOptions Json = new(PgFlowJson.Options) { WriteIndented = true };

    /// <summary>Who stages: the workflow, in all its runs.</summary>
    private static string By => ActivityExecutionContext.Current.Info.WorkflowId!;

    public async Task<BackupParent> ChooseBackupParentAsync(NodeId source)
    {
        var node = await life.RunningAsync(source);
        if (node.Spec.Postgres.Major < SettingsFile.FirstWithIncremental)
        {
            return new(
                Id: null,
                $"PostgreSQL {node.Spec.Postgres.Major} has no incremental backups; "
                    + $"{SettingsFile.FirstWithIncremental} has"
            );
        }

        var (system, timeline, _) = await sql.IdentifyAsync(node);
        var parent = (await repository.ContentsAsync(source.Cluster)).Backups.LastOrDefault(backup =>
            backup.SystemIdentifier == system && backup.WalRanges.All(range => range.Timeline == timeline)
        );
        if (parent is null)
        {
            // one on an earlier timeline could leave stale blocks
            return new(Id: null, $"there is no backup on timeline {timeline} yet");
        }

        // A summary ends at a checkpoint, and one is made before the copy: from where the summarizer stands on, all
        // will be told.
        var summaries = await sql.QueryJsonAsync<IReadOnlyList<WalRange>>(
            node,
            """
            SELECT coalesce(json_agg(json_build_object(
                'timeline', tli, 'start', start_lsn, 'end', end_lsn)), '[]')::text FROM (
                SELECT tli, start_lsn, end_lsn FROM pg_available_wal_summaries()
                UNION ALL SELECT summarized_tli, summarized_lsn, 'FFFFFFFF/FFFFFFFF' FROM pg_get_wal_summarizer_state()
                    WHERE summarized_lsn > '0/0' AND NOT EXISTS (
                        SELECT FROM pg_stat_activity
                        WHERE backend_type = 'walsummarizer' AND wait_event = 'WalSummarizerError')) AS known
            """
        );
        return WalSummaries.Cover(summaries, timeline, parent.WalRanges[0].Start)
            ? new(parent.Id)
            : new(Id: null, $"{source} has no WAL summaries of all that was written since {parent.Id} began");
    }

    public async Task<Backup> CopyToRepositoryAsync(BackupOrder order)
    {
        var (source, primary) = (await life.RunningAsync(order.Source), await life.RunningAsync(order.Primary));
        await using (var session = await sql.OpenAsync(primary))
        {
            await roles.EnsureAsync(primary, session); // the copy logs in as one of them
        }

        var copying = jobs.RunAsync(
            OnRepository(source, "backup", "backup") with
            {
                Parameters = [$"ID={order.Id}", $"BY={By}", $"ADDRESS={source.Address}", $"PARENT={order.Parent}"],
                Network = Names.InternalNetwork(source.Id.Cluster),
                Files =
                [
                    ContainerFile.Private(
                        $"{Names.Job}/pgpass",
                        secrets.FileFor(source.Id.Cluster, "replicator"),
                        source.Spec.Postgres
                    ),
                ],
            }
        );
        if (source.Spec.Archive is ArchiveMode.Local && order.Source != order.Primary)
        {
            await EndSegmentForAsync(source, primary, copying);
        }

        if (await copying is { ExitCode: not 0 } failed)
        {
            var failure = failed.FailureOf($"the copy of {order.Source}");
            // final where another node is fit
            throw order.OrPrimary && failure.Type is FailureTypes.Failed ? Failure.Stick(failure.Message) : failure;
        }

        var staged = await jobs.ResultOfAsync<StagedBackup>(await copying);
        WalRange[] ranges = [.. staged.Ranges.Select(RangeOf)];
        return ranges is [var range]
            ? new()
            {
                Id = order.Id,
                StartedAt = JobSpec.TimeOf(staged.Began),
                StoppedAt = JobSpec.TimeOf(staged.Ended, whole: TimeSpan.FromSeconds(1)),
                Node = order.Source.Name,
                WalRanges = ranges,
                Bytes = 1024 * staged.Kilobytes,
                Parent = order.Parent,
                SystemIdentifier = staged.SystemIdentifier,
                Major = source.Spec.Postgres.Major,
                Annotation = order.Annotation,
            }
            : throw Failure.Break(
                $"{order.Source} changed its timeline under the backup "
                    + $"({string.Join(", ", ranges.Select(range => range.Timeline))}); take another"
            );
    }

    public async Task ProveBackupAsync(NodeId primary, Backup backup)
    {
        var node = await life.RunningAsync(primary);
        if (await sql.WrittenTimelineAsync(node) is var timeline && timeline != backup.Timeline)
        {
            throw Failure.Break($"{primary} is on timeline {timeline}, the backup on {backup.Timeline}; take another");
        }

        var segmentSize = await sql.QueryScalarAsync<long>(
            node,
            "SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'"
        );
        var others = node.Spec.Archive is ArchiveMode.Local ? await inventory.NodesAsync(primary.Cluster) : [];
        var job = OnRepository(node, "prove-backup", "prove-backup", writes: false);
        await jobs.RunToSuccessAsync(
            job with
            {
                Parameters = [$"ID={backup.Id}"],
                Volumes =
                [
                    .. job.Volumes,
                    .. others.Select(other => $"{other.Id.Container}:{Names.NodeVolumes}/{other.Id.Name}:ro"),
                ],
                Files = [JobSpec.SegmentList(WalSegments.Names(backup.WalRanges, segmentSize), node.Spec.Postgres)],
            }
        );
    }

    public async Task PublishBackupAsync(ClusterName cluster, Backup backup)
    {
        var node = await inventory.NodeAsync(new(cluster, backup.Node));
        await jobs.RunToSuccessAsync(
            OnRepository(node, "publish-backup", "publish-backup") with
            {
                Parameters = [$"ID={backup.Id}", $"BY={By}"],
                Files =
                [
                    ContainerFile.Private(
                        $"{Names.Job}/backup.json",
                        JsonSerializer.Serialize(backup, Json),
                        node.Spec.Postgres
                    ),
                ],
            }
        );
    }

    public async Task DiscardBackupAsync(ClusterName cluster)
    {
        if (await inventory.NodesAsync(cluster) is [var node, ..])
        {
            await jobs.RemoveOfRunAsync(ActivityExecutionContext.Current.Info.WorkflowRunId!);
            await jobs.RunToSuccessAsync(
                OnRepository(node, "discard-backup", "discard-backup") with
                {
                    Parameters = [$"BY={By}"],
                }
            );
        }
    }

    public async Task<Verification> VerifyRecoveryAsync(ClusterName cluster, ResolvedTarget target)
    {
        var nodes = await inventory.NodesAsync(cluster);
        var (node, id) = (nodes[0], target.Backups[^1]);
        var end = await jobs.RunAsync(
            new(node.Spec, "verify-backup", "verify-backup")
            {
                Parameters =
                [
                    $"TIMELINE={target.Timeline}",
                    $"BEFORE={(target.EndOfBranch ? "" : target.End)}",
                    $"REPLAY_END={target.ReplayEnd}",
                ],
                Volumes = JobSpec.VolumesOfPast(await inventory.PartsAsync(cluster)),
                Files =
                [
                    JobSpec.List("backups", target.Backups, node.Spec.Postgres),
                    JobSpec.SegmentList(target.Segments(), node.Spec.Postgres),
                ],
            }
        );
        var taken = end.ExitCode switch
        {
            0 => await jobs.ResultOfAsync<BackupCheck>(end),
            NotRecovered => throw await FailureOfAsync(id, target, end),
            _ => throw end.FailureOf("verify-backup"),
        };
        var at = DateTimeOffset.FromUnixTimeSeconds(taken.At);
        var proof = new Verification(
            taken.RestoreSeconds,
            taken.ReplaySeconds,
            taken.CheckSeconds,
            1024 * taken.Kilobytes,
            at
        );
        await jobs.RunToSuccessAsync(
            OnRepository(node, "mark-verified", "mark-verified") with
            {
                Parameters = [$"ID={id}"],
                Files =
                [
                    ContainerFile.Private(
                        $"{Names.Job}/verified.json",
                        JsonSerializer.Serialize(new BackupVerified(id, proof.At), Json),
                        node.Spec.Postgres
                    ),
                ],
            }
        );
        return proof;
    }

    public async Task RemoveBackupsAsync(ClusterName cluster, ExpirationSet expired)
    {
        var nodes = await inventory.NodesAsync(cluster);
        var job = OnRepository(nodes[0], "remove-backups", "remove-backups");
        await jobs.RunToSuccessAsync(
            job with
            {
                Volumes =
                [
                    .. job.Volumes,
                    .. nodes
                        .Where(node => node.Spec.Archive is ArchiveMode.Local)
                        .Select(node => $"{node.Id.Container}:{Names.NodeVolumes}/{node.Id.Name}"),
                ],
                Files =
                [
                    JobSpec.List("backups", expired.Backups, nodes[0].Spec.Postgres),
                    JobSpec.SegmentList(expired.Segments(), nodes[0].Spec.Postgres),
                ],
            }
        );
    }

    /// <summary>With <c>archive_mode = always</c> a standby ends a backup only when its last segment is archived, and
    /// only the primary can end that segment.</summary>
    private async Task EndSegmentForAsync(NodeContainer standby, NodeContainer primary, Task copying)
    {
        while (await Task.WhenAny(copying, Task.Delay(TimeSpan.FromSeconds(1), DockerEngine.ActivityToken)) != copying)
        {
            if (
                await sql.QueryScalarAsync<bool>(
                    standby,
                    "SELECT EXISTS (SELECT FROM pg_stat_progress_basebackup WHERE phase LIKE 'waiting for wal%')"
                )
            )
            {
                await sql.WriteMarkerAsync(primary);
                await sql.ChangeAsync<string>(primary, "SELECT pg_switch_wal()::text");
                return;
            }
        }
    }

    private async Task<PgFlowException> FailureOfAsync(string backup, ResolvedTarget target, JobEnd end)
    {
        var problem = await jobs.ResultOfAsync<BackupProblem>(end);
        var (isDamage, meaning) = problem.Judge(target.ReplayEnd);
        var why = (end with { Output = $"{meaning}: {problem.Said}" }).Tail;
        return isDamage
            ? Failure.Break($"{backup} is damaged: {why}")
            : Failure.Stick($"{backup} could not be checked, which says nothing about it: {why}");
    }

    private static WalRange RangeOf(string fact) =>
        fact.Split(' ') is [var timeline, var start, var end]
            ? new(new(uint.Parse(timeline, CultureInfo.InvariantCulture)), Lsn.Parse(start), Lsn.Parse(end))
            : throw new FormatException($"'{fact}' is no WAL range");

    private static JobSpec OnRepository(NodeContainer node, string name, string program, bool writes = true) =>
        new(node.Spec, name, program)
        {
            Volumes = [$"{Names.Repository(node.Id.Cluster)}:{Names.RepositoryVolume}{(writes ? "" : ":ro")}"],
        };
}

/// <summary>The result of backup.</summary>
/// <param name="Began">By the host's clock.</param>
/// <param name="Ended">By the same.</param>
/// <param name="Kilobytes">How large it is.</param>
/// <param name="SystemIdentifier">Of which cluster.</param>
/// <param name="Ranges">The WAL that it needs, as <c>TIMELINE START END</c>.</param>
internal sealed record StagedBackup(
    string Began,
    string Ended,
    long Kilobytes,
    string SystemIdentifier,
    IReadOnlyList<string> Ranges
);

/// <summary>The result of verify-backup for a sound backup.</summary>
/// <param name="RestoreSeconds">What it took to put it together.</param>
/// <param name="ReplaySeconds">What the replay took.</param>
/// <param name="CheckSeconds">What the checks took.</param>
/// <param name="Kilobytes">How large the recovered directory is.</param>
/// <param name="At">The end, in seconds since 1970.</param>
internal sealed record BackupCheck(int RestoreSeconds, int ReplaySeconds, int CheckSeconds, long Kilobytes, long At);

/// <summary>The result of verify-backup for a backup that could not be recovered and checked.</summary>
/// <param name="Stage">What failed.</param>
/// <param name="Reason">Why, in a word: an SQLSTATE, or how a program ended.</param>
/// <param name="Said">The end of what was said.</param>
internal sealed record BackupProblem(string Stage, string Reason, string Said)
{
    /// <summary>Whether it is evidence of damage, or of nothing; and what it means.</summary>
    /// <remarks>SQLSTATE 53…: insufficient resources; XX0…: data that can't be. pg_amcheck ends with 2 where it has
    /// found something.</remarks>
    public (bool IsDamage, string Meaning) Judge(Lsn end) =>
        (Stage, Reason) switch
        {
            ("recovery", ['5', '3', ..]) => (false, $"the recovery ended before {end}, for want of resources"),
            ("recovery", _) => (true, $"the recovery ended before {end}"),
            ("standstill", _) => (false, $"the recovery stands before {end} ({Reason})"),
            ("promotion", "ended") => (true, "the recovered server ended when it was promoted"),
            ("promotion", _) => (false, "the recovered server can not be promoted"),
            ("database", _) => (false, $"database {Reason} can not be opened"),
            ("amcheck", "2") => (true, "what was recovered is damaged (pg_amcheck)"),
            ("amcheck", _) => (false, "pg_amcheck could not be run"),
            ("dumpall", ['X', 'X', '0', ..]) => (true, "what was recovered is damaged (pg_dumpall)"),
            ("dumpall", _) => (false, "pg_dumpall could not be run"),
            ("check", "ended") => (true, "the recovered server ended while it was checked"),
            _ => (false, $"{Stage}: {Reason}"),
        };
}

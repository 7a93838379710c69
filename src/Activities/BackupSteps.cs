using System.Globalization;
using System.Text.Json;
using PgFlow.Workflows;
using Temporalio.Activities;

namespace PgFlow.Activities;

internal sealed class BackupSteps(Inventory inventory, NodeSteps nodeSteps, Jobs jobs, Sql sql, Secrets secrets, Roles roles, CatalogueSteps catalogues) : IBackupSteps
{
    /// <summary>How verify-backup ends where it has evidence of damage.</summary>
    private const int Damaged = 10;

    /// <summary>How it ends where it could not find that out.</summary>
    private const int Unchecked = 11;

    private static readonly JsonSerializerOptions Json = new(PgFlowJson.Options) { WriteIndented = true };

    /// <summary>Who stages: the workflow, in all its runs.</summary>
    private static string By => ActivityExecutionContext.Current.Info.WorkflowId!;

    public async Task<BackupParent> ChooseParentAsync(NodeId source)
    {
        var node = await nodeSteps.RunningAsync(source);
        if (node.Spec.Postgres.Major < SettingsFile.FirstWithIncremental)
        {
            return new(Id: null, $"PostgreSQL {node.Spec.Postgres.Major} has no incremental backups; {SettingsFile.FirstWithIncremental} has");
        }

        var (system, timeline, _) = await sql.IdentifyAsync(node);
        var parent = (await catalogues.CatalogueAsync(source.Cluster)).Backups
            .LastOrDefault(backup => backup.SystemIdentifier == system && backup.WalRanges.All(range => range.Timeline == timeline));
        if (parent is null)
        {
            return new(Id: null, $"there is no backup on timeline {timeline} yet"); // one on an earlier timeline could leave stale blocks: pitr.md, pitfall 48
        }

        // A summary ends at a checkpoint, and one is made before the copy: from where the summarizer stands on, all will be told.
        var summaries = await sql.AskJsonAsync<IReadOnlyList<WalRange>>(node, """
            SELECT coalesce(json_agg(json_build_object('timeline', tli, 'start', start_lsn, 'end', end_lsn)), '[]')::text FROM (
                SELECT tli, start_lsn, end_lsn FROM pg_available_wal_summaries()
                UNION ALL SELECT summarized_tli, summarized_lsn, 'FFFFFFFF/FFFFFFFF' FROM pg_get_wal_summarizer_state()
                    WHERE summarized_lsn > '0/0' AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'walsummarizer' AND wait_event = 'WalSummarizerError')) AS known
            """);
        return WalSummaries.Cover(summaries, timeline, parent.WalRanges[0].Start)
            ? new(parent.Id)
            : new(Id: null, $"{source} has no WAL summaries of all that was written since {parent.Id} began");
    }

    public async Task<Backup> CopyAsync(BackupOrder order)
    {
        await Permit.RequireBesideAsync(order.Source.Cluster);
        var (source, primary) = (await nodeSteps.RunningAsync(order.Source), await nodeSteps.RunningAsync(order.Primary));
        await using (var session = await sql.OpenAsync(primary))
        {
            await roles.EnsureAsync(primary, session); // the copy logs in as one of them
        }

        var copying = jobs.RunAsync(OnRepository(source, "backup", Embedded.Read("backup")) with
        {
            Parameters = [$"ID={order.Id}", $"BY={By}", $"SOURCE={source.Address}", $"PARENT={order.Parent}"],
            Network = Names.InternalNetwork(source.Id.Cluster),
            Files = [ContainerFile.Private("/job/pgpass", secrets.FileFor(source.Id.Cluster, "replicator"), source.Spec.Postgres)],
        });
        if (source.Spec.Archive is ArchiveMode.Local && order.Source != order.Primary)
        {
            await EndSegmentForAsync(source, primary, copying);
        }

        if (await copying is { ExitCode: not 0 } failed)
        {
            var failure = failed.FailureOf($"the copy of {order.Source}");
            throw order.OrPrimary && failure.ErrorType is Ends.Failed ? Ends.Stick(failure.Message) : failure; // final where another node is fit
        }

        var facts = Job.Facts((await copying).Output);
        WalRange[] ranges = [.. facts["range"].Select(RangeOf)];
        return ranges is [var range]
            ? new()
            {
                Id = order.Id,
                StartedAt = Job.TimeOf(facts["began"].Single()),
                StoppedAt = Job.TimeOf(facts["ended"].Single(), whole: TimeSpan.FromSeconds(1)),
                Node = order.Source.Name,
                WalRanges = ranges,
                Bytes = 1024 * long.Parse(facts["kilobytes"].Single(), CultureInfo.InvariantCulture),
                Parent = order.Parent,
                SystemIdentifier = facts["system"].Single(),
                Major = source.Spec.Postgres.Major,
                Annotation = order.Annotation,
            }
            : throw Ends.Break($"{order.Source} changed its timeline under the backup ({string.Join(", ", ranges.Select(range => range.Timeline))}); take another");
    }

    public async Task ProveAsync(NodeId primary, Backup backup)
    {
        await Permit.RequireBesideAsync(primary.Cluster);
        var node = await nodeSteps.RunningAsync(primary);
        if (await sql.WrittenTimelineAsync(node) is var timeline && timeline != backup.Timeline)
        {
            throw Ends.Break($"{primary} is on timeline {timeline}, the backup on {backup.Timeline}; take another");
        }

        var segmentSize = await sql.AskAsync<long>(node, "SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'");
        var others = node.Spec.Archive is ArchiveMode.Local ? await inventory.NodesAsync(primary.Cluster) : [];
        string[] archives = node.Spec.Archive is ArchiveMode.Local
            ? [.. others.Select(other => $"/nodes/{other.Id}/archive")]
            : [$"{Names.RepositoryVolume}/wal"];
        var job = OnRepository(node, "prove-backup", Embedded.Read("prove-backup"), writes: false);
        await jobs.SucceedAsync(job with
        {
            Parameters = [$"ID={backup.Id}", $"ARCHIVES={string.Join(' ', archives)}"],
            Volumes = [.. job.Volumes, .. others.Select(other => $"{other.Id.Container}:/nodes/{other.Id}:ro")],
            Files = [Job.SegmentList(WalSegments.Names(backup.WalRanges, segmentSize), node.Spec.Postgres)],
        });
    }

    public async Task PublishAsync(ClusterName cluster, Backup backup)
    {
        await Permit.RequireBesideAsync(cluster);
        var node = await inventory.NodeAsync(new(cluster, backup.Node));
        await jobs.SucceedAsync(OnRepository(node, "publish-backup", Embedded.Read("publish-backup")) with
        {
            Parameters = [$"ID={backup.Id}", $"BY={By}"],
            Files = [ContainerFile.Private("/job/backup.json", JsonSerializer.Serialize(backup, Json), node.Spec.Postgres)],
        });
    }

    public async Task DiscardAsync(ClusterName cluster)
    {
        await Permit.RequireBesideAsync(cluster);
        if (await inventory.NodesAsync(cluster) is [var node, ..])
        {
            await jobs.RemoveOfRunAsync(ActivityExecutionContext.Current.Info.WorkflowRunId!);
            await jobs.SucceedAsync(OnRepository(node, "discard-backup", Embedded.Read("discard-backup")) with { Parameters = [$"BY={By}"] });
        }
    }

    public async Task<Verification> VerifyAsync(ClusterName cluster, ResolvedTarget target)
    {
        await Permit.RequireBesideAsync(cluster);
        var nodes = await inventory.NodesAsync(cluster);
        var (node, id) = (nodes[0], target.Backups[^1]);
        var end = await jobs.RunAsync(new(node.Spec, "verify-backup", $"""
            {Embedded.Read("locate-wal")}
            {Embedded.Read("fetch-wal")}
            {Embedded.Read("unpack")}
            {Embedded.Read("verify-backup")}
            """)
        {
            Parameters =
            [
                $"BACKUPS={string.Join(' ', target.Backups)}", $"TIMELINE={target.Timeline}", $"BEFORE={(target.EndOfBranch ? "" : target.End)}", $"REPLAY_END={target.ReplayEnd}",
            ],
            Volumes = Job.VolumesOfPast(await inventory.PartsAsync(cluster)),
            Files = [Job.SegmentList(target.Segments(), node.Spec.Postgres)],
        });
        var facts = Job.Facts(end.ExitCode switch
        {
            0 => end.Output,
            Damaged => throw Ends.Break($"{id} is damaged: {WhyNot(end)}"),
            Unchecked => throw Ends.Stick($"{id} could not be checked, which says nothing about it: {WhyNot(end)}"),
            _ => throw end.FailureOf("verify-backup"),
        });
        int Fact(string name) => int.Parse(facts[name].Last(), CultureInfo.InvariantCulture);
        var proof = new Verification(Fact("restore"), Fact("replay"), Fact("check"), 1024 * long.Parse(facts["kilobytes"].Last(), CultureInfo.InvariantCulture), DateTimeOffset.FromUnixTimeSeconds(Fact("at")));
        await Permit.RequireBesideAsync(cluster);
        await jobs.SucceedAsync(OnRepository(node, "mark-verified", Embedded.Read("mark-verified")) with
        {
            Parameters = [$"ID={id}"],
            Files = [ContainerFile.Private("/job/verified.json", JsonSerializer.Serialize(new BackupVerified(id, proof.At), Json), node.Spec.Postgres)],
        });
        return proof;
    }

    public async Task RemoveAsync(ClusterName cluster, Unneeded unneeded)
    {
        await Permit.RequireBesideAsync(cluster);
        var nodes = await inventory.NodesAsync(cluster);
        var job = OnRepository(nodes[0], "remove-backups", Embedded.Read("remove-backups"));
        await jobs.SucceedAsync(job with
        {
            Parameters = [$"BACKUPS={string.Join(' ', unneeded.Backups)}"],
            Volumes = [.. job.Volumes, .. nodes.Where(node => node.Spec.Archive is ArchiveMode.Local).Select(node => $"{node.Id.Container}:/nodes/{node.Id.Name}")],
            Files = [Job.SegmentList(unneeded.Segments(), nodes[0].Spec.Postgres)],
        });
    }

    /// <summary>With <c>archive_mode = always</c> a standby ends a backup only when its last segment is archived, and only the primary can end that segment.</summary>
    private async Task EndSegmentForAsync(NodeContainer standby, NodeContainer primary, Task copying)
    {
        while (await Task.WhenAny(copying, Task.Delay(TimeSpan.FromSeconds(1), DockerEngine.ActivityToken)) != copying)
        {
            if (await sql.AskAsync<bool>(standby, "SELECT EXISTS (SELECT FROM pg_stat_progress_basebackup WHERE phase LIKE 'waiting for wal%')"))
            {
                await Permit.RequireBesideAsync(primary.Id.Cluster);
                await sql.MarkAsync(primary);
                await sql.AskAsync<string>(primary, "SELECT pg_switch_wal()::text");
                return;
            }
        }
    }

    /// <summary>What verify-backup says in the end, without how it got there.</summary>
    private static string WhyNot(JobEnd end) => (end with { Output = end.Output.Split("WHY\n", 2)[^1].Trim() }).Tail;

    private static WalRange RangeOf(string fact) => fact.Split(' ') is [var timeline, var start, var end]
        ? new(new(uint.Parse(timeline, CultureInfo.InvariantCulture)), Lsn.Parse(start), Lsn.Parse(end))
        : throw new FormatException($"'{fact}' is no WAL range");

    private static Job OnRepository(NodeContainer node, string name, string script, bool writes = true) => new(node.Spec, name, script)
    {
        Volumes = [$"{Names.Repository(node.Id.Cluster)}:{Names.RepositoryVolume}{(writes ? "" : ":ro")}"],
    };
}

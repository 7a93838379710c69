using System.Diagnostics;
using System.Globalization;
using System.Text;
using Docker.DotNet;

namespace PgFlow.Activities;

internal sealed class ArchiveActivities(
    DockerEngine docker,
    Inventory inventory,
    NodeLife life,
    JobRunner jobs,
    Sql sql,
    NodeWal wal,
    TimeLimits limits
) : IArchiveActivities
{
    public async Task<int> SalvageWalAsync(NodeId node)
    {
        await jobs.EnsureExclusiveVolumeAsync(node);
        var container = await inventory.NodeAsync(node);
        var left = await jobs.ResultAsync<UnarchivedWal>(JobSpec.On(container, "list-wal", "list-wal"));
        if (left.Ready.Count == 0 && left.Tail is null)
        {
            return 0;
        }

        await jobs.RunToSuccessAsync(
            JobSpec.On(container, "salvage", "salvage") with
            {
                Parameters = [$"OWNER={node}", $"TAIL={left.Tail}"],
                Files = [JobSpec.List("ready", left.Ready, container.Spec.Postgres)],
            }
        );
        return left.Ready.Count;
    }

    public async Task KeepArchiveAsync(NodeId node)
    {
        var parts = await inventory.PartsAsync(node.Cluster);
        var container = await inventory.NodeAsync(node);
        if (container.Spec.Archive is not ArchiveMode.Local)
        {
            return;
        }

        await jobs.EnsureExclusiveVolumeAsync(node);
        var job = JobSpec.On(container, "keep-archive", "keep-archive");
        await jobs.RunToSuccessAsync(
            job with
            {
                Parameters = [$"OWNER={node}"],
                Volumes =
                [
                    .. job.Volumes,
                    .. parts
                        .WithVolume.Where(other => other != node)
                        .Select(other => $"{other.Container}:{Names.NodeVolumes}/{other.Name}:ro"),
                ],
            }
        );
    }

    public async Task PublishTimelineHistoryAsync(NodeId primary) =>
        await ExecuteAsync(primary, limits.Archive, "publish-histories");

    public async Task<int> CompleteArchiveAsync(NodeId primary)
    {
        var timeline = await sql.WrittenTimelineAsync(await life.RunningAsync(primary));
        var archived = await ExecuteAsync(
            primary,
            limits.ArchiveAll,
            "archive-missing-segments",
            $"TIMELINE={timeline.Number:X8}"
        );
        return int.Parse(archived, CultureInfo.InvariantCulture);
    }

    public async Task ProveArchivingAsync(NodeId primary)
    {
        var node = await life.StillPrimaryAsync(primary);
        // The mark's segment: one that somebody else has ended meanwhile is not ended again.
        var marked = new Lsn((await sql.WriteMarkerAsync(node)).Value - 1);
        var segment = await sql.ChangeAsync<string>(
            node,
            "SELECT pg_walfile_name($1::text::pg_lsn) FROM pg_switch_wal()",
            marked.ToString()
        );
        for (
            var clock = Stopwatch.StartNew();
            ;
            await Task.Delay(TimeSpan.FromMilliseconds(50), DockerEngine.ActivityToken)
        )
        {
            var archived = await sql.QueryScalarAsync<string>(
                node,
                "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"
            );
            if (string.CompareOrdinal(archived, segment) >= 0)
            {
                return;
            }

            ProgressReporter.Say($"waits until {segment} is in the archive; now {archived}");
            if (clock.Elapsed > limits.Archive)
            {
                throw Failure.Stick(
                    $"{segment} of {primary} is not in the archive after {limits.Archive.TotalSeconds:0} s: "
                        + $"{await WhyNotAsync(node, segment)}"
                );
            }
        }
    }

    /// <summary>What the program says that archives: the server's log has it behind whatever else was logged
    /// since.</summary>
    /// <remarks>It hangs where the repository does.</remarks>
    private Task<string> WhyNotAsync(NodeContainer node, string segment) =>
        Evidence.OfAsync(
            "its archive program's word",
            async () =>
            {
                string[] archive = [SettingsFile.ArchiveProgram, $"{Names.Data}/pg_wal/{segment}", segment];
                var user = $"{node.Spec.Postgres.Uid}:{node.Spec.Postgres.Gid}";
                await Permit.RequireAsync(); // it may archive the segment after all
                var end = await docker.Of(node.Id).TryExecuteAsync(user, Evidence.Limit, [], archive);
                return end.ExitCode == 0 ? await docker.Of(node.Id).LogAsync(5) : (end.Output + end.Complaint).Trim();
            }
        );

    public async Task<Loss> MeasureLossAsync(NodeId old, Promotion promotion)
    {
        try
        {
            var data = await docker.Of(old).FileExistsAsync($"{Names.Data}/global/pg_control")
                ? Names.Data
                : $"{Names.Data}.rewind";
            var control = await wal.ControlAsync(old, data);
            var lineage = await LineageAsync(old, data, promotion.Parent);
            if (!lineage.Contains(control.Timeline))
            {
                return new(
                    null,
                    null,
                    $"{old} was on timeline {control.Timeline}, which does not lead to timeline {promotion.Parent}"
                );
            }

            // From its last checkpoint, where that is before: then its WAL must lead to the fork, or ends before it.
            var (fork, commits) = (promotion.SwitchedAt, 0);
            var end = await wal.ReadAsync(
                old,
                data,
                control.SegmentSize,
                lineage,
                control.Checkpoint < fork ? control.Checkpoint : fork,
                (in WalRecord record) =>
                {
                    commits += record.End > fork && record.Transaction(promotion.Parent) is { Committed: true } ? 1 : 0;
                    return true;
                }
            );
            var bytes = end.End.BytesSince(fork);
            return end.IsDamaged || end.End < fork // it had flushed all that it sent
                ? new(
                    null,
                    null,
                    $"its WAL can be read up to {end.End}, {PgFlowText.Bytes(bytes)} with "
                        + $"{PgFlowText.Count(commits, "commit")} behind {fork}; then {end.Why}"
                )
                : new(bytes, commits);
        }
        catch (Exception e)
            when (e is InvalidDataException or IOException or TimeoutException or DockerApiException
                && !DockerEngine.ActivityToken.IsCancellationRequested
            )
        {
            return new(null, null, e.Message);
        }
    }

    private async Task<TimelineHistory> LineageAsync(NodeId node, string data, Timeline timeline) =>
        TimelineHistory.Parse(
            timeline,
            await docker.Of(node).ReadFileAsync($"{data}/pg_wal/{timeline.HistoryFile}") is { } history
                ? Encoding.UTF8.GetString(history)
                : null
        );

    private async Task<string> ExecuteAsync(NodeId primary, TimeSpan limit, string program, params string[] parameters)
    {
        var node = await life.RunningAsync(primary);
        string[] environment = [.. Names.Environment, $"ARCHIVE={Names.ArchiveOf(node.Spec)}", .. parameters];
        var user = $"{node.Spec.Postgres.Uid}:{node.Spec.Postgres.Gid}";
        return await docker
            .Of(primary)
            .ChangeByAsync(user, limit, environment, ["/bin/sh", "-c", Embedded.Read(program)]);
    }
}

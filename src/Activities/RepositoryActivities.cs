using System.Globalization;
using System.Text.Json;

namespace PgFlow.Activities;

internal sealed class RepositoryActivities(Inventory inventory, JobRunner jobs, ClusterMetrics metrics)
    : IRepositoryActivities
{
    /// <summary>As initdb makes clusters.</summary>
    public const long DefaultSegmentSize = 16 * 1024 * 1024;

    /// <summary>The contents, for other activities.</summary>
    public Task<RepositoryContents> ContentsAsync(ClusterName cluster) =>
        ReadAsync(cluster, (contents, _) => Task.FromResult(contents));

    public Task<TimelineTree> ReadTimelinesAsync(ClusterName cluster) =>
        ReadAsync(cluster, (contents, _) => Task.FromResult(TimelineTree.From(contents).Newest()));

    public Task<Retention> FindExpiredAsync(ClusterName cluster, RetentionPolicy policy, ExpectedBackup? expected) =>
        ReadAsync(cluster, (contents, _) => Task.FromResult(Retention.Of(contents, policy, expected)));

    public Task<ArchiveState> InspectArchiveAsync(ClusterName cluster) =>
        ReadAsync(cluster, (contents, _) => Task.FromResult(ArchiveState.Of(contents)));

    public Task<ResolvedTarget> ResolveTargetAsync(ClusterName cluster, RecoveryTarget target) =>
        ReadAsync(cluster, (contents, wal) => Resolver.ResolveAsync(contents, target, wal));

    public Task<Unrecorded> FindUnrecordedAsync(ClusterName cluster) => ReadAsync(cluster, LedgerRebuilder.OfAsync);

    private async Task<T> ReadAsync<T>(ClusterName cluster, Func<RepositoryContents, IWalReader, Task<T>> answer)
    {
        var parts = await inventory.PartsAsync(cluster);
        if (parts.Spec is not { } spec)
        {
            throw Failure.Refuse($"there is no cluster {cluster}");
        }

        try
        {
            var place = new JobSpec(spec, "read-repository", "wait")
            {
                Volumes = [$"{Names.Repository(cluster)}:{Names.RepositoryVolume}", .. JobSpec.VolumesOfPast(parts)],
                OnlyIndexes = true,
            };
            var job = await jobs.OpenAsync(place, ["read-repository", .. JobWalFiles.Programs]);
            var contents = Parse(cluster, await job.RunAsync("read-repository"));
            metrics.Read(contents);
            var wal = new WalReader(new JobWalFiles(job), contents);
            var found = await answer(contents, wal);
            await wal.RememberAsync();
            return found;
        }
        finally
        {
            await jobs.RemoveOfActivityAsync();
        }
    }

    /// <summary>Reads what the program <c>read-repository</c> says.</summary>
    internal static RepositoryContents Parse(ClusterName cluster, string output)
    {
        var facts = JobSpec.Facts(output, ' ');
        var control = WholeOf(facts["control"].Select(Convert.FromHexString));
        var segmentSize = control?.SegmentSize ?? DefaultSegmentSize;
        var segments = RunsOf(SegmentsOf(facts, segmentSize), segmentSize);
        var openings = facts["opened"].Select(Json<TimelineOpened>).ToLookup(opening => opening.Timeline);
        var histories = facts["history"].ToLookup(line => TimelineOf(line), line => line[9..]);
        var verified = facts["verified"]
            .Select(Json<BackupVerified>)
            .ToDictionary(check => check.Id, check => check.VerifiedAt);
        return new()
        {
            Cluster = cluster,
            Branches =
            [
                .. facts["timeline"]
                    .Select(TimelineOf)
                    .Concat(openings.Select(opening => opening.Key))
                    .Concat(segments.Select(run => run.Timeline))
                    .Append(new(1))
                    .Distinct()
                    .Order()
                    .Select(timeline => new Branch(
                        timeline,
                        TimelineHistory.Parse(timeline, string.Join('\n', histories[timeline])),
                        openings[timeline].OrderBy(opening => opening.Node is null).FirstOrDefault()
                    )), // what was read from the WAL knows less
            ],
            Backups =
            [
                .. facts["backup"]
                    .Select(Json<Backup>)
                    .Select(backup =>
                        backup with
                        {
                            VerifiedAt = verified.TryGetValue(backup.Id, out var at) ? at : null,
                        }
                    )
                    .OrderBy(backup => backup.StartedAt),
            ],
            RestorePoints = [.. facts["point"].Select(Json<RestorePoint>).OrderBy(point => point.At)],
            Segments = segments,
            SegmentSize = segmentSize,
            Spaces = [.. facts["space"].Select(SpaceOf)],
            SystemIdentifier = control?.SystemIdentifier,
            ReadAt = JobSpec.TimeOf(facts["now"].Single()),
        };
    }

    /// <summary>The first pg_control that is not damaged, as a node's may be that is to be recovered.</summary>
    private static ControlFile? WholeOf(IEnumerable<byte[]> controls) =>
        controls.Select(ControlFile.Parse).FirstOrDefault(control => control is not null);

    /// <summary>The archived segments, and those in nodes' pg_wal that are what their names say.</summary>
    private static IEnumerable<string> SegmentsOf(ILookup<string, string> facts, long segmentSize) =>
        facts["segment"]
            .Concat(facts["unarchived"].Where(fact => HasOwnAddress(fact, segmentSize)).Select(fact => fact[..24]))
            .Distinct()
            .Order(StringComparer.Ordinal);

    /// <summary>A file made in advance still has the address of what it was before in the header of its first
    /// page.</summary>
    private static bool HasOwnAddress(string fact, long segmentSize)
    {
        var (_, number) = WalSegments.Parse(fact[..24], segmentSize);
        return ulong.TryParse(
                fact.AsSpan(24).Trim(),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var address
            )
            && address == number * (ulong)segmentSize;
    }

    private static List<SegmentRun> RunsOf(IEnumerable<string> names, long segmentSize)
    {
        var runs = new List<SegmentRun>();
        foreach (var name in names)
        {
            var (timeline, number) = WalSegments.Parse(name, segmentSize);
            if (runs is [.., var last] && last.Timeline == timeline && last.Last + 1 == number)
            {
                runs[^1] = last with { Last = number };
            }
            else
            {
                runs.Add(new(timeline, number, number));
            }
        }

        return runs;
    }

    /// <summary>A path, which may have spaces, and how many kilobytes are left there: what the library's <c>space</c>
    /// says.</summary>
    internal static VolumeSpace SpaceOf(string fact)
    {
        var words = fact.Split(' ');
        var path = string.Join(' ', words[..^2]);
        return new(path.Split('/')[^1], BytesOf(words[^2]), BytesOf(words[^1]));

        static long BytesOf(string blocks) => 1024 * long.Parse(blocks, CultureInfo.InvariantCulture);
    }

    private static Timeline TimelineOf(string name) => new(Convert.ToUInt32(name[..8], 16));

    private static T Json<T>(string text) => JsonSerializer.Deserialize<T>(text, PgFlowJson.Options)!;
}

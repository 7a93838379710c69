using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PgFlow.Activities;

internal sealed partial class LedgerActivities(
    Inventory inventory,
    JobRunner jobs,
    IClusterActivities clusters,
    RepositoryActivities repository
) : ILedgerActivities
{
    /// <summary>How long a node that does not answer holds up the end of a procedure.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(3);

    private static readonly JsonSerializerOptions Json = new(PgFlowJson.Options) { WriteIndented = true };

    public async Task RecordProcedureAsync(Report report)
    {
        try
        {
            await Task.WhenAll(WriteAsync(report), LookAsync(report.Cluster));
        }
        finally
        {
            await Task.WhenAll(jobs.RemoveOfRunAsync(report.RunId), jobs.RemoveLeftAsync(report.Cluster));
        }
    }

    public async Task RecordDecisionAsync(Report report)
    {
        try
        {
            await WriteAsync(report);
        }
        finally
        {
            await jobs.RemoveOfActivityAsync(); // others of this run may be reading
        }
    }

    public Task RecordTimelineAsync(TimelineOpened opened) => WriteAsync(opened.Node!.Value.Cluster, [EntryOf(opened)]);

    public async Task<RestorePoint?> FindRestorePointAsync(ClusterName cluster, string name)
    {
        var found = await jobs.ResultAsync<LedgerPoint>(
            new((await inventory.NodesAsync(cluster))[0].Spec, "find-point", "find-point")
            {
                Parameters = [$"NAME={name}"],
                Volumes = [$"{Names.Repository(cluster)}:{Names.RepositoryVolume}:ro"],
            }
        );
        return found.Point.Length == 0
            ? null
            : JsonSerializer.Deserialize<RestorePoint>(found.Point, PgFlowJson.Options);
    }

    public async Task<IReadOnlyList<string>> ProveLedgerAsync(
        ClusterName cluster,
        IReadOnlyList<Timeline> openings,
        IReadOnlyList<string> points
    )
    {
        var known = await repository.ContentsAsync(cluster);
        return
        [
            .. openings
                .Except(known.Branches.Where(branch => branch.Opening is not null).Select(branch => branch.Timeline))
                .Select(timeline => $"timeline {timeline}"),
            .. points.Except(known.RestorePoints.Select(point => point.Name)).Select(name => $"restore point {name}"),
        ];
    }

    public Task RecordRestorePointAsync(ClusterName cluster, RestorePoint point) =>
        WriteAsync(cluster, [EntryOf(point)]);

    public async Task CompleteLedgerAsync(
        ClusterName cluster,
        IReadOnlyList<TimelineOpened> openings,
        IReadOnlyList<RestorePoint> points
    )
    {
        var known = await repository.ContentsAsync(cluster);
        await WriteAsync(
            cluster,
            [
                .. openings
                    .Where(opening =>
                        known.Branches.All(branch => branch.Timeline != opening.Timeline || branch.Opening is null)
                    )
                    .Select(EntryOf),
                .. points
                    .ExceptBy(known.RestorePoints.Select(point => point.Name), point => point.Name)
                    .Select(EntryOf),
            ]
        );
    }

    /// <summary>So that metrics tell how the procedure leaves the cluster; where it can't be seen, they tell what was
    /// seen before.</summary>
    private async Task LookAsync(ClusterName cluster)
    {
        Task look = clusters.ObserveClusterAsync(cluster).WaitAsync(LongestLook);
        await look.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static Entry EntryOf(TimelineOpened opened) =>
        Entry.Of(opened.OpenedAt, $"timeline-{opened.Timeline.Number:X8}", opened);

    private static Entry EntryOf(RestorePoint point) => Entry.Of(point.At, $"restore-point-{point.Name}", point);

    private Task WriteAsync(Report report) =>
        WriteAsync(
            report.Cluster,
            [
                Entry.Of(
                    report.StartedAt,
                    $"procedure-{Unfit().Replace(report.WorkflowId, "_")}-{Names.ShortRun(report.RunId)}",
                    report
                ),
            ]
        );

    private async Task WriteAsync(ClusterName cluster, IReadOnlyList<Entry> entries)
    {
        if (entries.Count == 0 || await inventory.NodesAsync(cluster) is not [var node, ..])
        {
            return;
        }

        await jobs.RunToSuccessAsync(
            new(node.Spec, "ledger", "record")
            {
                Volumes = [$"{Names.Repository(cluster)}:{Names.RepositoryVolume}"],
                Files =
                [
                    JobSpec.List("names", entries.Select(entry => entry.File), node.Spec.Postgres),
                    .. entries.Select(
                        (entry, index) =>
                            ContainerFile.Private($"{Names.Job}/{index + 1}.json", entry.Json, node.Spec.Postgres)
                    ),
                ],
            }
        );
    }

    /// <summary>One immutable file per event, named so that they sort; the same event again changes nothing.</summary>
    private sealed record Entry(string File, string Json)
    {
        public static Entry Of<T>(DateTimeOffset at, string name, T entry) =>
            new(
                string.Create(CultureInfo.InvariantCulture, $"{at.UtcDateTime:yyyyMMdd'T'HHmmss.fff'Z'}-{name}.json"),
                JsonSerializer.Serialize(entry, LedgerActivities.Json)
            );
    }

    [GeneratedRegex("[^A-Za-z0-9.-]")]
    private static partial Regex Unfit();
}

/// <summary>The result of find-point.</summary>
/// <param name="Point">The entry's text; empty where there is none.</param>
internal sealed record LedgerPoint(string Point);

using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using PgFlow.Workflows;

namespace PgFlow.Activities;

internal sealed partial class LedgerSteps(Inventory inventory, Jobs jobs, ICatalogueSteps catalogues) : ILedgerSteps
{
    private static readonly JsonSerializerOptions Json = new(PgFlowJson.Options) { WriteIndented = true };

    public async Task RecordAsync(Report report)
    {
        try
        {
            await WriteAsync(report.Cluster, [Entry.Of(report.StartedAt, $"procedure-{Unfit().Replace(report.WorkflowId, "_")}-{Names.ShortRun(report.RunId)}", report)]);
        }
        finally
        {
            await Task.WhenAll(jobs.RemoveOfRunAsync(report.RunId), jobs.RemoveLeftAsync(report.Cluster));
        }
    }

    public Task OpenTimelineAsync(TimelineOpened opened) => WriteAsync(opened.Node!.Value.Cluster, [EntryOf(opened)]);

    public async Task<RestorePoint?> FindPointAsync(ClusterName cluster, string name) =>
        (await catalogues.ReadAsync(cluster)).RestorePoints.FirstOrDefault(point => point.Name == name);

    public Task AddPointAsync(ClusterName cluster, RestorePoint point) => WriteAsync(cluster, [EntryOf(point)]);

    public async Task CompleteAsync(ClusterName cluster, IReadOnlyList<TimelineOpened> openings, IReadOnlyList<RestorePoint> points)
    {
        var known = await catalogues.ReadAsync(cluster);
        await WriteAsync(cluster,
        [
            .. openings.Where(opening => known.Branches.All(branch => branch.Timeline != opening.Timeline || branch.Opening is null)).Select(EntryOf),
            .. points.Where(point => known.RestorePoints.All(other => other.Name != point.Name)).Select(EntryOf),
        ]);
    }

    private static Entry EntryOf(TimelineOpened opened) => Entry.Of(opened.OpenedAt, $"timeline-{opened.Timeline.Number:X8}", opened);

    private static Entry EntryOf(RestorePoint point) => Entry.Of(point.At, $"restore-point-{point.Name}", point);

    private async Task WriteAsync(ClusterName cluster, IReadOnlyList<Entry> entries)
    {
        if (entries.Count == 0 || await inventory.NodesAsync(cluster) is not [var node, ..])
        {
            return;
        }

        await Permit.RequireAsync(cluster);
        await jobs.SucceedAsync(new(node.Spec, "ledger", Embedded.Read("record"))
        {
            Volumes = [$"{Names.Repository(cluster)}:{Names.RepositoryVolume}"],
            Files =
            [
                ContainerFile.Private("/job/names", string.Concat(entries.Select(entry => $"{entry.File}\n")), node.Spec.Postgres),
                .. entries.Select((entry, index) => ContainerFile.Private($"/job/{index + 1}.json", entry.Json, node.Spec.Postgres)),
            ],
        });
    }

    /// <summary>One immutable file per event, named so that they sort; the same event again changes nothing.</summary>
    private sealed record Entry(string File, string Json)
    {
        public static Entry Of<T>(DateTimeOffset at, string name, T entry) =>
            new(string.Create(CultureInfo.InvariantCulture, $"{at.UtcDateTime:yyyyMMdd'T'HHmmss.fff'Z'}-{name}.json"), JsonSerializer.Serialize(entry, LedgerSteps.Json));
    }

    [GeneratedRegex("[^A-Za-z0-9.-]")]
    private static partial Regex Unfit();
}

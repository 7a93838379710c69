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
        await WriteAsync(report.Cluster, report.StartedAt, $"procedure-{Unfit().Replace(report.WorkflowId, "_")}-{Names.ShortRun(report.RunId)}", report);
        await jobs.RemoveOfRunAsync(report.RunId);
    }

    public Task OpenTimelineAsync(TimelineOpened opened) =>
        WriteAsync(opened.Node.Cluster, opened.OpenedAt, $"timeline-{opened.Timeline.Number:X8}", opened);

    public async Task<RestorePoint?> FindPointAsync(ClusterName cluster, string name) =>
        (await catalogues.ReadAsync(cluster)).RestorePoints.FirstOrDefault(point => point.Name == name);

    public Task AddPointAsync(ClusterName cluster, RestorePoint point) => WriteAsync(cluster, point.At, $"restore-point-{point.Name}", point);

    /// <summary>One immutable file per event, named so that they sort; the same event again changes nothing.</summary>
    private async Task WriteAsync<T>(ClusterName cluster, DateTimeOffset at, string name, T entry)
    {
        if (await inventory.NodesAsync(cluster) is not [var node, ..])
        {
            return;
        }

        await Permit.RequireAsync(cluster);
        var file = string.Create(CultureInfo.InvariantCulture, $"{at.UtcDateTime:yyyyMMdd'T'HHmmss.fff'Z'}-{name}.json");
        await jobs.SucceedAsync(new(node.Spec, "ledger", $"export FILE={file}\n{Embedded.Read("record")}")
        {
            Volumes = [$"{Names.Repository(cluster)}:{Names.RepositoryVolume}"],
            Files = [ContainerFile.Private("/job/entry.json", JsonSerializer.Serialize(entry, Json), node.Spec.Postgres)],
        });
    }

    [GeneratedRegex("[^A-Za-z0-9.-]")]
    private static partial Regex Unfit();
}

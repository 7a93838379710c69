namespace PgFlow.WorkflowTests.Server;

/// <content>What a worker finds where it works.</content>
internal sealed partial class InMemoryCluster : IWorkerActivities
{
    Task<WorkerInspection> IWorkerActivities.InspectWorkerAsync() =>
        DoAsync<WorkerInspection>(null, () => new("the test's", [new("Docker", Ok: true, "answers")]));
}

using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>Looks at the worker that takes it: that one does is half of the answer, since Temporal lists a worker for
/// minutes that hangs or is stopped.</summary>
[Workflow]
public sealed class InspectWorker
{
    /// <summary>Asks the worker. It takes no input, so that none can be wrong.</summary>
    [WorkflowRun]
    public Task<WorkerInspection> RunAsync() => Workers.InspectAsync();
}

using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>Looks at the worker that takes it: that one does is half of the answer, since Temporal lists a worker for
/// minutes that hangs or is stopped.</summary>
[Workflow]
public sealed class InspectWorker
{
    /// <summary>Asks the worker.</summary>
    [WorkflowRun]
    public Task<WorkerInspection> RunAsync(InspectWorkerInput? input = null)
    {
        Workflow.CurrentDetails = $"Asked for by {input?.By ?? "somebody in the Web UI"}.";
        return Workers.InspectAsync();
    }
}

/// <summary>What InspectWorker takes.</summary>
/// <param name="By">Who asks.</param>
public sealed record InspectWorkerInput(string? By = null);

using Temporalio.Client;

namespace PgFlow.Cli.Doctor;

/// <summary>No worker fails on a procedure's own code.</summary>
internal sealed class WorkflowTasksCheck : IDoctorCheck
{
    public async Task<IReadOnlyList<DoctorAnswer>> RunAsync(ITemporalClient client, CancellationToken cancel)
    {
        var open = await Runs.ListAsync(
            client,
            $"TaskQueue = '{Temporal.TaskQueue}' AND ExecutionStatus = 'Running'",
            cancel
        );
        var attempts = await Task.WhenAll(
            open.Take(100).Select(async run => (Run: run, Attempt: await AttemptAsync(client, run, cancel)))
        );
        DoctorAnswer[] failing =
        [
            .. attempts
                .Where(task => task.Attempt > 1)
                .Select(task => new DoctorAnswer(
                    task.Run.WorkflowId,
                    Ok: false,
                    $"the workers fail on it (attempt {task.Attempt})",
                    $"temporal workflow show -w {task.Run.WorkflowId} names the error; "
                        + "put workers of a version that can go on in place: pgflow worker"
                )),
        ];
        return failing.Length > 0 ? failing : [new("Workflow tasks", Ok: true, "none fails")];
    }

    /// <summary>How often the next step of the workflow's code was tried. Not every server has the search attribute
    /// TemporalReportedProblems.</summary>
    private static async Task<int> AttemptAsync(ITemporalClient client, Run run, CancellationToken cancel)
    {
        var described = await client.WorkflowService.DescribeWorkflowExecutionAsync(
            new()
            {
                Namespace = client.Options.Namespace,
                Execution = new() { WorkflowId = run.WorkflowId },
            },
            new() { CancellationToken = cancel }
        );
        return described.PendingWorkflowTask?.Attempt ?? 0;
    }
}

using Temporalio.Client;

namespace PgFlow.Cli.Doctor;

/// <summary>No procedure waits for a person.</summary>
internal sealed class WaitingCheck : IDoctorCheck
{
    private const string Waiting =
        "PgFlowOutcome IN ('blocked', 'inspecting', 'waitingForApproval') AND ExecutionStatus = 'Running'";

    public async Task<IReadOnlyList<DoctorAnswer>> RunAsync(ITemporalClient client, CancellationToken cancel)
    {
        var waiting = await Runs.ListAsync(client, Waiting, cancel);
        return waiting.Count == 0
            ? [new("Procedures", Ok: true, "none waits for a person")]
            :
            [
                .. waiting
                    .Take(20)
                    .Select(run => new DoctorAnswer(
                        run.WorkflowId,
                        Ok: false,
                        $"{run.Outcome}: waits for a person",
                        $"pgflow show {run.WorkflowId}"
                    )),
            ];
    }
}

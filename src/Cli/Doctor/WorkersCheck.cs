using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PgFlow.Cli.Doctor;

/// <summary>Somebody polls for procedures and for their activities, and works on them.</summary>
internal sealed class WorkersCheck : IDoctorCheck
{
    public async Task<IReadOnlyList<DoctorAnswer>> RunAsync(ITemporalClient client, CancellationToken cancel)
    {
        var workers = new List<SeenWorker>();
        foreach (var kind in (TaskQueueType[])[TaskQueueType.Workflow, TaskQueueType.Activity])
        {
            var seen = await SeenWorker.AllAsync(client, kind, cancel);
            if (seen.Count == 0)
            {
                return
                [
                    new(
                        "Workers",
                        Ok: false,
                        $"nobody polls task queue {Temporal.TaskQueue} for {PgFlowText.Word(kind)} tasks",
                        "pgflow worker"
                    ),
                ];
            }

            workers.AddRange(seen);
        }

        return
        [
            new("Workers", Ok: true, string.Join(", ", workers.DistinctBy(worker => worker.Identity))),
            .. await AskedWorker.InspectAsync(client, cancel),
        ];
    }
}

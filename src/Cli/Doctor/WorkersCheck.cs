using PgFlow.Workflows;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Client;

namespace PgFlow.Cli;

/// <summary>Somebody works on procedures, and on their activities.</summary>
internal sealed class WorkersCheck : IDoctorCheck
{
    /// <summary>A worker polls at least once a minute.</summary>
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(90);

    public async Task<IReadOnlyList<DoctorAnswer>> RunAsync(ITemporalClient client, CancellationToken cancel)
    {
        var pollers = new List<PollerInfo>();
        foreach (var kind in (TaskQueueType[])[TaskQueueType.Workflow, TaskQueueType.Activity])
        {
            var alive = await AliveAsync(client, kind, cancel);
            if (alive.Count == 0)
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

            pollers.AddRange(alive);
        }

        var workers = pollers.GroupBy(poller => poller.Identity).OrderBy(one => one.Key, StringComparer.Ordinal);
        return
        [
            new(
                "Workers",
                Ok: true,
                string.Join(
                    ", ",
                    workers.Select(one =>
                        $"{one.Key} (seen "
                        + $"{Age(one.Max(poller => poller.LastAccessTime)!.ToDateTimeOffset()).TotalSeconds:0} s "
                        + "ago)"
                    )
                )
            ),
        ];
    }

    private static async Task<List<PollerInfo>> AliveAsync(
        ITemporalClient client,
        TaskQueueType kind,
        CancellationToken cancel
    )
    {
        var described = await client.WorkflowService.DescribeTaskQueueAsync(
            new()
            {
                Namespace = client.Options.Namespace,
                TaskQueue = new() { Name = Temporal.TaskQueue },
                TaskQueueType = kind,
            },
            new() { CancellationToken = cancel }
        );
        return [.. described.Pollers.Where(poller => Age(poller.LastAccessTime.ToDateTimeOffset()) < Alive)];
    }

    private static TimeSpan Age(DateTimeOffset seen) => DateTimeOffset.UtcNow - seen;
}

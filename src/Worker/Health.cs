using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Worker;

/// <summary>Touches a file for as long as the server says that this worker polls, so that a container's health check
/// needs no connection.</summary>
internal sealed class Health(ITemporalClient client, WorkerOptions options, ILogger<Health> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly HealthLog _log = new(logger, TimeProvider.System);

    /// <summary>Whether some worker of this host was seen polling just now.</summary>
    public static bool IsFresh(string file) => DateTime.UtcNow - File.GetLastWriteTimeUtc(file) < 3 * Interval;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        do
        {
            _log.Report(await ProblemAsync());
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Touches the file, or says why not.</summary>
    private async Task<string?> ProblemAsync()
    {
        try
        {
            if (!await IsPollingAsync())
            {
                return $"Temporal does not see this worker polling task queue {WorkerOptions.TaskQueue}";
            }

            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.HealthFile))!);
            await File.WriteAllTextAsync(options.HealthFile, client.Connection.Options.Identity);
            return null;
        }
        catch (Exception e) when (e is RpcException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private async Task<bool> IsPollingAsync()
    {
        var queue = await client.Connection.WorkflowService.DescribeTaskQueueAsync(
            new DescribeTaskQueueRequest
            {
                Namespace = client.Options.Namespace,
                TaskQueue = new() { Name = WorkerOptions.TaskQueue },
                TaskQueueType = TaskQueueType.Activity,
            }
        );
        return queue.Pollers.Any(poller => poller.Identity == client.Connection.Options.Identity);
    }
}

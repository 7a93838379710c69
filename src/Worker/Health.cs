using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Worker;

/// <summary>Touches a file for as long as the server says that this worker polls, so that a container's health check
/// needs no connection.</summary>
internal sealed partial class Health(ITemporalClient client, WorkerOptions options, ILogger<Health> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private string? lastProblem;

    /// <summary>Whether some worker of this host was seen polling just now.</summary>
    public static bool IsFresh(string file) => DateTime.UtcNow - File.GetLastWriteTimeUtc(file) < 3 * Interval;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        do
        {
            await ReportHealthAsync();
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task ReportHealthAsync()
    {
        try
        {
            if (await IsPollingAsync())
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.HealthFile))!);
                await File.WriteAllTextAsync(options.HealthFile, client.Connection.Options.Identity);
                lastProblem = null;
            }
        }
        catch (Exception e) when (e is RpcException or IOException or UnauthorizedAccessException)
        {
            if (lastProblem is null)
            {
                LogUnhealthy(lastProblem = e.Message);
            }
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

    [LoggerMessage(10, LogLevel.Warning, "Not healthy: {Why}")]
    private partial void LogUnhealthy(string why);
}

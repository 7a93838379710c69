using System.Diagnostics;
using System.Globalization;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PgFlow.Cli.Client;

/// <summary>A worker that Temporal has seen lately.</summary>
/// <param name="Identity">What it calls itself: <c>pgflow-worker@HOST:PROCESS</c>.</param>
/// <param name="At">When it polled last.</param>
internal sealed record SeenWorker(string Identity, DateTimeOffset At)
{
    /// <summary>A worker polls at least once a minute.</summary>
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(90);

    private TimeSpan Age => DateTimeOffset.UtcNow - At;

    /// <summary>Temporal knows one that was killed for minutes; of this machine it can be told.</summary>
    public bool IsGone =>
        Identity.Split('@', 2) is [_, var place]
        && place.Split(':') is [var host, var process]
        && host == Environment.MachineName
        && int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        && !Runs(id);

    /// <summary>Those that poll for a kind of task and may live.</summary>
    public static async Task<IReadOnlyList<SeenWorker>> AllAsync(
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
        return
        [
            .. described
                .Pollers.GroupBy(poller => poller.Identity)
                .Select(one => new SeenWorker(one.Key, one.Max(poller => poller.LastAccessTime)!.ToDateTimeOffset()))
                .Where(worker => worker.Age < Alive && !worker.IsGone)
                .OrderBy(worker => worker.Identity, StringComparer.Ordinal),
        ];
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Identity} (seen {Age.TotalSeconds:0} s ago)";

    private static bool Runs(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}

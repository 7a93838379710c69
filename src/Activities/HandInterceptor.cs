using System.Collections.Concurrent;
using Temporalio.Activities;
using Temporalio.Worker.Interceptors;

namespace PgFlow.Activities;

/// <summary>Sends every hand's heartbeats, and lets an attempt begin only when the one before it, in this process, has ended.</summary>
/// <remarks>A heartbeat carries the newest progress and brings a cancel back, so a hand need do neither.</remarks>
public sealed class HandInterceptor : IWorkerInterceptor
{
    /// <inheritdoc/>
    public ActivityInboundInterceptor InterceptActivity(ActivityInboundInterceptor nextInterceptor) => new Inbound(nextInterceptor);

    private sealed class Inbound(ActivityInboundInterceptor next) : ActivityInboundInterceptor(next)
    {
        private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);
        private static readonly ConcurrentDictionary<string, SemaphoreSlim> Attempts = new();

        public override async Task<object?> ExecuteActivityAsync(ExecuteActivityInput input)
        {
            var context = ActivityExecutionContext.Current;
            using var ended = new CancellationTokenSource();
            using var progress = HandProgress.Begin();
            var heartbeats = HeartbeatAsync(context, progress, ended.Token);
            var attempts = Attempts.GetOrAdd($"{context.Info.WorkflowRunId}/{context.Info.ActivityId}", _ => new(1));
            try
            {
                await attempts.WaitAsync(context.CancellationToken);
                try
                {
                    return await base.ExecuteActivityAsync(input);
                }
                finally
                {
                    attempts.Release();
                }
            }
            finally
            {
                await ended.CancelAsync();
                await heartbeats;
            }
        }

        private static async Task HeartbeatAsync(ActivityExecutionContext context, HandProgress progress, CancellationToken ended)
        {
            while (!ended.IsCancellationRequested)
            {
                context.Heartbeat(progress.Phase);
                await Task.Delay(Beat, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

/// <summary>What the hand that is working now does; the Web UI shows it with the heartbeat.</summary>
internal sealed class HandProgress : IDisposable
{
    private static readonly AsyncLocal<HandProgress?> Current = new();

    public string Phase { get; private set; } = "started";

    public static HandProgress Begin() => Current.Value = new();

    public static void Say(string phase)
    {
        if (Current.Value is { } progress)
        {
            progress.Phase = phase;
        }
    }

    public void Dispose() => Current.Value = null;
}

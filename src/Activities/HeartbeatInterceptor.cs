using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Temporalio.Activities;
using Temporalio.Exceptions;
using Temporalio.Worker.Interceptors;

namespace PgFlow.Activities;

/// <summary>Sends every activity's heartbeats, lets an attempt begin only when the one before it, in this process, has
/// ended, says what its failure is, and logs how it ended.</summary>
/// <remarks>A heartbeat carries the newest progress and brings a cancel back, so an activity need do neither.</remarks>
public sealed class HeartbeatInterceptor(IOptions<ActivityHostOptions> options, ILogger<HeartbeatInterceptor> logger)
    : IWorkerInterceptor
{
    /// <inheritdoc/>
    public ActivityInboundInterceptor InterceptActivity(ActivityInboundInterceptor nextInterceptor) =>
        new Inbound(nextInterceptor, options.Value, logger);

    private sealed class Inbound(ActivityInboundInterceptor next, ActivityHostOptions options, ILogger logger)
        : ActivityInboundInterceptor(next)
    {
        private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);
        private static readonly ConcurrentDictionary<string, Attempts> Known = new();

        public override async Task<object?> ExecuteActivityAsync(ExecuteActivityInput input)
        {
            var context = ActivityExecutionContext.Current;
            using var ended = new CancellationTokenSource();
            var mark = ActivityMark.Of(input.Headers);
            using var progress = ProgressReporter.Begin(mark);
            using var log = new AttemptLog(logger, Attempt.Of(context.Info, input.Args, mark?.Step));
            var heartbeats = HeartbeatAsync(context, progress, ended.Token);
            var activity = $"{context.Info.WorkflowRunId}/{context.Info.ActivityId}";
            var attempts = Known.GetOrAdd(activity, _ => new());
            try
            {
                await attempts.Turn.WaitAsync(context.CancellationToken);
                try
                {
                    var result = await base.ExecuteActivityAsync(input);
                    Known.TryRemove(activity, out _);
                    log.Succeeded(changed: progress is { AllowedAt: not null } or { EndsAnother: true });
                    return result;
                }
                finally
                {
                    attempts.Turn.Release();
                }
            }
            catch (Exception e)
                when (e is not OperationCanceledException && !context.CancellationToken.IsCancellationRequested)
            {
                var end = attempts.After(e, options.Attempts);
                _ = end.NonRetryable && Known.TryRemove(activity, out _);
                log.Failed(end.Message, end.NonRetryable);
                throw end;
            }
            catch (Exception e)
            {
                log.BrokenOff(
                    context.CancelReason is ActivityCancelReason.None ? e.Message : $"{context.CancelReason}"
                );
                throw;
            }
            finally
            {
                await ended.CancelAsync();
                await heartbeats;
            }
        }

        private static async Task HeartbeatAsync(
            ActivityExecutionContext context,
            ProgressReporter progress,
            CancellationToken ended
        )
        {
            while (!ended.IsCancellationRequested)
            {
                context.Heartbeat(progress.Newest);
                await Task.Delay(Beat, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

/// <summary>The attempts at one activity, as far as they were made in this process.</summary>
internal sealed class Attempts
{
    private int _failed;

    /// <summary>Taken by the attempt that works.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    /// <summary>What an attempt's failure is. One that failed for what passes, as a daemon that was away, has used up
    /// none of those that an operation has.</summary>
    public ApplicationFailureException After(Exception failure, int most) =>
        Failures.Of(failure, Failures.MayPass(failure) ? _failed + 1 : Interlocked.Increment(ref _failed), most);
}

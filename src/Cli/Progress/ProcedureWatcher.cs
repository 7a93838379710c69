using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Progress;

/// <summary>Follows a procedure by its history's long poll, which needs no worker, and asks it once after what
/// happened.</summary>
/// <param name="handle">The procedure.</param>
/// <param name="toItsEnd">It is asked once more when it has ended, for its last steps.</param>
internal sealed class ProcedureWatcher(WorkflowHandle handle, bool toItsEnd = false)
{
    /// <summary>A worker that lives answers in milliseconds, on a machine that is overloaded in seconds.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    /// <summary>Every question is work for the worker, which has better to do than to be watched.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>After a while without events, look whether somebody still works.</summary>
    private static readonly TimeSpan Lull = TimeSpan.FromSeconds(1);

    private readonly WorkflowTasks _tasks = new(TimeProvider.System);
    private readonly Channel<bool> _happened = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    private ProcedureProgress? _progress;
    private bool _unanswered;
    private IReadOnlyList<PendingActivity> _activities = [];
    private long? _asked;
    private string? _lost;

    /// <summary>The procedure's states, the last one when it has ended.</summary>
    public async IAsyncEnumerable<Snapshot> SnapshotsAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var listening = ListenAsync(stop.Token);
        try
        {
            var (closed, lulls) = (false, 0);
            while (!closed)
            {
                var happened = await HappenedAsync(cancel);
                closed = _tasks.Closed;
                lulls = happened ? 0 : lulls + 1;
                var isNews = closed ? toItsEnd : happened || _unanswered || lulls % 5 == 0;
                if (_tasks.Answered && isNews)
                {
                    await QueryProgressAsync(closed ? Lull : AnswerLimit, cancel);
                }

                var pause = Task.Delay(happened ? Pause : TimeSpan.Zero, cancel);
                yield return new(
                    _progress,
                    closed ? null : _lost ?? _tasks.Trouble ?? (_unanswered ? WorkflowTasks.NoWorker : null),
                    closed ? [] : await ActivitiesAsync(cancel),
                    closed
                );
                await Task.WhenAny(pause, listening);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> HappenedAsync(CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Lull);
        try
        {
            return await _happened.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task ListenAsync(CancellationToken cancel)
    {
        while (!_tasks.Closed && !cancel.IsCancellationRequested)
        {
            try
            {
                await foreach (
                    var seen in handle.FetchHistoryEventsAsync(
                        new()
                        {
                            WaitNewEvent = true,
                            Rpc = new() { CancellationToken = cancel },
                        }
                    )
                )
                {
                    _lost = null;
                    _tasks.See(seen);
                    _happened.Writer.TryWrite(true);
                }
            }
            catch (Exception e)
                when (e is RpcException or RpcTimeoutOrCanceledException && !cancel.IsCancellationRequested)
            {
                // The procedure lives in Temporal's database: a server that restarts only keeps us waiting.
                _lost = Lost(e);
                await Task.Delay(Lull, cancel);
            }
        }
    }

    private static string Lost(Exception e) => $"Temporal does not answer ({e.Message}); waiting for it";

    private async Task QueryProgressAsync(TimeSpan limit, CancellationToken cancel)
    {
        try
        {
            _progress = await handle.QueryAsync<ProcedureProgress>(
                "progress",
                [],
                new()
                {
                    Rpc = new()
                    {
                        Timeout = limit,
                        Retry = false,
                        CancellationToken = cancel,
                    },
                }
            );
            (_unanswered, _lost) = (false, null);
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.Unavailable && !cancel.IsCancellationRequested)
        {
            _lost = Lost(e);
        }
        catch (Exception e) when (e is RpcException or RpcTimeoutOrCanceledException && !cancel.IsCancellationRequested)
        {
            _unanswered = true;
        }
        catch (WorkflowQueryFailedException)
        {
            // A workflow without this query is followed by its end alone.
        }
    }

    /// <summary>The server alone answers this, no worker; it is asked once a second, whatever happens.</summary>
    private async Task<IReadOnlyList<PendingActivity>> ActivitiesAsync(CancellationToken cancel)
    {
        if (_asked is { } at && Stopwatch.GetElapsedTime(at) < Lull)
        {
            return _activities;
        }

        try
        {
            _activities = await PendingActivity.OfAsync(handle, AnswerLimit, cancel);
        }
        catch (Exception e) when (e is RpcException or RpcTimeoutOrCanceledException && !cancel.IsCancellationRequested)
        {
            _activities = [];
        }

        _asked = Stopwatch.GetTimestamp();
        return _activities;
    }
}

using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Doctor;

/// <summary>Gives a worker something to do: one that hangs or is stopped does nothing, and Temporal lists it for
/// minutes.</summary>
internal sealed class AskedWorker
{
    private const string Name = "Worker";

    /// <summary>A worker decides within milliseconds, on a machine that is overloaded in a second; whoever has not by
    /// then has the task taken away, and another one gets it.</summary>
    private static readonly TimeSpan Deciding = TimeSpan.FromSeconds(3);

    /// <summary>For two workers, one after the other.</summary>
    private static readonly TimeSpan Taking = TimeSpan.FromSeconds(8);

    /// <summary>Above the activity's limit: it says itself what does not answer.</summary>
    private static readonly TimeSpan Looking = TimeSpan.FromSeconds(32);

    private readonly WorkflowTasks _tasks = new(TimeProvider.System);

    /// <summary>Who was given the task.</summary>
    private string? _given;

    /// <summary>From whom it was taken away again.</summary>
    private string? _lost;

    /// <summary>What the worker finds where it works, or why there is no answer.</summary>
    public static async Task<IReadOnlyList<DoctorAnswer>> InspectAsync(ITemporalClient client, CancellationToken cancel)
    {
        try
        {
            return await AskAsync(client, cancel);
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.PermissionDenied)
        {
            return [Failing($"can't be asked: {e.Message}", "ask with a key that may start workflows")];
        }
    }

    private static async Task<IReadOnlyList<DoctorAnswer>> AskAsync(ITemporalClient client, CancellationToken cancel)
    {
        var asked = new AskedWorker();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Taking);
        var handle = await client.StartWorkflowAsync(
            nameof(InspectWorker),
            [],
            new(WorkflowId.New(nameof(InspectWorker), cluster: null), Temporal.TaskQueue)
            {
                StaticSummary = "Inspect the worker",
                TaskTimeout = Deciding,
                ExecutionTimeout = Taking + Looking, // also where pgflow ends before it
                Rpc = new() { CancellationToken = cancel },
            }
        );
        try
        {
            await asked.UntilTakenAsync(handle, limit.Token);
            limit.CancelAfter(Looking);
            return asked.With(
                await handle.GetResultAsync<WorkerInspection>(rpcOptions: new() { CancellationToken = limit.Token })
            );
        }
        catch (WorkflowFailedException e)
        {
            return [new(Name, Ok: false, TemporalFailures.Why(e.InnerException ?? e), "see what the worker logs")];
        }
        catch (Exception) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            await EndAsync(handle, cancel);
            return [asked.Problem];
        }
    }

    /// <summary>Why there is no answer in time.</summary>
    public DoctorAnswer Problem =>
        (_tasks.Answered, _tasks.Failure, _given) switch
        {
            (true, _, _) => Failing(
                $"took a task, and did not do it within {Looking.TotalSeconds} s",
                "see what it logs; where procedures run, perhaps all its slots are taken"
            ),
            (_, { } failure, _) => Failing(
                $"can't do what it is given: {failure}",
                "a worker of pgflow's own version is needed: pgflow worker"
            ),
            (_, _, { } worker) => Hanging(worker),
            _ => Failing(
                $"polls task queue {Temporal.TaskQueue} and takes no task: it hangs, is stopped, or has no free slot",
                "end it, and start it again: pgflow worker"
            ),
        };

    /// <summary>What the worker says that answered, and whether another one was asked in vain.</summary>
    public IReadOnlyList<DoctorAnswer> With(WorkerInspection found) =>
        [
            .. _lost is { } lost ? [Hanging(lost)] : Array.Empty<DoctorAnswer>(),
            new(Name, Ok: true, $"{found.Worker} does what it is given"),
            .. found.Results.Select(result => new DoctorAnswer(
                result.What,
                result.Ok,
                result.Found,
                result.Hint is { } hint ? HintText.Of(hint) : null
            )),
        ];

    public void See(HistoryEvent seen)
    {
        _tasks.See(seen);
        switch (seen.EventType)
        {
            case EventType.WorkflowTaskStarted:
                _given = seen.WorkflowTaskStartedEventAttributes?.Identity;
                break;
            case EventType.WorkflowTaskTimedOut:
                _lost = _given;
                break;
            default:
                break;
        }
    }

    private async Task UntilTakenAsync(WorkflowHandle handle, CancellationToken limit)
    {
        var events = handle.FetchHistoryEventsAsync(
            new()
            {
                WaitNewEvent = true,
                Rpc = new() { CancellationToken = limit },
            }
        );
        await foreach (var seen in events)
        {
            See(seen);
            if (_tasks.Answered)
            {
                return;
            }
        }
    }

    /// <summary>Else it waits for that worker, and its tasks that fail would be a finding of the next call.</summary>
    private static async Task EndAsync(WorkflowHandle handle, CancellationToken cancel)
    {
        try
        {
            await handle.TerminateAsync(
                "nobody waits for it any more",
                new() { Rpc = new() { CancellationToken = cancel } }
            );
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            // it has ended this moment
        }
    }

    private static DoctorAnswer Hanging(string worker) =>
        Failing(
            $"{worker} polls, was given a task and does nothing: it hangs, or its process is stopped",
            "end that process, and start it again: pgflow worker"
        );

    private static DoctorAnswer Failing(string found, string hint) => new(Name, Ok: false, found, hint);
}

using System.Text.Json.Nodes;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Progress;

/// <summary>What a person tells a procedure.</summary>
internal static class Decisions
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>For somebody who leaves: whoever stops pgflow may kill it 10 s later.</summary>
    public static readonly TimeSpan ShortLimit = TimeSpan.FromSeconds(4);

    /// <summary>A new target is looked for in the WAL.</summary>
    private static readonly TimeSpan TargetLimit = TimeSpan.FromMinutes(5);

    public static Task ApproveAsync(WorkflowHandle handle, string planHash, string? reason, CancellationToken cancel) =>
        TellAsync<object?>(handle, "approve", new Approval(planHash, Temporal.User, reason), AnswerLimit, cancel);

    public static Task RejectAsync(
        WorkflowHandle handle,
        string? reason,
        CancellationToken cancel,
        TimeSpan? limit = null
    ) => TellAsync<object?>(handle, "reject", new Rejection(Temporal.User, reason), limit ?? AnswerLimit, cancel);

    public static Task ResolveAsync(WorkflowHandle handle, Resolution resolution, CancellationToken cancel) =>
        TellAsync<object?>(handle, "resolve", resolution, AnswerLimit, cancel);

    public static Task InterruptAsync(WorkflowHandle handle, string? reason, CancellationToken cancel) =>
        TellAsync<object?>(handle, "interrupt", new Interruption(Temporal.User, reason), AnswerLimit, cancel);

    /// <summary>Tells a witness to <paramref name="order"/>: pause, resume or stop.</summary>
    public static Task OrderWitnessAsync(
        WorkflowHandle handle,
        string order,
        string? reason,
        CancellationToken cancel
    ) => TellAsync<object?>(handle, order, new WitnessOrder(Temporal.User, reason), AnswerLimit, cancel);

    /// <summary>Whether it was asked to stop before.</summary>
    public static async Task<bool> IsCancelledAsync(WorkflowHandle handle, CancellationToken cancel)
    {
        var described = await handle.Client.WorkflowService.DescribeWorkflowExecutionAsync(
            new()
            {
                Namespace = handle.Client.Options.Namespace,
                Execution = new() { WorkflowId = handle.Id },
            },
            new() { CancellationToken = cancel }
        );
        return described.WorkflowExtendedInfo?.CancelRequested is true;
    }

    /// <returns>Where it replays on to.</returns>
    public static Task<string> MoveAsync(WorkflowHandle handle, JsonObject target, CancellationToken cancel) =>
        TellAsync<string>(handle, "move", target, TargetLimit, cancel);

    /// <summary>The SDK's own call has no room for a reason.</summary>
    public static Task CancelAsync(WorkflowHandle handle, string? reason, CancellationToken cancel) =>
        handle.Client.WorkflowService.RequestCancelWorkflowExecutionAsync(
            new()
            {
                Namespace = handle.Client.Options.Namespace,
                WorkflowExecution = new() { WorkflowId = handle.Id },
                Identity = Temporal.User,
                RequestId = Guid.NewGuid().ToString(),
                Reason = reason ?? "",
            },
            new() { CancellationToken = cancel }
        );

    public static CliError Ended(WorkflowHandle handle, string what) =>
        new(
            ExitCodes.Refused,
            $"{handle.Id} can't be told to {what}",
            "it has ended",
            $"look at it: pgflow show {handle.Id}"
        );

    private static async Task<T> TellAsync<T>(
        WorkflowHandle handle,
        string update,
        object argument,
        TimeSpan limit,
        CancellationToken cancel
    )
    {
        // a call's own timeout begins anew with each poll
        using var whole = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        whole.CancelAfter(limit);
        try
        {
            return await handle.ExecuteUpdateAsync<T>(
                update,
                [argument],
                new() { Rpc = new() { CancellationToken = whole.Token } }
            );
        }
        catch (WorkflowUpdateFailedException e)
        {
            var code = e.InnerException is ApplicationFailureException { ErrorType: FailureTypes.InvalidInput }
                ? ExitCodes.Usage
                : ExitCodes.Refused;
            var hints = e.InnerException is { } why ? TemporalFailures.HintsOf(why) : [];
            throw new CliError(
                code,
                $"{handle.Id} refused to {update}",
                [e.InnerException?.Message ?? e.Message],
                [.. hints.Select(HintText.Of), $"look at it: pgflow show {handle.Id}"]
            );
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            throw Ended(handle, update);
        }
        catch (Exception e)
            when (e is RpcTimeoutOrCanceledException or RpcException { Code: RpcException.StatusCode.DeadlineExceeded }
                && !cancel.IsCancellationRequested
            )
        {
            throw CliError.NoWorker($"{handle.Id} was not told to {update}");
        }
    }
}

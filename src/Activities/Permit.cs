using System.Diagnostics;
using Google.Protobuf;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Exceptions;

namespace PgFlow.Activities;

/// <summary>Asked directly before every change: is this still the newest attempt, of a procedure that holds the lease
/// of its cluster?</summary>
/// <remarks>A timed-out attempt may still run beside its retry; only Temporal knows which of them counts. What changes
/// something asks by itself: <see cref="DockerEngine.ChangeAsync{T}"/>, <see cref="SqlSession.ChangeAsync{T}"/>, and
/// <see cref="JobRunner"/> for programs that may write.</remarks>
internal static class Permit
{
    /// <summary>For the answer as a whole: a call's own time-out begins anew with each connection.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>How long a permission holds: below the heartbeat's time-out, after which somebody else may
    /// work.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    /// <summary>Whether the procedure holds a lease; one that only looks, or takes a lease again, holds none.</summary>
    public static bool HoldsLease => ProgressReporter.Now is { EndsAnother: false, Mark.Lease: not null };

    /// <summary>Whether the procedure holds the cluster's own lease, and so may decide what runs; a backup works beside
    /// others.</summary>
    public static bool MayDecide => ProgressReporter.Now?.Mark?.Lease is { Kind: LeaseKind.Cluster };

    /// <summary>Asks for a change that only the holder of the cluster's own lease may make.</summary>
    /// <inheritdoc cref="RequireAsync"/>
    public static Task RequireDecidingAsync() =>
        HoldsLease && !MayDecide
            ? throw Failure.Break("a change of what runs, for a procedure that works beside others")
            : RequireAsync();

    /// <summary>Asks, unless that was done a moment ago. A permission ages while an activity waits, or while its worker
    /// stands still.</summary>
    /// <exception cref="OperationCanceledException">It is not, or nobody answers: change nothing.</exception>
    /// <exception cref="PgFlowException">Its procedure holds no lease (<see cref="FailureTypes.Broken"/>), or not any
    /// more (<see cref="FailureTypes.LeaseLost"/>).</exception>
    public static async Task RequireAsync()
    {
        if (!ActivityExecutionContext.HasCurrent)
        {
            return; // there is no procedure to ask for
        }

        var activity = ProgressReporter.Now ?? throw new InvalidOperationException("nobody said for what this works");
        if (IsFresh(activity))
        {
            return;
        }

        var mark = activity.Mark ?? throw Failure.Lose("an earlier build has begun this step: it begins again");
        var lease = mark.Lease ?? throw Failure.Break("a change for a procedure that holds no lease");
        var (token, asked) = (ActivityExecutionContext.Current.CancellationToken, Stopwatch.GetTimestamp());
        try
        {
            await Task.WhenAll(RequireNewestAttemptAsync(), RequireLeaseAsync(lease)).WaitAsync(Limit, token);
        }
        catch (TimeoutException e)
        {
            throw new OperationCanceledException(
                $"Temporal did not answer within {Limit.TotalSeconds:0} s before the change",
                e
            );
        }

        activity.AllowedAt = asked;
    }

    private static bool IsFresh(ProgressReporter activity) =>
        activity.AllowedAt is { } at && Stopwatch.GetElapsedTime(at) <= Fresh;

    private static async Task RequireNewestAttemptAsync()
    {
        var context = ActivityExecutionContext.Current;
        context.CancellationToken.ThrowIfCancellationRequested();
        try
        {
            var answer = await context.TemporalClient.WorkflowService.RecordActivityTaskHeartbeatAsync(
                new()
                {
                    Namespace = context.TemporalClient.Options.Namespace,
                    TaskToken = ByteString.CopyFrom(context.Info.TaskToken),
                    Identity = "pgflow-permit",
                    // else this heartbeat would take the newest progress away
                    Details = await ProgressReporter.PayloadsAsync(context),
                },
                new() { Timeout = Limit, CancellationToken = context.CancellationToken }
            );
            if (Objection(answer) is { } objection)
            {
                throw new OperationCanceledException($"{objection} before the change");
            }
        }
        catch (RpcException e)
        {
            throw new OperationCanceledException($"superseded before the change: {e.Message}", e);
        }
    }

    /// <summary>Why the attempt may not go on.</summary>
    internal static string? Objection(RecordActivityTaskHeartbeatResponse answer) =>
        answer switch
        {
            { CancelRequested: true } => "cancelled",
            { ActivityReset: true } => "reset by hand",
            { ActivityPaused: true } => "paused by hand",
            _ => null,
        };

    private static async Task RequireLeaseAsync(LeaseMark lease)
    {
        if (!await HoldsAsync(ClusterLease.IdOf(lease.Cluster, lease.Kind)))
        {
            throw Failure.Lose($"the lease of {lease.Cluster} is not held by this procedure any more");
        }
    }

    private static async Task<bool> HoldsAsync(string lease)
    {
        var context = ActivityExecutionContext.Current;
        try
        {
            var found = await context
                .TemporalClient.GetWorkflowHandle(lease)
                .DescribeAsync(
                    new()
                    {
                        Rpc = new() { Timeout = Limit, CancellationToken = context.CancellationToken },
                    }
                );
            return found.Status is WorkflowExecutionStatus.Running
                && found.ParentId == context.Info.WorkflowId
                && found.ParentRunId == context.Info.WorkflowRunId;
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return false;
        }
    }
}

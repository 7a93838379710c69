using System.Diagnostics;
using Google.Protobuf;
using PgFlow.Workflows;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Exceptions;

namespace PgFlow.Activities;

/// <summary>Asked directly before every change: is this still the newest attempt, of the procedure that holds the
/// cluster's lease?</summary>
/// <remarks>A timed-out attempt may still run beside its retry; only Temporal knows which of them counts.</remarks>
internal static class Permit
{
    /// <summary>For the answer as a whole: a call's own time-out begins anew with each connection.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>How long a permission holds: below the heartbeat's time-out, after which somebody else may
    /// work.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    /// <summary>What a procedure may do that holds the cluster's own lease: change roles, nodes and data.</summary>
    private static readonly LeaseKind[] Deciding = [LeaseKind.Cluster];

    /// <summary>What any may do: it disturbs none that works beside it. The cluster's own first, since a failover is in
    /// a hurry.</summary>
    private static readonly LeaseKind[] Beside = Enum.GetValues<LeaseKind>();

    /// <summary>Asks for a change that only the holder of the cluster's own lease may make.</summary>
    /// <exception cref="OperationCanceledException">It is not, or nobody answers: change nothing.</exception>
    public static Task RequireAsync(ClusterName cluster) => RequireAsync(cluster, Deciding);

    /// <summary>Asks for a change that a backup or a verification makes too, beside procedures that decide what
    /// runs.</summary>
    /// <inheritdoc cref="RequireAsync(ClusterName)"/>
    public static Task RequireBesideAsync(ClusterName cluster) => RequireAsync(cluster, Beside);

    private static async Task RequireAsync(ClusterName cluster, LeaseKind[] kinds)
    {
        var (token, asked) = (ActivityExecutionContext.Current.CancellationToken, Stopwatch.GetTimestamp());
        try
        {
            await Task.WhenAll(RequireNewestAttemptAsync(), RequireLeaseAsync(cluster, kinds)).WaitAsync(Limit, token);
        }
        catch (TimeoutException e)
        {
            throw new OperationCanceledException(
                $"Temporal did not answer within {Limit.TotalSeconds:0} s before the change",
                e
            );
        }

        if (ProgressReporter.Now is { } activity)
        {
            activity.Allowed = (cluster, kinds, asked);
        }
    }

    /// <summary>Whether the procedure holds the cluster's own lease, and so may decide what runs; a backup works beside
    /// others.</summary>
    public static Task<bool> DecidesAsync(ClusterName cluster) =>
        HoldsAsync(ClusterLease.IdOf(cluster, LeaseKind.Cluster));

    /// <summary>Asked by every call that changes a container: a permission ages while an activity waits, or while its
    /// worker stands still.</summary>
    public static Task FreshAsync() =>
        ProgressReporter.Now?.Allowed is { } allowed && Stopwatch.GetElapsedTime(allowed.At) > Fresh
            ? RequireAsync(allowed.Cluster, allowed.Kinds)
            : Task.CompletedTask;

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

    private static async Task RequireLeaseAsync(ClusterName cluster, LeaseKind[] kinds)
    {
        foreach (var kind in kinds)
        {
            if (await HoldsAsync(ClusterLease.IdOf(cluster, kind)))
            {
                return;
            }
        }

        throw Ends.Lose(
            $"the lease of {cluster} is not held by this procedure any more; nothing was changed by this step"
        );
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

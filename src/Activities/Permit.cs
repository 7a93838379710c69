using Google.Protobuf;
using PgFlow.Workflows;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;

namespace PgFlow.Activities;

/// <summary>Asked directly before every change: is this still the newest attempt, of the procedure that holds the cluster's lease?</summary>
/// <remarks>A timed-out attempt may still run beside its retry; only Temporal knows which of them counts.</remarks>
internal static class Permit
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <exception cref="OperationCanceledException">It is not, or nobody answers: change nothing.</exception>
    public static Task RequireAsync(ClusterName cluster) => Task.WhenAll(RequireNewestAttemptAsync(), RequireLeaseAsync(cluster));

    private static async Task RequireNewestAttemptAsync()
    {
        var context = ActivityExecutionContext.Current;
        context.CancellationToken.ThrowIfCancellationRequested();
        try
        {
            var answer = await context.TemporalClient.WorkflowService.RecordActivityTaskHeartbeatAsync(
                new() { Namespace = context.TemporalClient.Options.Namespace, TaskToken = ByteString.CopyFrom(context.Info.TaskToken), Identity = "pgflow-permit" },
                new() { Timeout = Limit, CancellationToken = context.CancellationToken });
            if (answer.CancelRequested)
            {
                throw new OperationCanceledException("cancelled before the change");
            }
        }
        catch (RpcException e)
        {
            throw new OperationCanceledException($"superseded before the change: {e.Message}", e);
        }
    }

    private static async Task RequireLeaseAsync(ClusterName cluster)
    {
        foreach (var kind in Enum.GetValues<LeaseKind>()) // the cluster's own first: a failover is in a hurry
        {
            if (await HoldsAsync(ClusterLease.IdOf(cluster, kind)))
            {
                return;
            }
        }

        throw Ends.Refuse($"the lease of {cluster} is not held by this procedure any more; nothing was changed by this step");
    }

    private static async Task<bool> HoldsAsync(string lease)
    {
        var context = ActivityExecutionContext.Current;
        try
        {
            var found = await context.TemporalClient.GetWorkflowHandle(lease).DescribeAsync(
                new() { Rpc = new() { Timeout = Limit, CancellationToken = context.CancellationToken } });
            return found.Status is WorkflowExecutionStatus.Running && found.ParentId == context.Info.WorkflowId && found.ParentRunId == context.Info.WorkflowRunId;
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return false;
        }
    }
}

using PgFlow.Workflows;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Activities;

internal sealed class LeaseSteps : ILeaseSteps
{
    private static ITemporalClient Client => ActivityExecutionContext.Current.TemporalClient;

    public async Task<string?> DescribeAsync(ClusterName cluster)
    {
        var lease = await FindAsync(ClusterLease.IdOf(cluster), run: null);
        if (lease is not { Status: WorkflowExecutionStatus.Running, ParentId: { } parent })
        {
            return null;
        }

        var holder = await FindAsync(parent, lease.ParentRunId);
        if (holder is not { Status: WorkflowExecutionStatus.Running })
        {
            // The holder was reset: nobody will ever release this run of the lease.
            await Client.GetWorkflowHandle(lease.Id, lease.RunId).TerminateAsync($"its procedure {parent} does not run any more");
            return null;
        }

        var outcome = holder.TypedSearchAttributes.TryGetValue(Attributes.Outcome, out var word) ? word : "running";
        var by = holder.TypedSearchAttributes.TryGetValue(Attributes.RequestedBy, out var who) ? who : "somebody";
        return $"{cluster} is held by {holder.WorkflowType} {parent}, started {holder.StartTime:yyyy-MM-dd HH:mm:ss}Z by {by}, now {outcome}; "
            + $"wait for it (pgflow watch {parent}) or end it (pgflow cancel {parent})";
    }

    public async Task<string> StarterAsync()
    {
        var info = ActivityExecutionContext.Current.Info;
        await foreach (var started in Client.GetWorkflowHandle(info.WorkflowId!, info.WorkflowRunId).FetchHistoryEventsAsync())
        {
            return started.WorkflowExecutionStartedEventAttributes?.Identity is { Length: > 0 } identity ? identity : "unknown (Web UI)";
        }

        return "unknown (Web UI)";
    }

    private static async Task<WorkflowExecutionDescription?> FindAsync(string id, string? run)
    {
        try
        {
            return await Client.GetWorkflowHandle(id, run).DescribeAsync();
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }
}

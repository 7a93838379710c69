using System.Diagnostics;
using PgFlow.Workflows;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Activities;

internal sealed class LeaseSteps(Jobs jobs) : ILeaseSteps
{
    /// <summary>How long a cancelled backup may tidy up.</summary>
    private static readonly TimeSpan CancelLimit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private static ITemporalClient Client => ActivityExecutionContext.Current.TemporalClient;

    public async Task<string?> DescribeAsync(ClusterName cluster, LeaseKind kind)
    {
        if (await HolderAsync(cluster, kind) is not { } holder)
        {
            return null;
        }

        var outcome = holder.TypedSearchAttributes.TryGetValue(Attributes.Outcome, out var word) ? word : "running";
        var by = holder.TypedSearchAttributes.TryGetValue(Attributes.RequestedBy, out var who) ? who : "somebody";
        var what = kind is LeaseKind.Cluster ? $"{cluster} is" : $"{cluster}'s {PgFlowText.Word(kind)} lease is";
        return $"{what} held by {holder.WorkflowType} {holder.Id}, started {holder.StartTime:yyyy-MM-dd HH:mm:ss}Z by {by}, now {outcome}; "
            + $"wait for it (pgflow watch {holder.Id}) or end it (pgflow cancel {holder.Id})";
    }

    public async Task<string?> EndBackupAsync(ClusterName cluster)
    {
        await Permit.RequireAsync(cluster);
        if (await HolderAsync(cluster, LeaseKind.Backup) is not { } holder)
        {
            return null;
        }

        var (handle, clock) = (Client.GetWorkflowHandle(holder.Id, holder.RunId), Stopwatch.StartNew());
        await handle.CancelAsync();
        while (await HolderAsync(cluster, LeaseKind.Backup) is { } still && still.RunId == holder.RunId)
        {
            if (clock.Elapsed > CancelLimit)
            {
                await handle.TerminateAsync($"{ActivityExecutionContext.Current.Info.WorkflowId} could not wait for it any longer");
                await jobs.RemoveOfRunAsync(holder.RunId);
            }

            await Task.Delay(Poll, ActivityExecutionContext.Current.CancellationToken);
        }

        return $"{holder.WorkflowType} {holder.Id} was {(clock.Elapsed > CancelLimit ? "terminated" : "cancelled")}";
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

    /// <summary>The procedure that holds a lease; a lease whose procedure does not run any more is ended.</summary>
    private static async Task<WorkflowExecutionDescription?> HolderAsync(ClusterName cluster, LeaseKind kind)
    {
        var lease = await FindAsync(ClusterLease.IdOf(cluster, kind), run: null);
        if (lease is not { Status: WorkflowExecutionStatus.Running, ParentId: { } parent })
        {
            return null;
        }

        var holder = await FindAsync(parent, lease.ParentRunId);
        if (holder is { Status: WorkflowExecutionStatus.Running })
        {
            return holder;
        }

        // The holder was reset: nobody will ever release this run of the lease.
        await Client.GetWorkflowHandle(lease.Id, lease.RunId).TerminateAsync($"its procedure {parent} does not run any more");
        return null;
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

using System.Diagnostics;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Activities;

internal sealed class LeaseActivities(JobRunner jobs, TimeLimits limits) : ILeaseActivities
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private static ITemporalClient Client => ActivityExecutionContext.Current.TemporalClient;

    public async Task<HeldLease?> DescribeLeaseAsync(ClusterName cluster, LeaseKind kind) =>
        await HolderAsync(cluster, kind) is { } holder ? await HeldAsync(cluster, kind, holder) : null;

    public async Task<string?> EndBackupAsync(ClusterName cluster)
    {
        await Permit.RequireAsync();
        return await HolderAsync(cluster, LeaseKind.Backup) is { } holder
            ? await EndAsync(
                cluster,
                LeaseKind.Backup,
                holder,
                handle => CancelAsync(handle, "it was in the way"),
                "cancelled"
            )
            : null;
    }

    public async Task<IReadOnlyList<string>> EndSchedulesAsync(ClusterName cluster)
    {
        var ended = new List<string>();
        if (await CancelOfGoneAsync(Client.GetWorkflowHandle(WatchCluster.IdOf(cluster))))
        {
            ended.Add($"witness {WatchCluster.IdOf(cluster)} has ended");
        }

        foreach (var id in ProcedureList.All.Select(entry => entry.ScheduleOf(cluster.ToString())).OfType<string>())
        {
            await Permit.RequireAsync();
            try
            {
                await Client
                    .GetScheduleHandle(id)
                    .DeleteAsync(new() { CancellationToken = ActivityExecutionContext.Current.CancellationToken });
                ended.Add($"schedule {id} has ended");
            }
            catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
            {
                // there is none
            }
        }

        await foreach (var waiting in WaitingAsync(cluster))
        {
            if (await CancelOfGoneAsync(Client.GetWorkflowHandle(waiting.Id, waiting.RunId)))
            {
                ended.Add($"{waiting.WorkflowType} {waiting.Id}, which waited for approval, is cancelled");
            }
        }

        return ended;
    }

    public async Task<string?> TakeOverLeaseAsync(ClusterName cluster, LeaseKind kind, string from, Yielding decision)
    {
        if (await HolderAsync(cluster, kind) is not { } holder)
        {
            return null;
        }

        var held = await HeldAsync(cluster, kind, holder);
        return holder.Id == from && held.CanBeTaken
            ? await EndAsync(
                cluster,
                kind,
                holder,
                handle => AskToYieldAsync(handle, decision),
                $"{held.Outcome} before, it has yielded"
            )
            : throw Failure.Busy(held.Sentence);
    }

    public async Task<EarlierRun?> LeaveEarlierRunAsync(ClusterName cluster, LeaseKind kind)
    {
        var info = ActivityExecutionContext.Current.Info;
        if (
            await FindAsync(ClusterLease.IdOf(cluster, kind), run: null)
            is not { ParentId: { } parent, ParentRunId: { } run }
        )
        {
            return null;
        }

        if (parent != info.WorkflowId)
        {
            throw await DescribeLeaseAsync(cluster, kind) is { } held
                ? Failure.Break(held.Sentence, held.Hints)
                : Failure.Break(
                    $"{parent} has had {cluster} since this procedure lost its lease: what this one remembers is not "
                        + "so any more"
                );
        }

        if (run == info.WorkflowRunId)
        {
            return null;
        }

        var earlier = await Client.GetWorkflowHandle(parent, run).QueryAsync<ProcedureProgress>("progress", []);
        await HolderAsync(cluster, kind);
        return new(
            [.. earlier.Steps.Select(step => new PlannedStep(step.Id, step.Title))],
            earlier.Status is ProcedureStatus.Succeeded or ProcedureStatus.Incomplete
                || earlier.Steps.Any(step => step.AfterPointOfNoReturn)
        );
    }

    public async Task<string> FindStarterAsync()
    {
        await foreach (var started in OwnHistoryAsync())
        {
            return NameOf(started.WorkflowExecutionStartedEventAttributes?.Identity);
        }

        return NameOf(identity: null);
    }

    public async Task<HumanAct> FindCancelAsync()
    {
        await foreach (var seen in OwnHistoryAsync())
        {
            if (seen.WorkflowExecutionCancelRequestedEventAttributes is { } cancel)
            {
                var reason = Printable(cancel.Cause);
                return new(
                    Procedure.Cancel,
                    NameOf(cancel.Identity),
                    reason.Length > 0 ? reason : null,
                    seen.EventTime.ToDateTimeOffset()
                );
            }
        }

        throw Failure.Break("nobody has cancelled this workflow");
    }

    private static IAsyncEnumerable<Temporalio.Api.History.V1.HistoryEvent> OwnHistoryAsync()
    {
        var info = ActivityExecutionContext.Current.Info;
        return Client.GetWorkflowHandle(info.WorkflowId!, info.WorkflowRunId).FetchHistoryEventsAsync();
    }

    /// <summary>Says by whom and why, which its own record then has.</summary>
    /// <param name="handle">The one that is cancelled.</param>
    /// <param name="why">Why.</param>
    /// <param name="by">Who decided so; the procedure that needs it where nobody did.</param>
    private static async Task CancelAsync(WorkflowHandle handle, string why, string? by = null) =>
        await Client.WorkflowService.RequestCancelWorkflowExecutionAsync(
            new()
            {
                Namespace = Client.Options.Namespace,
                WorkflowExecution = new() { WorkflowId = handle.Id, RunId = handle.RunId ?? "" },
                Identity = by ?? ActivityExecutionContext.Current.Info.WorkflowId,
                RequestId = Guid.NewGuid().ToString(),
                Reason = why,
            },
            new() { CancellationToken = ActivityExecutionContext.Current.CancellationToken }
        );

    private static string NameOf(string? identity) =>
        Printable(identity) is { Length: > 0 } name ? name : Procedure.Anonymous;

    private static string Printable(string? text) => new([.. (text ?? "").Where(sign => !char.IsControl(sign))]);

    /// <summary>But itself: Temporal's list may be a moment old.</summary>
    private static IAsyncEnumerable<WorkflowExecution> WaitingAsync(ClusterName cluster) =>
        Client
            .ListWorkflowsAsync(
                $"{Attributes.Cluster.Name} = '{cluster}' AND ExecutionStatus = 'Running' "
                    + $"AND {Attributes.Outcome.Name} = '{PgFlowText.Word(ProcedureStatus.WaitingForApproval)}'"
            )
            .Where(waiting => waiting.Id != ActivityExecutionContext.Current.Info.WorkflowId);

    /// <returns>Whether it ran.</returns>
    private static async Task<bool> CancelOfGoneAsync(WorkflowHandle handle)
    {
        await Permit.RequireAsync();
        try
        {
            await CancelAsync(handle, "its cluster is gone");
            return true;
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>One that can still undo is cancelled instead; one whose code does not run can't answer.</summary>
    private async Task AskToYieldAsync(WorkflowHandle handle, Yielding decision)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(
            ActivityExecutionContext.Current.CancellationToken
        );
        limit.CancelAfter(limits.Answer);
        try
        {
            await handle.ExecuteUpdateAsync(
                "yield",
                [decision],
                new() { Rpc = new() { CancellationToken = limit.Token } }
            );
        }
        catch (WorkflowUpdateFailedException)
        {
            await CancelAsync(
                handle,
                $"{decision.To} took the cluster from it{PgFlowText.Because(decision.Reason)}",
                decision.By
            );
        }
        catch (Exception e)
            when (e is RpcException or OperationCanceledException
                && !ActivityExecutionContext.Current.CancellationToken.IsCancellationRequested
            )
        {
            // It is terminated when its time is over.
        }
    }

    /// <summary>Asks a procedure to end, and terminates it where that takes too long.</summary>
    /// <returns>How it ended.</returns>
    private async Task<string> EndAsync(
        ClusterName cluster,
        LeaseKind kind,
        WorkflowExecutionDescription holder,
        Func<WorkflowHandle, Task> ask,
        string asked
    )
    {
        var (handle, clock) = (Client.GetWorkflowHandle(holder.Id, holder.RunId), Stopwatch.StartNew());
        ProgressReporter.Now?.EndsAnother = true;
        await ask(handle);
        for (
            ;
            (await HolderAsync(cluster, kind))?.RunId == holder.RunId;
            await Task.Delay(Poll, ActivityExecutionContext.Current.CancellationToken)
        )
        {
            if (clock.Elapsed > limits.Cancel)
            {
                await handle.TerminateAsync(
                    $"{ActivityExecutionContext.Current.Info.WorkflowId} could not wait for it any longer"
                );
                await jobs.RemoveOfRunAsync(holder.RunId);
            }
        }

        return $"{holder.WorkflowType} {holder.Id} was {(clock.Elapsed > limits.Cancel ? "terminated" : asked)}";
    }

    /// <summary>How the holder of a lease stands.</summary>
    private static async Task<HeldLease> HeldAsync(
        ClusterName cluster,
        LeaseKind kind,
        WorkflowExecutionDescription holder
    )
    {
        var pending = await Client.WorkflowService.DescribeWorkflowExecutionAsync(
            new()
            {
                Namespace = Client.Options.Namespace,
                Execution = new() { WorkflowId = holder.Id, RunId = holder.RunId },
            }
        );
        return new(
            cluster,
            kind,
            holder.WorkflowType,
            holder.Id,
            holder.StartTime,
            holder.TypedSearchAttributes.TryGetValue(Attributes.RequestedBy, out var who) ? who : "somebody",
            holder.TypedSearchAttributes.TryGetValue(Attributes.Outcome, out var word) ? word : "running",
            HeldLease.WhyStuck(
                pending.PendingWorkflowTask?.Attempt ?? 0,
                pending.PendingActivities.Select(activity =>
                    (activity.ActivityType.Name, activity.Attempt, activity.LastFailure?.Message)
                )
            )
        );
    }

    /// <summary>The procedure that holds a lease: its newest run, since one that was reset takes the lease again with
    /// its next change. A lease without one is ended.</summary>
    private async Task<WorkflowExecutionDescription?> HolderAsync(ClusterName cluster, LeaseKind kind)
    {
        var lease = await FindAsync(ClusterLease.IdOf(cluster, kind), run: null);
        if (lease is not { Status: WorkflowExecutionStatus.Running, ParentId: { } parent })
        {
            return null;
        }

        var asking = ActivityExecutionContext.Current.Info;
        if (
            await FindAsync(parent, run: null) is { Status: WorkflowExecutionStatus.Running } holder
            && holder.RunId != asking.WorkflowRunId
        )
        {
            return holder;
        }

        // Of a run that is over, since nobody holds the same lease twice: the one that asks was reset, or the one that
        // held it is gone.
        ProgressReporter.Now?.EndsAnother = true;
        await Client
            .GetWorkflowHandle(lease.Id, lease.RunId)
            .TerminateAsync($"its procedure {parent} does not run any more");
        // what it was allowed to do by then has begun, or never will
        await Task.Delay(Permit.Fresh, ActivityExecutionContext.Current.CancellationToken);
        await jobs.RemoveOfRunAsync(lease.ParentRunId!);
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

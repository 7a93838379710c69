using Temporalio.Activities;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Activities;

/// <summary>What a procedure must ask Temporal about itself and about others.</summary>
public interface ILeaseActivities
{
    /// <summary>Who holds a lease of <paramref name="cluster"/>; null when nobody does.</summary>
    /// <remarks>A lease whose procedure is not running any more, and one that the asking procedure held before it was
    /// reset, is ended first.</remarks>
    [Activity]
    Task<HeldLease?> DescribeLeaseAsync(ClusterName cluster, LeaseKind kind = LeaseKind.Cluster);

    /// <summary>Post-condition: nobody takes a backup of <paramref name="cluster"/>. Whoever did was cancelled, and
    /// terminated where that took too long.</summary>
    /// <returns>Who did, as a sentence; null when nobody.</returns>
    [Activity]
    Task<string?> EndBackupAsync(ClusterName cluster);

    /// <summary>Post-condition: nothing starts a procedure for <paramref name="cluster"/> by itself, neither one of
    /// PgFlow's schedules nor its witness, and none waits for approval.</summary>
    /// <returns>What ended, as sentences.</returns>
    [Activity]
    Task<IReadOnlyList<string>> EndSchedulesAsync(ClusterName cluster);

    /// <summary>Post-condition: the procedure <paramref name="from"/> no longer holds the lease. It was asked to yield,
    /// and terminated where it did not react.</summary>
    /// <returns>How it ended, as a sentence; null when nobody holds the lease.</returns>
    /// <exception cref="PgFlowException">Another one holds it, or it makes progress
    /// (<see cref="FailureTypes.ClusterBusy"/>).</exception>
    [Activity]
    Task<string?> TakeOverLeaseAsync(ClusterName cluster, LeaseKind kind, string from, Yielding decision);

    /// <summary>Post-condition: nothing is left of the lease that the asking procedure had before it was reset, and no
    /// job of its earlier run.</summary>
    /// <returns>What the earlier run had begun; null where there was none, and somebody ended the lease.</returns>
    /// <exception cref="PgFlowException">Another procedure has had the cluster since
    /// (<see cref="FailureTypes.Broken"/>).</exception>
    [Activity]
    Task<EarlierRun?> LeaveEarlierRunAsync(ClusterName cluster, LeaseKind kind);

    /// <summary>Who started the workflow that asks, as far as its history tells.</summary>
    [Activity]
    Task<string> FindStarterAsync();

    /// <summary>Who has cancelled the workflow that asks, why and when.</summary>
    [Activity]
    Task<HumanAct> FindCancelAsync();
}

/// <summary>What a run had begun that was reset: the one that goes on may remember less.</summary>
/// <param name="Steps">Its steps.</param>
/// <param name="PassedPointOfNoReturn">Nothing of it may be undone: it has passed that point, or succeeded, or
/// left things as they were.</param>
public sealed record EarlierRun(IReadOnlyList<PlannedStep> Steps, bool PassedPointOfNoReturn);

/// <summary>A cluster for one procedure at a time.</summary>
internal static class Leases
{
    /// <summary>Who has cancelled this workflow, why and when.</summary>
    public static Task<HumanAct> CancelAsync() =>
        ActivityCall.AfterCancelAsync(
            (ILeaseActivities activities) => activities.FindCancelAsync(),
            "Who cancelled this, and why?"
        );

    public static Task<string> StarterAsync() =>
        ActivityCall.QueryAsync((ILeaseActivities activities) => activities.FindStarterAsync(), "Who started this?");

    public static Task<string?> EndBackupAsync(ClusterName cluster) =>
        ActivityCall.ChangeAsync(
            (ILeaseActivities activities) => activities.EndBackupAsync(cluster),
            $"End a backup of {cluster}, if one is being taken"
        );

    public static Task<IReadOnlyList<string>> EndSchedulesAsync(ClusterName cluster) =>
        ActivityCall.ChangeAsync(
            (ILeaseActivities activities) => activities.EndSchedulesAsync(cluster),
            $"End the schedules and the witness of {cluster}, and what waits for approval"
        );

    /// <inheritdoc cref="ILeaseActivities.TakeOverLeaseAsync"/>
    public static Task<string?> TakeOverAsync(ClusterName cluster, LeaseKind kind, string from, Yielding decision) =>
        ActivityCall.ChangeAsync(
            (ILeaseActivities activities) => activities.TakeOverLeaseAsync(cluster, kind, from, decision),
            $"Take {cluster} from {from}"
        );

    /// <inheritdoc cref="ILeaseActivities.LeaveEarlierRunAsync"/>
    public static Task<EarlierRun?> LeaveEarlierAsync(ClusterName cluster, LeaseKind kind) =>
        ActivityCall.ChangeAsync(
            (ILeaseActivities activities) => activities.LeaveEarlierRunAsync(cluster, kind),
            $"What is left of the lease of {cluster}"
        );

    /// <summary>Refuses while a procedure holds the lease.</summary>
    /// <param name="kind">What for.</param>
    /// <param name="asking">What the procedure was given that asks.</param>
    /// <param name="besides">What is said besides.</param>
    /// <exception cref="PgFlowException">Who does (<see cref="FailureTypes.ClusterBusy"/>).</exception>
    public static async Task RequireFreeAsync(LeaseKind kind, ProcedureInput asking, string besides = "")
    {
        var holder = await ActivityCall.ChangeAsync(
            (ILeaseActivities activities) => activities.DescribeLeaseAsync(asking.Cluster, kind),
            $"Who holds {asking.Cluster}?",
            Duration.Short
        );
        if (holder is not null)
        {
            throw holder.RefusalOf(asking, besides);
        }
    }

    /// <summary>Takes the lease.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="kind">What for.</param>
    /// <param name="holder">Who takes it.</param>
    /// <param name="whenHeld">Ends whoever holds it, where a person has decided so, or refuses.</param>
    public static async Task<ChildWorkflowHandle<ClusterLease>> TakeAsync(
        ClusterName cluster,
        LeaseKind kind,
        LeaseHolder holder,
        Func<Task> whenHeld
    )
    {
        while (true)
        {
            try
            {
                return await Workflow.StartChildWorkflowAsync(
                    (ClusterLease lease) => lease.RunAsync(holder),
                    new()
                    {
                        Id = ClusterLease.IdOf(cluster, kind),
                        StaticSummary = $"{cluster} is held by {holder.Procedure}",
                        ParentClosePolicy = ParentClosePolicy.Terminate,
                        // a cancelled procedure needs it until all is undone
                        CancellationToken = CancellationToken.None,
                    }
                );
            }
            catch (WorkflowAlreadyStartedException)
            {
                await whenHeld();
            }
        }
    }

    /// <summary>Gives the lease back, so that the next procedure finds it free when this one has ended.</summary>
    /// <returns>Whether it was still held.</returns>
    public static async Task<bool> ReleaseAsync(this ChildWorkflowHandle<ClusterLease> lease)
    {
        try
        {
            await lease.SignalAsync(held => held.ReleaseAsync(), new() { CancellationToken = CancellationToken.None });
            await lease.GetResultAsync();
            return true;
        }
        catch (FailureException)
        {
            return false;
        }
    }
}

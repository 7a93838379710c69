using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <content>How it gets its lease.</content>
public abstract partial class Procedure<TInput>
{
    private Task<ChildWorkflowHandle<ClusterLease>> TakeAsync(Func<Task> whenHeld) =>
        Leases.TakeAsync(
            _input.Cluster,
            Lease,
            new(Workflow.Info.WorkflowType, Workflow.Info.WorkflowId, _by),
            whenHeld
        );

    private protected override async Task<EarlierRun?> TakeAgainAsync()
    {
        var earlier = await Leases.LeaveEarlierAsync(_input.Cluster, Lease);
        Held = await TakeAsync(RefuseAsync);
        return earlier;
    }

    private Task RefuseAsync() => Leases.RequireFreeAsync(Lease, _input);

    /// <summary>Ends the procedure that a person has named, and says so in both records.</summary>
    private async Task EvictAsync()
    {
        var decision = new Yielding($"{Workflow.Info.WorkflowType} {Workflow.Info.WorkflowId}", _by, _input.Reason);
        try
        {
            if (await Leases.TakeOverAsync(_input.Cluster, Lease, _input.TakeOver!, decision) is { } ended)
            {
                Notes.Add(
                    $"{_by} took the cluster for this from {_input.TakeOver}{PgFlowText.Because(_input.Reason)}: "
                        + ended
                );
            }
        }
        catch (ActivityFailureException e) when (TemporalFailures.IsBusy(e))
        {
            await RefuseAsync(); // with the ways on, among them whom it can be taken from
        }
    }
}

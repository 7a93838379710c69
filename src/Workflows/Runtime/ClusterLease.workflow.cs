using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>Holds a cluster for one procedure. There is one running workflow of an ID, whoever asks, so there is one
/// holder.</summary>
[Workflow]
public sealed class ClusterLease
{
    private bool _released;

    /// <summary>The workflow ID of a cluster's lease. The dot keeps it apart from the leases of other clusters: no
    /// cluster's name has one.</summary>
    public static string IdOf(ClusterName cluster, LeaseKind kind = LeaseKind.Cluster) =>
        kind is LeaseKind.Cluster ? $"pgflow-lease-{cluster}" : $"pgflow-lease-{cluster}.{PgFlowText.Word(kind)}";

    /// <summary>Waits until it is released; ends with its parent at the latest.</summary>
    [WorkflowRun]
    public async Task RunAsync(LeaseHolder holder)
    {
        Workflow.CurrentDetails = $"Held by {holder.Procedure} `{holder.WorkflowId}`, asked for by {holder.By}.";
        await Workflow.WaitConditionAsync(() => _released);
    }

    /// <summary>Ends the lease.</summary>
    [WorkflowSignal]
    public Task ReleaseAsync()
    {
        _released = true;
        return Task.CompletedTask;
    }
}

/// <summary>What a lease is for. Procedures with different ones work side by side.</summary>
public enum LeaseKind
{
    /// <summary>Everything that changes roles, nodes or data.</summary>
    Cluster,

    /// <summary>Backups and restore points: they never keep a failover waiting.</summary>
    Backup,

    /// <summary>Proving that a backup can be recovered.</summary>
    Verify,

    /// <summary>The records of the cluster's witness.</summary>
    Witness,
}

/// <summary>Who holds a lease.</summary>
/// <param name="Procedure">The procedure.</param>
/// <param name="WorkflowId">Its workflow.</param>
/// <param name="By">Who asked for it.</param>
public sealed record LeaseHolder(string Procedure, string WorkflowId, string By);

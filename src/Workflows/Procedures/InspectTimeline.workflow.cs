using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What InspectTimeline takes.</summary>
public sealed record InspectTimelineInput : ProcedureInput;

/// <summary>Shows a cluster's past: its branches, backups, restore points, and what can be recovered to. Takes no lease
/// and changes nothing.</summary>
[Workflow]
public sealed class InspectTimeline : Procedure
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public async Task<TimelineTree> RunAsync(InspectTimelineInput? input = null)
    {
        var cluster = BeginLook(input ?? new());
        var state = await Clusters.ObserveAsync(cluster);
        Show(state.Exists ? ProcedureStatus.Running : ProcedureStatus.Refused);
        var tree = await Repositories.ReadAsync(state.RequireExisting().Cluster);
        Show(ProcedureStatus.Succeeded);
        return tree;
    }
}

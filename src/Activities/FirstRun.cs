using Temporalio.Activities;

namespace PgFlow.Activities;

/// <summary>The run that the procedure of the activity at work began as. After a reset another one goes on, and finds by it what was set aside.</summary>
internal static class FirstRun
{
    /// <summary>Its short name.</summary>
    public static async Task<string> ShortAsync()
    {
        var (client, info) = (ActivityExecutionContext.Current.TemporalClient, ActivityExecutionContext.Current.Info);
        var described = await client.WorkflowService.DescribeWorkflowExecutionAsync(
            new() { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = info.WorkflowId, RunId = info.WorkflowRunId } });
        return Names.ShortRun(described.WorkflowExecutionInfo.FirstRunId);
    }
}

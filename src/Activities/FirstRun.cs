using System.Collections.Concurrent;
using Temporalio.Activities;

namespace PgFlow.Activities;

/// <summary>The run that the procedure of the activity at work began as. After a reset another one goes on, and finds
/// by it what was set aside.</summary>
internal static class FirstRun
{
    /// <summary>By the run that works: it never changes.</summary>
    private static readonly ConcurrentDictionary<string, string> Known = new();

    /// <summary>Its short name.</summary>
    public static async Task<string> ShortAsync()
    {
        var run = ActivityExecutionContext.Current.Info.WorkflowRunId!;
        return Names.ShortRun(Known.TryGetValue(run, out var first) ? first : Known[run] = await QueryScalarAsync(run));
    }

    private static async Task<string> QueryScalarAsync(string run)
    {
        var (client, info) = (ActivityExecutionContext.Current.TemporalClient, ActivityExecutionContext.Current.Info);
        var described = await client.WorkflowService.DescribeWorkflowExecutionAsync(
            new()
            {
                Namespace = client.Options.Namespace,
                Execution = new() { WorkflowId = info.WorkflowId, RunId = run },
            }
        );
        return described.WorkflowExecutionInfo.FirstRunId;
    }
}

using Temporalio.Client;

namespace PgFlow.SystemTests.World;

/// <summary>What a person does with steps that are blocked.</summary>
internal static class Blocked
{
    /// <summary>Tries them again.</summary>
    public static async Task RetryAsync(WorkflowHandle handle, IReadOnlyList<BlockedStep> blocked)
    {
        foreach (var step in blocked)
        {
            await handle.ExecuteUpdateAsync("resolve", [new Resolution(ResolveAction.Retry, "test", Step: step.Step)]);
        }
    }

    /// <summary>Repairs what a procedure is blocked by and tries again, until it succeeds.</summary>
    /// <param name="handle">The procedure.</param>
    /// <param name="repair">How; nothing needs to be repaired where none is given.</param>
    /// <param name="why">What is first to be said of it.</param>
    public static async Task FinishAsync<T>(
        WorkflowHandle<T, Report> handle,
        Func<Task>? repair = null,
        string why = ""
    )
    {
        var report = TestCluster.ReportAsync(handle);
        var repaired = false;
        while (await Task.WhenAny(report, Task.Delay(200)) != report)
        {
            var blocked = (await handle.QueryAsync<ProcedureProgress>("progress", [])).Blocked;
            if (blocked.Count > 0)
            {
                Assert.True(
                    repaired || blocked.Any(step => step.Why.Contains(why, StringComparison.OrdinalIgnoreCase)),
                    string.Join('\n', blocked.Select(step => step.Why))
                );
                await (repair?.Invoke() ?? Task.CompletedTask);
                repaired = true;
                await RetryAsync(handle, blocked);
            }
        }

        await report;
    }
}

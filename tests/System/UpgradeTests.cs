using System.Diagnostics;
using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>What runs while a new version is installed goes on with it.</summary>
public sealed class UpgradeTests(TemporalServer temporal)
{
    [Fact]
    public async Task A_procedure_that_the_previous_build_began_ends_with_this_one()
    {
        var previous = await PreviousBuildAsync();
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        cluster.Worker.Kill9();
        var old = cluster.StartWorker(previous);
        var switchover = await cluster.StartAsync(
            (Switchover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = NodeName.Of(2),
                        Approve = true,
                    }
                )
        );
        await Host.UntilAsync(
            "it waits for approval",
            async () =>
                (await switchover.DescribeAsync()).TypedSearchAttributes.TryGetValue(Attributes.Outcome, out var word)
                && word == PgFlowText.Word(ProcedureStatus.WaitingForApproval)
        );
        old.Kill9();

        cluster.StartWorker();
        ProcedureProgress? today = null;
        await Host.UntilAsync("this build goes on", async () => (today = await ProgressAsync(switchover)) is not null);
        await switchover.ExecuteUpdateAsync("approve", [new Approval(today!.Plan!.Hash, "test")]);

        var report = await TestCluster.ReportAsync(switchover);
        Assert.Equal(ProcedureStatus.Succeeded, report.Outcome);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    /// <summary>Null while no worker answers.</summary>
    private static async Task<ProcedureProgress?> ProgressAsync(WorkflowHandle handle)
    {
        try
        {
            return await handle.QueryAsync<ProcedureProgress>(
                "progress",
                [],
                new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(2) } }
            );
        }
        catch (Temporalio.Exceptions.RpcException)
        {
            return null;
        }
    }

    /// <summary>The folder of its worker; in a clone without that commit the test is skipped with what to do.</summary>
    private static async Task<string> PreviousBuildAsync()
    {
        var script = Path.Combine(AppContext.BaseDirectory, "../../../../../scripts/previous-build");
        using var process = Process.Start(
            new ProcessStartInfo(script) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var error = process.StandardError.ReadToEndAsync();
        var folder = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.SkipWhen(process.ExitCode == 2, await error);
        Assert.True(process.ExitCode == 0, await error);
        return folder.Trim();
    }
}

using Temporalio.Exceptions;

namespace PgFlow.SystemTests;

public sealed class ScheduleTests(TemporalServer temporal)
{
    [Fact]
    public async Task It_is_shown_with_its_last_result_ends_with_its_cluster_and_needs_one()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var name = cluster.Name.ToString();
        Assert.Equal(0, (await PgFlowAsync("backup", name, "--schedule", "0 2 1 1 *")).Code);
        Assert.Contains("TakeBackup next at ", (await PgFlowAsync("status", name)).Output, StringComparison.Ordinal);
        Assert.Contains("no run has ended yet", (await PgFlowAsync("status", name)).Output, StringComparison.Ordinal);

        var schedule = temporal.Client.GetScheduleHandle($"pgflow-backup-{name}");
        await schedule.TriggerAsync();
        await Host.UntilAsync(
            "its run has succeeded",
            async () =>
                (await PgFlowAsync("status", name)).Output.Contains("; last succeeded, ", StringComparison.Ordinal)
        );
        Assert.Contains(
            "\"outcome\": \"succeeded\"",
            (await PgFlowAsync("status", name, "-o", "json")).Output,
            StringComparison.Ordinal
        );

        await schedule.PauseAsync("a person");
        var (ill, doctor) = await PgFlowAsync("doctor");
        Assert.Equal(1, ill);
        Assert.Contains($"pgflow-backup-{name}: is paused", doctor, StringComparison.Ordinal);
        var again = await PgFlowAsync("backup", name, "--schedule", "0 3 1 1 *");
        Assert.Contains("0 3 1 1 * UTC; it is paused", again.Output, StringComparison.Ordinal);

        var waiting = await cluster.StartAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Name = "waits",
                        Approve = true,
                    }
                )
        );
        await Host.UntilAsync(
            "it waits for approval",
            async () => (await PgFlowAsync("status", name)).Output.Contains(waiting.Id, StringComparison.Ordinal)
        );

        var report = await cluster.RunAsync(
            (DestroyCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Approve = false,
                    }
                )
        );
        Assert.Equal(
            [
                $"schedule pgflow-backup-{name} has ended",
                $"CreateRestorePoint {waiting.Id}, which waited for approval, is cancelled",
            ],
            report.Notes
        );
        await Assert.ThrowsAsync<WorkflowFailedException>(() => waiting.GetResultAsync());
        Assert.Contains("its cluster is gone", (await PgFlowAsync("show", waiting.Id)).Output);
        var gone = await Assert.ThrowsAsync<RpcException>(() => schedule.DescribeAsync());
        Assert.Equal(RpcException.StatusCode.NotFound, gone.Code);

        var (code, said) = await PgFlowAsync("verify", name, "--schedule", "0 2 1 1 *");
        Assert.NotEqual(0, code);
        Assert.Contains($"there is no cluster {name}", said, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RpcException>(() =>
            temporal.Client.GetScheduleHandle($"pgflow-verify-{name}").DescribeAsync()
        );
    }

    private Task<(int Code, string Output)> PgFlowAsync(params string[] arguments) =>
        PgFlowProgram.RunAsync(temporal.Client, arguments);
}

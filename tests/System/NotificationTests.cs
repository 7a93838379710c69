namespace PgFlow.SystemTests;

/// <summary>Somebody's webhook and somebody's program, told by the real worker.</summary>
public sealed class NotificationTests(TemporalServer temporal)
{
    private const string Reason = "\"p1\" is gone;\n$(id) é";

    [Fact]
    public async Task A_failover_is_told_to_both_does_not_wait_for_them_and_what_a_killed_worker_left_is_told_again()
    {
        using var hook = new WebhookReceiver { Hangs = true };
        using var program = ProgramFile.KeepingItsInput();
        string[] arguments =
        [
            "--notify-url",
            $"{hook.Url}",
            "--notify-program",
            program.Command,
            "--ui",
            "http://localhost:8233",
        ];
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        cluster.Worker.Kill9();
        var worker = cluster.StartWorker(arguments: arguments);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await cluster.InspectAsync(); // nobody is told

        var report = await cluster.RunAsync(
            (Failover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Reason = Reason,
                    }
                )
        );
        var unanswered = await hook.NextAsync(2);
        var kept = await program.KeptAsync(2);
        worker.Kill9();
        hook.Release();
        cluster.StartWorker(arguments: arguments);
        var again = await hook.NextAsync(2);

        Assert.Equal(["pgflow.procedure.running", "pgflow.procedure.succeeded"], unanswered.Select(told => told.Type));
        Assert.Equal(unanswered.Select(told => (told.Id, told.Text)), again.Select(told => (told.Id, told.Text)));
        Assert.Equal(unanswered.Select(told => told.Text).Order(), kept.Order());
        Assert.All(
            again,
            told =>
                Assert.Equal(
                    (cluster.Name, report.WorkflowId, "test", Reason, report.Plan!.Summary),
                    (told.Data.Cluster, told.Data.WorkflowId, told.Data.By, told.Data.Reason, told.Data.Plan)
                )
        );
        Assert.Equal(report.Summary, again[1].Data.Summary);
        Assert.Equal(
            $"http://localhost:8233/namespaces/default/workflows/{report.WorkflowId}/{report.RunId}/history",
            $"{again[1].Data.Link}"
        );
        Assert.True(hook.IsQuiet);
    }
}

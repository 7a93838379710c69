namespace PgFlow.SystemTests;

/// <summary>What somebody on call types first, in the real <c>pgflow</c>.</summary>
public sealed class OnCallTests(TemporalServer temporal)
{
    [Fact]
    public async Task A_shell_the_logs_the_address_and_who_did_what_are_one_command_away()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var name = cluster.Name.ToString();
        Assert.Contains("42", await SaidAsync("psql", name, "-c", "SELECT 40 + 2"), StringComparison.Ordinal);
        Assert.Contains("43", await SaidAsync("psql", name, "p1", "-c", "SELECT 40 + 3"), StringComparison.Ordinal);
        Assert.Contains(
            $"postgresql://app@{cluster.Vip}:5432/app",
            await SaidAsync("connection", name),
            StringComparison.Ordinal
        );

        await SaidAsync("status", name);
        var logged = await SaidAsync("logs", name);
        Assert.Contains("database system is ready to accept connections", logged, StringComparison.Ordinal);
        Assert.DoesNotContain("skipping missing configuration file", logged, StringComparison.Ordinal);
        Assert.Equal(3, (await PgFlowAsync("logs", "nowhere")).Code);

        var point = await cluster.StartAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        Name = "before",
                        By = "anna's own",
                        Reason = "a new release",
                    }
                )
        );
        await TestCluster.ReportAsync(point);
        await Host.UntilAsync(
            "the list has it",
            async () =>
                (
                    await SaidAsync("history", name, "--by", "anna's", "--since", "1h", "--outcome", "succeeded")
                ).Contains("a new release", StringComparison.Ordinal)
        );
        Assert.Contains("reason  a new release", await SaidAsync("show", point.Id[..^3]), StringComparison.Ordinal);
        var (code, said) = await PgFlowAsync("cancel", point.Id[..^3]);
        Assert.Equal(2, code);
        Assert.Contains(point.Id, said, StringComparison.Ordinal);
    }

    private async Task<string> SaidAsync(params string[] arguments)
    {
        var (code, said) = await PgFlowAsync(arguments);
        Assert.True(code == 0, said);
        return said;
    }

    private Task<(int Code, string Output)> PgFlowAsync(params string[] arguments) =>
        PgFlowProgram.RunAsync(temporal.Client, arguments);
}

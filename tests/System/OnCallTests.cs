using System.Text.Json.Nodes;

namespace PgFlow.SystemTests;

/// <summary>What somebody on call types first, in the real <c>pgflow</c>.</summary>
public sealed class OnCallTests(TemporalServer temporal)
{
    [Fact]
    public async Task A_shell_the_logs_the_address_and_who_did_what_are_one_command_away()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var name = cluster.Name.ToString();
        Assert.Contains("42", await SaidAsync("psql", name, "-c", "SELECT 40 + 2"), Ordinal);
        var both = await SaidAsync("psql", name, "p1", "-c", "SELECT 40 + 3", "-c", "SELECT 40 + 4");
        Assert.True(both.Contains("43", Ordinal) && both.Contains("44", Ordinal), both);
        Assert.Contains($"postgresql://app@{cluster.Vip}:5432/app", await SaidAsync("connection", name), Ordinal);

        var (stopped, looks) = await PgFlowProgram.RunUntilAsync(
            temporal.Client,
            said => Count(said, "last backup: ") > 1,
            "status",
            name,
            "--watch"
        );
        Assert.True(stopped == 130 && Count(looks, "every 5 s") > 1, looks);
        var logged = await SaidAsync("logs", name);
        Assert.Contains("database system is ready to accept connections", logged, Ordinal);
        Assert.DoesNotContain("skipping missing configuration file", logged, Ordinal);
        Assert.Equal(3, (await PgFlowAsync("logs", "nowhere")).Code);
        await AsksWhoeverIsThereAsync(name);

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
                ).Contains("a new release", Ordinal)
        );
        Assert.Contains("reason  a new release", await SaidAsync("show", point.Id[..^3]), Ordinal);
        var dry = await SaidAsync("restore-point", name, "after", "--dry-run", "--detach");
        var described = await temporal.Client.GetWorkflowHandle(dry.Split('\n')[0]).DescribeAsync();
        // the Web UI's form for another one copies it
        Assert.Equal($"CreateRestorePoint {name}", await described.GetStaticSummaryAsync());
        Assert.Contains("reason  a new release", await SaidAsync("show", "last"), Ordinal);
        var (code, said) = await PgFlowAsync("cancel", point.Id[..^3]);
        Assert.Equal(2, code);
        Assert.Contains(point.Id, said, Ordinal);

        await Host.DockerAsync("stop", cluster.Node(1).Container);
        (code, said) = await PgFlowAsync("psql", name, "p1", "-c", "SELECT 1", "-c", "SELECT 2");
        Assert.True(code == 3 && said.Contains("p1 does not run: its container is exited", Ordinal), said);

        cluster.Worker.Kill9(); // what keeps it from looking is data too
        (code, said) = await PgFlowAsync("status", name, "--timeout", "8s", "-o", "json");
        var error = JsonNode.Parse(said[..(said.LastIndexOf('}') + 1)])!["error"]!;
        Assert.Equal((5, 5), (code, (int)error["exitCode"]!));
        Assert.Contains("no worker answers", error["detail"]!.ToJsonString(), Ordinal);
    }

    [Fact]
    public async Task Times_are_local_signs_are_ASCII_and_a_shell_completes_what_is_there()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var name = cluster.Name.ToString();
        var (_, local) = await PgFlowProgram.RunInAsync(
            temporal.Client,
            new() { ["TZ"] = "Asia/Kolkata", ["LC_ALL"] = "C" },
            "timeline",
            name
        );
        Assert.Contains("* timeline 1 LIVE  live since ", local, Ordinal);
        Assert.Contains("+05:30 backup ", local, Ordinal);
        Assert.All(local, symbol => Assert.True(char.IsAscii(symbol), local));

        var home = Directory.CreateTempSubdirectory();
        var temporalFile = Path.Combine(home.FullName, "temporal.toml");
        await File.WriteAllTextAsync(temporalFile, "", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(home.FullName, "pgflow.toml"),
            "utc = true\n",
            TestContext.Current.CancellationToken
        );
        var (_, utc) = await PgFlowProgram.RunInAsync(
            temporal.Client,
            new()
            {
                ["TZ"] = "Asia/Kolkata",
                ["LC_ALL"] = "C.UTF-8",
                ["TEMPORAL_CONFIG_FILE"] = temporalFile,
            },
            "timeline",
            name
        );
        home.Delete(recursive: true);
        Assert.Contains("● timeline 1 LIVE", utc, Ordinal);
        Assert.DoesNotContain("+05:30", utc, Ordinal);

        var backup = (await cluster.TimelineAsync()).Branches.Single().Backups.Single().Id;
        Assert.Contains(backup, await SuggestedAsync($"pgflow recover {name} --to-backup "), Ordinal);
        Assert.Contains(backup, await SuggestedAsync($"pgflow verify {name} "), Ordinal);
        Assert.Contains("p1", await SuggestedAsync($"pgflow logs {name} "), Ordinal);
        Assert.DoesNotContain("p2", await SuggestedAsync($"pgflow logs {name} "), Ordinal);
    }

    private const StringComparison Ordinal = StringComparison.Ordinal;

    /// <summary>A yes that was typed before the question was there doesn't answer it, and Ctrl-C does, on a line of its
    /// own.</summary>
    private async Task AsksWhoeverIsThereAsync(string name)
    {
        foreach (var answer in new[] { "no\r", "\u0003" })
        {
            var (code, said) = await PgFlowProgram.RunAtTerminalAsync(
                temporal.Client,
                before: "yes\r",
                question: "Proceed?",
                answer,
                "restore-point",
                name,
                "typed"
            );
            Assert.True(code is not 0 && said.Contains("rejected", Ordinal), $"{code}: {said}");
            Assert.DoesNotMatch("Proceed.*rejected", said);
        }
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private async Task<string> SuggestedAsync(string line)
    {
        var (_, said) = await PgFlowAsync($"[suggest:{line.Length}]", line);
        return said;
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

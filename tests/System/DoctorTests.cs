using System.Diagnostics;
using System.Text.Json.Nodes;

namespace PgFlow.SystemTests;

/// <summary>The real <c>pgflow doctor</c> beside a real worker.</summary>
public sealed class DoctorTests(TemporalServer temporal)
{
    [Fact]
    public async Task It_looks_at_what_the_worker_has()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);

        var said = await SaidAsync();

        foreach (var what in (string[])["Worker", "Docker", "Log driver", "Volumes", "Clock", "Images"])
        {
            Assert.All(said.Where(answer => answer.What == what), answer => Assert.True(answer.Ok, answer.Found));
            Assert.Contains(said, answer => answer.What == what);
        }

        Assert.Contains($"{cluster.Name}/p1", said.Single(answer => answer.What == "Clock").Found);
        Assert.DoesNotContain(said, answer => !answer.Ok && answer.Found.Contains(cluster.Name.ToString()));
        Assert.Empty(await Host.DockerAsync("ps", "-aq", "--filter", "name=-job-space-"));

        var secrets = Path.Combine(WorkerProcess.Secrets, $"{cluster.Name}.pgpass");
        await RunAsync("chmod", "o+r", secrets);
        Assert.Contains(await SaidAsync(), answer => !answer.Ok && answer.Hint == $"chmod 600 {secrets}");
    }

    [Fact]
    public async Task A_worker_that_is_frozen_is_not_well()
    {
        using var worker = WorkerProcess.Start(temporal.Client);
        await Host.UntilAsync("it does what it is given", async () => IsWell(await SaidAsync()));

        await RunAsync("kill", "-STOP", $"{worker.Id}");
        var said = await SaidAsync();
        Assert.Contains(said, answer => answer.What == "Workers" && answer.Found.Contains($":{worker.Id} "));
        var frozen = said.Single(answer => answer.What == "Worker");
        Assert.False(frozen.Ok);
        // It has one poll open: once somebody's task has gone to it, it takes none.
        Assert.Matches($":{worker.Id} polls, was given a task and does nothing|polls .* takes no task", frozen.Found);

        await RunAsync("kill", "-CONT", $"{worker.Id}");
        await Host.UntilAsync("it does what it is given again", async () => IsWell(await SaidAsync()));
    }

    private static bool IsWell(IReadOnlyList<Answer> said) =>
        said.Any(answer => answer.What == "Worker") && said.All(answer => answer.What != "Worker" || answer.Ok);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    private async Task<IReadOnlyList<Answer>> SaidAsync()
    {
        var (_, said) = await PgFlowProgram.RunAsync(temporal.Client, "doctor", "-o", "json");
        return
        [
            .. JsonNode
                .Parse(said)!
                .AsArray()
                .Select(answer => new Answer(
                    $"{answer!["what"]}",
                    (bool)answer["ok"]!,
                    $"{answer["found"]}",
                    $"{answer["hint"]}"
                )),
        ];
    }

    private sealed record Answer(string What, bool Ok, string Found, string Hint);
}

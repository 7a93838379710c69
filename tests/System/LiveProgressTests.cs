using System.Text.RegularExpressions;

namespace PgFlow.SystemTests;

/// <summary>What a person reads of a copy that takes its time, in the real <c>pgflow</c>.</summary>
public sealed partial class LiveProgressTests(TemporalServer temporal)
{
    [Fact, Trait("Suite", "world")]
    public async Task A_backup_that_copies_shows_percent_and_what_is_left_in_show_and_in_watch()
    {
        await using var slow = await SlowImage.MakeAsync();
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1, image: slow.Name);
        await TestCluster.SqlAsync(
            cluster.Node(1),
            "CREATE TABLE t AS SELECT repeat('x', 1000) FROM generate_series(1, 90000); CHECKPOINT"
        );
        var backup = await cluster.StartAsync(
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );

        var watching = PgFlowAsync("watch", backup.Id);
        var shown = "";
        await Host.UntilAsync(
            "show says what is left",
            async () => Left().IsMatch(shown = (await PgFlowAsync("show", backup.Id)).Output)
        );
        TestContext.Current.SendDiagnosticMessage(shown);
        var (percent, done, total) = Read(Left().Match(shown));
        Assert.InRange(percent, 1, 99);
        Assert.InRange(percent, (100 * done / total) - 2, (100 * done / total) + 2);

        await TestCluster.ReportAsync(backup);
        var (code, watched) = await watching;
        TestContext.Current.SendDiagnosticMessage(watched);
        Assert.Equal(0, code);
        var lines = Left().Matches(watched).Select(line => Read(line).Percent).ToList();
        Assert.True(lines.Count > 1, watched);
        Assert.Equal(lines.Order(), lines);
    }

    private Task<(int Code, string Output)> PgFlowAsync(string command, string id) =>
        PgFlowProgram.RunAsync(temporal.Client, command, id);

    private static (int Percent, int Done, int Total) Read(Match line) =>
        (Number(line, "percent"), Number(line, "done"), Number(line, "total"));

    private static int Number(Match line, string name) =>
        int.Parse(line.Groups[name].Value, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex(
        "backup: (?<percent>[0-9]+) %, (?<done>[0-9]+) MB of (?<total>[0-9]+) MB, [0-9]+ [kM]B/s, about [0-9]+ s left"
    )]
    private static partial Regex Left();

    /// <summary>The tests' image with a pg_basebackup that copies 8 MB a second.</summary>
    private sealed record SlowImage(string Name) : IAsyncDisposable
    {
        private static readonly string Slow = $"""
            cd {TestedPostgres.Bin}
            mv pg_basebackup pg_basebackup.real
            printf '#!/bin/sh\nexec "$0.real" -r 8M "$@"\n' > pg_basebackup
            chmod +x pg_basebackup
            """;

        public static async Task<SlowImage> MakeAsync()
        {
            var name = $"pgflow-test-slow-{Guid.NewGuid():N}"[..24];
            string[] change = ["--name", name, "-u", "0", "--network", "none", "--entrypoint", "sh", Host.Image];
            await Host.DockerAsync(["run", .. change, "-c", Slow]);
            await Host.DockerAsync("commit", name, name);
            await Host.DockerAsync("rm", name);
            return new(name);
        }

        public async ValueTask DisposeAsync() => await Host.TryDockerAsync("rmi", Name);
    }
}

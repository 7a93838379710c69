using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Temporalio.Runtime;

namespace PgFlow.SystemTests.World;

/// <summary>What is said of a failover's loss: measured, or unknown with the reason, and "nothing" only where that is
/// proven.</summary>
public sealed partial class LossTests(TemporalServer temporal)
{
    [Fact, Trait("Suite", "ci")]
    public async Task A_loss_that_cannot_be_read_is_unknown_with_its_reason()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await TestCluster.SqlAsync(p1, "CREATE TABLE t (id int)");
        await Host.UntilAsync(
            "p2 has it",
            async () => await Host.TryAsync(() => TestCluster.SqlAsync(p2, "SELECT count(*) FROM t")) == "0"
        );
        await Host.DockerAsync("kill", p2.Container); // one that is paused would find it all in its socket
        for (var row = 0; row < 5; row++)
        {
            await TestCluster.SqlAsync(p1, $"INSERT INTO t VALUES ({row})");
        }

        await Host.DockerAsync("kill", p1.Container);
        await Host.DockerAsync("start", p2.Container);
        await Host.UntilAsync(
            "p2 answers",
            async () => await Host.TryAsync(() => TestCluster.SqlAsync(p2, "SELECT count(*) FROM t")) == "0"
        );
        var report = await FailoverTests.FailOverAsync(cluster);
        var said = report.Notes.Select(note => Said().Match(note)).Single(match => match.Success);
        // autovacuum may have committed too
        Assert.InRange(int.Parse(said.Groups["commits"].Value, CultureInfo.InvariantCulture), 5, 20);

        var history = await Host.DockerAsync("exec", p2.Container, "cat", "/pgflow/data/pg_wal/00000002.history");
        var fork = TimelineHistory.Parse(new(2), history).EndOf(new(1))!.Value;
        var segment = $"data/pg_wal/{WalSegments.Name(new(1), fork.Value / (16 * 1024 * 1024), 16 * 1024 * 1024)}";
        Promotion promotion = new(p2, new(2), new(1), fork);
        await using var hands = new ServiceCollection()
            .AddLogging()
            .AddSingleton(TemporalRuntime.Default.MetricMeter)
            .AddPgFlowActivities(new ConfigurationBuilder().Build())
            .BuildServiceProvider();
        Task<Loss> MeasureAsync() => hands.GetRequiredService<IArchiveActivities>().MeasureLossAsync(p1, promotion);
        Task ChangeAsync(string script) =>
            Host.DockerAsync(
                "run",
                "--rm",
                "--network",
                "none",
                "-v",
                $"{p1.Container}:/n",
                "-w",
                "/n",
                "--entrypoint",
                "sh",
                Host.Image,
                "-c",
                script
            );

        var measured = await MeasureAsync();
        Assert.Equal((said.Groups["commits"].Value, null), ($"{measured.Transactions}", measured.Unknown));
        Assert.True(measured.Bytes > 0);

        // The end of its WAL is proven to be the fork: nothing was lost.
        await ChangeAsync(
            $"cp -a {segment} saved; dd if=/dev/zero of={segment} bs=1 seek={fork.Value % (16 * 1024 * 1024)} "
                + "count=4096 conv=notrunc"
        );
        Assert.Equal(new Loss(0, 0), await MeasureAsync());

        await ChangeAsync($"printf garbage | dd of={segment} bs=1 seek={fork.Value % (16 * 1024 * 1024)} conv=notrunc");
        await UnknownAsync($"its WAL can be read up to {fork}, 0 bytes");

        await ChangeAsync($"mv {segment} gone");
        await UnknownAsync("segment");

        await ChangeAsync(
            $"mv saved {segment}; cp -a data/global/pg_control saved; dd if=/dev/zero of=data/global/pg_control "
                + "bs=512 count=1 conv=notrunc"
        );
        await UnknownAsync("pg_control of");

        await ChangeAsync("mv saved data/global/pg_control");
        Assert.Equal(measured, await MeasureAsync());

        promotion = promotion with { Parent = new(7) };
        await UnknownAsync("was on timeline 1, which does not lead to timeline 7");

        await Host.DockerAsync("rm", "-f", p1.Container);
        promotion = promotion with { Parent = new(1) };
        await UnknownAsync("has no pg_control");

        async Task UnknownAsync(string why)
        {
            var loss = await MeasureAsync();
            Assert.Contains(why, loss.Unknown, StringComparison.Ordinal);
            Assert.Equal((null, null), (loss.Bytes, loss.Transactions));
        }
    }

    [GeneratedRegex(@"with (?<commits>\d+) commits? that")]
    private static partial Regex Said();
}

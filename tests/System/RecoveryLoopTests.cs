using System.Diagnostics;
using System.Globalization;

namespace PgFlow.SystemTests;

/// <summary>
/// For as long as PGFLOW_LOOP_MINUTES says (10), without a pause: recoveries to any state there ever was, new words,
/// failovers of killed primaries.
/// Run by <c>./test system -explicit only -class '*Loop*'</c>.
/// </summary>
public sealed class RecoveryLoopTests(TemporalServer temporal, ITestOutputHelper output)
{
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(
        double.Parse(Environment.GetEnvironmentVariable("PGFLOW_LOOP_MINUTES") ?? "10", CultureInfo.InvariantCulture)
    );

    [Theory(Explicit = true)]
    [InlineData(2, ArchiveMode.External)]
    [InlineData(3, ArchiveMode.Local)]
    public async Task Every_state_comes_back_exactly_again_and_again(int nodes, ArchiveMode archive)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes, archive: archive);
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var words = new List<string> { "w0" };
        var story = await Story.OfAsync(cluster, [.. words]);
        var (recoveries, failovers) = (0, 0);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Length; )
        {
            if (random.Next(5) == 0)
            {
                await Host.DockerAsync("kill", story.Primary.Container);
                await FailoverTests.FailOverAsync(cluster);
                story.Primary = Assert.Single((await cluster.InspectAsync()).State.Primaries).Id;
                failovers++;
            }

            words.Add($"w{words.Count}");
            await story.WriteAsync(words[^1]);
            var word = words[random.Next(words.Count)];
            output.WriteLine($"{clock.Elapsed:mm\\:ss} to {word} of {words.Count}");
            await story.RecoverAsync(word);
            recoveries++;
        }

        output.WriteLine($"seed {seed}: {recoveries} recoveries, {failovers} failovers, each state exact");
    }
}

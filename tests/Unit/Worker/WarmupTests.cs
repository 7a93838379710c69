using System.Runtime.CompilerServices;
using Temporalio.Client;

namespace PgFlow.UnitTests.Worker;

public sealed class WarmupTests
{
    [Fact]
    public async Task Goes_through_its_histories_without_a_complaint()
    {
        var log = new LogLines<Warmup>();
        using var warmup = new Warmup(TemporalClient.CreateLazy(new("localhost:1")), log);
        await warmup.StartAsync(TestContext.Current.CancellationToken);
        await warmup.ExecuteTask!;
        Assert.Empty(log.Lines);
        Assert.Equal(
            [
                "Failover-succeeded.json",
                "NotificationDelivery-succeeded.json",
                "RecoverCluster-succeeded.json",
                "Switchover-succeeded.json",
            ],
            typeof(Warmup).Assembly.GetManifestResourceNames().Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("Failover-succeeded.json", "real")]
    [InlineData("Switchover-succeeded.json", "real")]
    [InlineData("RecoverCluster-succeeded.json", "")]
    [InlineData("NotificationDelivery-succeeded.json", "")]
    public void Its_histories_are_the_newest_that_were_recorded(string file, string folder) =>
        Assert.True(
            File.ReadAllText(Path.Combine(Root, "src/Worker/Warmup", file))
                == File.ReadAllText(Path.Combine(Root, "tests/Workflow/Golden", folder, file)),
            $"copy {file} from tests/Workflow/Golden/{folder} to src/Worker/Warmup, as PGFLOW_WRITE_GOLDEN=1 does"
        );

    private static string Root { get; } = Path.Combine(Path.GetDirectoryName(Here())!, "../../..");

    private static string Here([CallerFilePath] string path = "") => path;
}

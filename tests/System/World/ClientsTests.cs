using System.Globalization;
using PgFlow.WorkflowTests;

namespace PgFlow.SystemTests.World;

/// <summary>Whatever takes an address from a node: the clients that came under it learn it at once.</summary>
public sealed class ClientsTests(TemporalServer temporal)
{
    private const int Queries = 48;
    private const int Fast = 20;
    private const string Write = "INSERT INTO written DEFAULT VALUES";

    /// <summary>How often each kind is repeated: 1 in CI.</summary>
    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("PGFLOW_WORLD_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 1;

    [Fact]
    [Trait("Suite", "ci")]
    public async Task None_hangs_whatever_moves_the_endpoint()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE written (id bigint GENERATED ALWAYS AS IDENTITY); ALTER TABLE written OWNER TO app");
        var primary = 1;
        for (var round = 1; round <= Rounds; round++)
        {
            foreach (var again in new[] { 1, 2 })
            {
                primary = await SwitchOverAsync(cluster, primary, $"round {round}, switchover {again}");
            }

            primary = await FailOverAsync(cluster, primary, $"round {round}, forced failover");
            await OffAsync(cluster, [cluster.Node((primary % 3) + 1)], rw: false, $"round {round}, remake", () => cluster.RunAsync((RemakeStandby procedure) =>
                procedure.RunAsync(new() { Cluster = cluster.Name, By = "test", Node = NodeName.Of((primary % 3) + 1) })));
            await OffAsync(cluster, [.. Others(cluster, primary)], rw: true, $"round {round}, recovery", () => cluster.RunAsync((RecoverCluster procedure) =>
                procedure.RunAsync(new() { Cluster = cluster.Name, By = "test", Latest = true })));
        }

        await OffAsync(cluster, [.. Others(cluster, primary)], rw: true, "destroy", () => cluster.RunAsync((DestroyCluster procedure) =>
            procedure.RunAsync(new() { Cluster = cluster.Name, By = "test", Approve = false })));
    }

    private static async Task<int> SwitchOverAsync(TestCluster cluster, int primary, string when)
    {
        var next = (primary % 3) + 1;
        await OffAsync(cluster, [cluster.Node(next)], rw: true, when, () => cluster.RunAsync((Switchover procedure) =>
            procedure.RunAsync(new() { Cluster = cluster.Name, By = "test", To = NodeName.Of(next) })));
        return next;
    }

    private static async Task<int> FailOverAsync(TestCluster cluster, int primary, string when)
    {
        var next = (primary % 3) + 1;
        await OffAsync(cluster, [], rw: true, when, () => cluster.RunAsync((Failover procedure) =>
            procedure.RunAsync(new() { Cluster = cluster.Name, By = "test", Force = true, To = NodeName.Of(next) })));
        await FailoverTests.FailBackAsync(cluster, primary);
        return next;
    }

    /// <summary>Does something under clients of all kinds, all of which must learn of it.</summary>
    private static async Task OffAsync(TestCluster cluster, IReadOnlyList<NodeId> readers, bool rw, string when, Func<Task<Report>> run)
    {
        var sessions = new List<(string Where, ClientSessions Sessions)>();
        await using var writers = FastWriters.Start(cluster, cluster.Vip, Fast, Write);
        if (rw)
        {
            sessions.Add(("rw", await ClientSessions.OpenAsync(cluster, cluster.Vip, Queries)));
        }

        foreach (var reader in readers)
        {
            sessions.Add(($"ro of {reader}", await ClientSessions.OpenAsync(cluster, await AddressAsync(cluster, reader), Queries / 4)));
        }

        await run();
        foreach (var (where, ended) in sessions)
        {
            await ended.RequireEndedAsync($"{when}, {where}");
        }

        if (!when.StartsWith("destroy", StringComparison.Ordinal)) // nobody answers there any more
        {
            await writers.RequireNoneHangsAsync(when);
        }
    }

    private static IEnumerable<NodeId> Others(TestCluster cluster, int primary) => Enumerable.Range(1, 3).Where(number => number != primary).Select(cluster.Node);

    private static Task<string> AddressAsync(TestCluster cluster, NodeId node) =>
        Host.DockerAsync("inspect", "-f", $"{{{{(index .NetworkSettings.Networks \"{cluster.Network}\").IPAddress}}}}", node.Container);
}

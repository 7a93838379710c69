using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace PgFlow.SystemTests.World;

/// <summary>Whatever takes an address from a node: the clients that came under it learn it at once.</summary>
public sealed class ClientsTests(TemporalServer temporal)
{
    private const int Queries = 48;
    private const int Fast = 20;
    private const string Write = "INSERT INTO written DEFAULT VALUES";

    /// <summary>How often each kind is repeated: 1 in CI.</summary>
    private static int Rounds => Number("PGFLOW_WORLD_ROUNDS", 1);

    /// <summary>How many switchovers there are, one a round at least.</summary>
    private static int Switchovers => Number("PGFLOW_WORLD_SWITCHOVERS", Rounds);

    private static int Destroys => Number("PGFLOW_WORLD_DESTROYS", Rounds);

    [Fact]
    [Trait("Suite", "ci")]
    public async Task None_hangs_whatever_moves_the_endpoint()
    {
        await using var cluster = await WithTableAsync(nodes: 3);
        var primary = 1;
        for (var round = 1; round <= Rounds; round++)
        {
            primary = await SwitchOverAsync(cluster, primary, $"round {round}, switchover");
            primary = await FailOverAsync(cluster, primary, $"round {round}, forced failover");
            await OffAsync(
                cluster,
                [cluster.Node((primary % 3) + 1)],
                rw: false,
                $"round {round}, remake",
                () =>
                    cluster.RunAsync(
                        (RemakeStandby procedure) =>
                            procedure.RunAsync(
                                new()
                                {
                                    Cluster = cluster.Name,
                                    By = "test",
                                    Node = NodeName.Of((primary % 3) + 1),
                                }
                            )
                    )
            );
            await OffAsync(
                cluster,
                [.. Others(cluster, primary)],
                rw: true,
                $"round {round}, recovery",
                () =>
                    cluster.RunAsync(
                        (RecoverCluster procedure) =>
                            procedure.RunAsync(
                                new()
                                {
                                    Cluster = cluster.Name,
                                    By = "test",
                                    Latest = true,
                                }
                            )
                    )
            );
        }

        for (var round = Rounds + 1; round <= Switchovers; round++)
        {
            primary = await SwitchOverAsync(cluster, primary, $"round {round}, switchover");
        }

        await DestroyAsync(cluster, [.. Others(cluster, primary)], "destroy");
        for (var round = 2; round <= Destroys; round++)
        {
            await using var another = await WithTableAsync(nodes: 1);
            await DestroyAsync(another, [], $"destroy {round}");
        }
    }

    /// <remarks>A server that is shutting down gives each that connects a process that waits for its first word, up to
    /// a minute (authentication_timeout), and does not end before that.</remarks>
    [Fact]
    public async Task Some_that_connect_and_say_nothing_delay_no_switchover_and_learn_of_it_too()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        using var stop = new CancellationTokenSource();
        var clock = Stopwatch.StartNew();
        var switchover = await cluster.StartAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.ActivityAsync(switchover, "PrepareStop");
        var silent = ConnectSilentlyAsync(cluster.Vip, stop.Token);
        await TestCluster.ActivityAsync(switchover, "ProveEndpoint");
        await stop.CancelAsync();
        var (ended, hung) = await silent;
        await TestCluster.ReportAsync(switchover);
        var took = clock.Elapsed;

        TestContext.Current.SendDiagnosticMessage(
            $"switchover within {took.TotalSeconds:0.0} s; {ended} silent connections ended"
        );
        Assert.True(took < TimeSpan.FromSeconds(25), $"the switchover took {took}");
        Assert.True(ended > 0);
        Assert.Equal(0, hung);
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    /// <remarks>As where an attempt ended between the address that it took away and its look who was cut off: they wait
    /// for an answer from there.</remarks>
    [Fact]
    public async Task Whose_standby_has_lost_its_address_under_them_learn_it_when_it_takes_over()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var p2 = cluster.Node(2);
        var sessions = await ClientSessions.OpenAsync(cluster, await AddressAsync(cluster, p2), count: 12);
        await Host.DockerAsync("network", "disconnect", cluster.Network, p2.Container);

        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await sessions.RequireEndedAsync("the standby took over");
        await cluster.HealthyAsync(p2, timeline: 2);
    }

    [Fact]
    public async Task Whose_primary_has_lost_the_virtual_IP_under_them_learn_it_in_a_forced_failover()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var sessions = await ClientSessions.OpenAsync(cluster, cluster.Vip, count: 12);
        await Host.DockerAsync("network", "disconnect", cluster.Network, cluster.Node(1).Container);

        await FailoverTests.FailOverAsync(cluster, force: true);
        await sessions.RequireEndedAsync("the standby took over");
    }

    [Fact]
    public async Task Whose_standbys_address_somebody_else_has_taken_keep_it_from_no_role()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var p2 = cluster.Node(2);
        var address = await AddressAsync(cluster, p2);
        _ = await ClientSessions.OpenAsync(cluster, address, count: 4);
        await Host.DockerAsync("network", "disconnect", cluster.Network, p2.Container);
        var other = $"{cluster.Name}-other";
        await Host.DockerAsync(
            "run",
            "-d",
            "--name",
            other,
            "--network",
            cluster.Network,
            "--ip",
            address,
            "--entrypoint",
            "sleep",
            Host.Image,
            "600"
        );
        try
        {
            await cluster.RunAsync(
                (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            );
            await cluster.HealthyAsync(p2, timeline: 2);
        }
        finally
        {
            await Host.TryDockerAsync("rm", "-f", other);
        }
    }

    /// <remarks>There is no instant at which nobody is logging in, and so none at which its address can be taken away
    /// while it runs.</remarks>
    [Fact]
    public async Task A_standby_whose_clients_connect_as_fast_as_they_are_refused_becomes_the_primary_all_the_same()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var readers = FastClients.Start(
            cluster,
            await AddressAsync(cluster, cluster.Node(2)),
            2 * Fast,
            "SELECT 1"
        );
        var started = await StartedAtAsync(cluster.Node(2));
        await SwitchOverAsync(cluster, 1, "under fast readers");

        await readers.RequireNoneHangsAsync("switchover");
        TestContext.Current.SendDiagnosticMessage(
            started == await StartedAtAsync(cluster.Node(2)) ? "it was not restarted" : "it was restarted"
        );
        await cluster.HealthyAsync(cluster.Node(2), timeline: 2);
    }

    /// <summary>Connects again and again until it is stopped; those to the node that had the address then are all to be
    /// closed by it.</summary>
    private static async Task<(int Ended, int Hung)> ConnectSilentlyAsync(string address, CancellationToken stop)
    {
        var open = new List<(Socket Socket, long Since, Task Ended)>();
        while (!stop.IsCancellationRequested && open.Count < 80) // fewer than keep everybody else out
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(address, 5432, stop).AsTask().WaitAsync(TimeSpan.FromMilliseconds(100), stop);
                open.Add((socket, Stopwatch.GetTimestamp(), EndedAsync(socket)));
            }
            catch (Exception e) when (e is SocketException or TimeoutException or OperationCanceledException)
            {
                socket.Dispose();
            }

            await Task.Delay(20, CancellationToken.None);
        }

        await Task.Delay(2000, CancellationToken.None);
        // After the last that ended nobody has taken the address away: those are the new primary's.
        var last = open.Where(client => client.Ended.IsCompleted)
            .Select(client => client.Since)
            .DefaultIfEmpty(0)
            .Max();
        var result = (
            open.Count(client => client.Ended.IsCompleted),
            open.Count(client => !client.Ended.IsCompleted && client.Since < last)
        );
        open.ForEach(client => client.Socket.Dispose());
        return result;
    }

    private static async Task EndedAsync(Socket socket)
    {
        try
        {
            await socket.ReceiveAsync(new byte[1]);
        }
        catch (SocketException)
        {
            // reset: it knows as well
        }
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;

    private async Task<TestCluster> WithTableAsync(int nodes)
    {
        var cluster = await TestCluster.CreateAsync(temporal.Client, nodes);
        await TestCluster.SqlAsync(
            cluster.Node(1),
            "CREATE TABLE written (id bigint GENERATED ALWAYS AS IDENTITY); ALTER TABLE written OWNER TO app"
        );
        return cluster;
    }

    private static Task DestroyAsync(TestCluster cluster, IReadOnlyList<NodeId> readers, string when) =>
        OffAsync(
            cluster,
            readers,
            rw: true,
            when,
            () =>
                cluster.RunAsync(
                    (DestroyCluster procedure) =>
                        procedure.RunAsync(
                            new()
                            {
                                Cluster = cluster.Name,
                                By = "test",
                                Approve = false,
                            }
                        )
                )
        );

    private static async Task<int> SwitchOverAsync(TestCluster cluster, int primary, string when)
    {
        var next = (primary % 3) + 1;
        await OffAsync(
            cluster,
            [cluster.Node(next)],
            rw: true,
            when,
            () =>
                cluster.RunAsync(
                    (Switchover procedure) =>
                        procedure.RunAsync(
                            new()
                            {
                                Cluster = cluster.Name,
                                By = "test",
                                To = NodeName.Of(next),
                            }
                        )
                )
        );
        return next;
    }

    private static async Task<int> FailOverAsync(TestCluster cluster, int primary, string when)
    {
        var next = (primary % 3) + 1;
        await OffAsync(
            cluster,
            [],
            rw: true,
            when,
            () =>
                cluster.RunAsync(
                    (Failover procedure) =>
                        procedure.RunAsync(
                            new()
                            {
                                Cluster = cluster.Name,
                                By = "test",
                                Force = true,
                                To = NodeName.Of(next),
                            }
                        )
                )
        );
        await FailoverTests.FailBackAsync(cluster, primary);
        return next;
    }

    /// <summary>Does something under clients of all kinds, all of which must learn of it.</summary>
    private static async Task OffAsync(
        TestCluster cluster,
        IReadOnlyList<NodeId> readers,
        bool rw,
        string when,
        Func<Task<Report>> run
    )
    {
        var sessions = new List<(string Where, ClientSessions Sessions)>();
        List<FastClients> fast = [FastClients.Start(cluster, cluster.Vip, Fast, Write)];
        if (rw)
        {
            sessions.Add(("rw", await ClientSessions.OpenAsync(cluster, cluster.Vip, Queries)));
        }

        foreach (var reader in readers)
        {
            var address = await AddressAsync(cluster, reader);
            sessions.Add(($"ro of {reader}", await ClientSessions.OpenAsync(cluster, address, Queries / 4)));
            fast.Add(FastClients.Start(cluster, address, Fast / 4, "SELECT 1"));
        }

        await run();
        foreach (var (where, ended) in sessions)
        {
            await ended.RequireEndedAsync($"{when}, {where}");
        }

        if (!when.StartsWith("destroy", StringComparison.Ordinal)) // nobody answers there any more
        {
            await Task.WhenAll(fast.Select(clients => clients.RequireNoneHangsAsync(when)));
        }

        await Task.WhenAll(fast.Select(clients => clients.DisposeAsync().AsTask()));
    }

    private static Task<string> StartedAtAsync(NodeId node) =>
        Host.DockerAsync("inspect", "-f", "{{.State.StartedAt}}", node.Container);

    private static IEnumerable<NodeId> Others(TestCluster cluster, int primary) =>
        Enumerable.Range(1, 3).Where(number => number != primary).Select(cluster.Node);

    internal static Task<string> AddressAsync(TestCluster cluster, NodeId node) =>
        Host.DockerAsync(
            "inspect",
            "-f",
            $"{{{{(index .NetworkSettings.Networks \"{cluster.Network}\").IPAddress}}}}",
            node.Container
        );
}

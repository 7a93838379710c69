namespace PgFlow.SystemTests.World;

/// <summary>The proof of the endpoint depends on nothing that is the users', and nothing else waits for it.</summary>
public sealed class ProofTests(TemporalServer temporal)
{
    /// <summary>What users do to their own role and database; each of these alone blocked every role change.</summary>
    private static readonly string[] Theirs =
    [
        "ALTER ROLE app PASSWORD 'another'",
        "ALTER ROLE app NOLOGIN",
        "ALTER ROLE app VALID UNTIL 'yesterday'",
        "ALTER ROLE app CONNECTION LIMIT 0",
        "REVOKE CONNECT ON DATABASE app FROM PUBLIC",
        "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC",
        "REVOKE EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean) FROM PUBLIC",
        "ALTER DATABASE app RENAME TO other",
        "ALTER ROLE ALL SET default_transaction_read_only = on",
        "ALTER ROLE ALL SET synchronous_commit = remote_apply",
        "ALTER ROLE ALL SET statement_timeout = 1",
    ];

    /// <summary>What happens to the roles that are PgFlow's own.</summary>
    private static readonly string[] Ours =
    [
        "DROP OWNED BY pgflow_proof",
        "DROP ROLE pgflow_proof",
        "ALTER ROLE replicator PASSWORD 'another'",
        "ALTER ROLE pgflow VALID UNTIL 'yesterday'",
    ];

    [Fact]
    public async Task Role_changes_need_neither_the_users_role_nor_their_database_nor_their_connections()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await BrokenLogin.LimitConnectionsAsync(cluster.Node(1), cluster.Node(2));
        foreach (var change in Theirs)
        {
            await BrokenLogin.SqlAsync(cluster.Node(1), change);
        }

        await using var pool = await Reconnecting.StartAsync(cluster.Node(1), cluster.Node(2));

        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        foreach (var change in Ours)
        {
            await BrokenLogin.SqlAsync(cluster.Node(2), change);
        }

        Assert.Contains((await cluster.InspectAsync()).Findings, finding => finding.Code is FindingCode.RolesChanged);
        await FailoverTests.FailOverAsync(cluster, force: true);
        await cluster.RunAsync(
            (Failback procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        Assert.DoesNotContain(
            (await cluster.InspectAsync()).Findings,
            finding => finding.Code is FindingCode.RolesChanged
        );
    }

    [Fact]
    public async Task Three_synchronous_nodes_change_their_roles_and_no_proof_hangs_on()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 3, sync: true);

        await cluster.RunAsync(
            (Switchover procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        To = NodeName.Of(2),
                    }
                )
        );
        Assert.Equal(
            "ANY 1 (p1, p3)",
            (await cluster.HealthyAsync(cluster.Node(2), timeline: 2)).Primaries[0].SynchronousStandbyNames
        );
        await Host.DockerAsync("kill", cluster.Node(2).Container);
        await FailoverTests.FailOverAsync(cluster);

        var primary = Assert.Single((await cluster.InspectAsync()).State.Primaries).Id;
        Assert.Equal(
            "0",
            await BrokenLogin.SqlAsync(primary, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'pgflow_proof'")
        );
    }

    [Fact]
    public async Task A_proof_that_waits_in_vain_says_for_what_and_leaves_no_session()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var switchover = await cluster.StartAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await TestCluster.ActivityAsync(switchover, "PromoteStandby");
        await Host.UntilAsync(
            "p2 accepts writes",
            async () => await BrokenLogin.SqlAsync(cluster.Node(2), "SELECT pg_is_in_recovery()") == "f"
        );
        await BrokenLogin.SqlAsync(cluster.Node(2), "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        await BrokenLogin.SqlAsync(cluster.Node(2), "SELECT pg_reload_conf()");

        var why = "";
        await Host.UntilAsync(
            "the proof says why it fails",
            async () => (why = await cluster.LastFailureAsync(switchover, "ProveEndpoint")).Length > 0
        );
        Assert.Contains("it did not end within 15 s", why, StringComparison.Ordinal);
        Assert.Contains("synchronous_standby_names is 'nobody'", why, StringComparison.Ordinal);

        await BrokenLogin.SqlAsync(cluster.Node(2), "ALTER SYSTEM RESET synchronous_standby_names");
        await BrokenLogin.SqlAsync(cluster.Node(2), "SELECT pg_reload_conf()");
        await TestCluster.ReportAsync(switchover);
        Assert.Equal(
            "0",
            await BrokenLogin.SqlAsync(
                cluster.Node(2),
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'pgflow_proof'"
            )
        );
    }

    /// <summary>Clients that take every connection of the nodes and come again at once.</summary>
    private sealed class Reconnecting(NodeId[] nodes) : IAsyncDisposable
    {
        private static readonly string Loops =
            $"for i in $(seq 14); do (while [ ! -e /tmp/enough ]; do {TestedPostgres.Bin}/psql -d other "
            + "-c 'SELECT pg_sleep(600)' || sleep 0.05; done) > /dev/null 2>&1 & done; wait";

        public static async Task<Reconnecting> StartAsync(params NodeId[] nodes)
        {
            foreach (var node in nodes)
            {
                await Host.DockerAsync("exec", node.Container, "rm", "-f", "/tmp/enough");
                await Host.DockerAsync(
                    "exec",
                    "-d",
                    "-u",
                    "postgres",
                    "-e",
                    "PGOPTIONS=-c statement_timeout=0",
                    node.Container,
                    "sh",
                    "-c",
                    Loops
                );
            }

            return new(nodes);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var node in nodes)
            {
                await Host.TryDockerAsync("exec", node.Container, "touch", "/tmp/enough");
            }
        }
    }
}

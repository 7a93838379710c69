using System.Globalization;

namespace PgFlow.SystemTests.World;

/// <summary>One way in which people break PgFlow's login, and its repair.</summary>
/// <param name="Name">What is broken.</param>
/// <param name="Kind">What is found; null where PgFlow need not notice.</param>
/// <param name="BreakAsync">Breaks it on a node.</param>
/// <param name="RepairAsync">Repairs it on a node.</param>
/// <param name="OnPrimaryOnly">Roles and databases can only be changed there; the standby has the same then.</param>
internal sealed record BrokenLogin(
    string Name,
    LoginProblemKind? Kind,
    Func<NodeId, Task> BreakAsync,
    Func<NodeId, Task> RepairAsync,
    bool OnPrimaryOnly = true
)
{
    private const int Connections = 14;

    /// <summary>The first version of PostgreSQL in which it can be broken.</summary>
    public int Since { get; init; }

    public static IReadOnlyList<BrokenLogin> All { get; } =
    [.. Every().Where(broken => TestedPostgres.Major >= broken.Since)];

    private static IReadOnlyList<BrokenLogin> Every() =>
        [
            new(
                "all connections taken, the reserved ones too",
                LoginProblemKind.ConnectionsUsedUp,
                TakeConnectionsAsync,
                GiveConnectionsAsync,
                OnPrimaryOnly: false
            ),
            OfSystem("a library for sessions is missing", null, "session_preload_libraries", "no_such_library"),
            OfSystem("a login takes 3 s", LoginProblemKind.Slow, "post_auth_delay", "3s"),
            OfStatements(
                "another password",
                LoginProblemKind.Authentication,
                "ALTER ROLE pgflow PASSWORD 'another'",
                "SELECT 1"
            ),
            OfStatements(
                "NOLOGIN",
                LoginProblemKind.Authentication,
                "ALTER ROLE pgflow NOLOGIN",
                "ALTER ROLE pgflow LOGIN"
            ),
            OfStatements(
                "no superuser any more",
                LoginProblemKind.Authentication,
                "ALTER ROLE pgflow NOSUPERUSER",
                "ALTER ROLE pgflow SUPERUSER"
            ),
            OfStatements(
                "expired",
                LoginProblemKind.Authentication,
                "ALTER ROLE pgflow VALID UNTIL 'yesterday'",
                "ALTER ROLE pgflow VALID UNTIL 'infinity'"
            ),
            OfStatements(
                "renamed",
                LoginProblemKind.Authentication,
                "ALTER ROLE pgflow RENAME TO other",
                "DO 'BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = ''pgflow'') THEN DROP ROLE other; ELSE "
                    + "ALTER ROLE other RENAME TO pgflow; END IF; END'"
            ),
            OfStatements(
                "no connection allowed to the role",
                null,
                "ALTER ROLE pgflow CONNECTION LIMIT 0",
                "ALTER ROLE pgflow CONNECTION LIMIT -1"
            ),
            OfStatements(
                "the database renamed",
                LoginProblemKind.Database,
                "ALTER DATABASE postgres RENAME TO other",
                "ALTER DATABASE other RENAME TO postgres",
                "template1"
            ),
            OfStatements(
                "the database closed",
                LoginProblemKind.Database,
                "ALTER DATABASE postgres ALLOW_CONNECTIONS false",
                "ALTER DATABASE postgres ALLOW_CONNECTIONS true",
                "template1"
            ),
            new(
                "the database's directory missing",
                LoginProblemKind.Database,
                node => MoveAsync(node, "", ".away"),
                node => MoveAsync(node, ".away", ""),
                OnPrimaryOnly: false
            ),
            OfStatements(
                "read-only for everybody",
                null,
                "ALTER ROLE ALL SET default_transaction_read_only = on",
                "ALTER ROLE ALL RESET default_transaction_read_only"
            ),
            OfStatements(
                "read-only in the database",
                null,
                "ALTER DATABASE postgres SET default_transaction_read_only = on",
                "ALTER DATABASE postgres RESET default_transaction_read_only"
            ),
            OfStatements(
                "serializable for everybody",
                null,
                "ALTER ROLE ALL SET default_transaction_isolation = serializable",
                "ALTER ROLE ALL RESET default_transaction_isolation"
            ),
            OfStatements(
                "a login trigger that raises",
                null,
                "CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION "
                    + "''no''; END'; CREATE EVENT TRIGGER no ON login EXECUTE FUNCTION public.no()",
                "DROP EVENT TRIGGER no; DROP FUNCTION public.no()"
            ) with
            {
                Since = 17,
            },
        ];

    public override string ToString() => Name;

    /// <summary>SQL that gets in whatever is broken.</summary>
    public static Task<string> SqlAsync(NodeId node, string sql, string database = "postgres") =>
        Host.DockerAsync(
            "exec",
            "-u",
            "postgres",
            "-e",
            $"PGOPTIONS={SessionSettings.Options(new(TestedPostgres.Major, TestedPostgres.Bin, 0, 0))}",
            node.Container,
            $"{TestedPostgres.Bin}/psql",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            $"dbname={database} replication=database",
            "-c",
            sql
        );

    /// <summary>Few connections, so that they are soon taken.</summary>
    /// <param name="nodes">The primary first: a standby does not start with fewer than the primary had where it has
    /// replayed to.</param>
    public static async Task LimitConnectionsAsync(params NodeId[] nodes)
    {
        foreach (var node in nodes)
        {
            await SqlAsync(node, "ALTER SYSTEM SET max_connections = 12");
            await Host.UntilAsync(
                $"{node} has replayed the primary's restart",
                async () =>
                    node == nodes[0]
                    || (
                        await Host.DockerAsync(
                            "exec",
                            "-u",
                            "postgres",
                            node.Container,
                            "sh",
                            "-c",
                            $"{TestedPostgres.Bin}/pg_controldata /pgflow/data | grep max_connections"
                        )
                    ).EndsWith(" 12", StringComparison.Ordinal)
            );
            await Host.DockerAsync("restart", node.Container);
            await Host.UntilAsync(
                $"{node} runs again",
                async () => await Host.TryAsync(() => SqlAsync(node, "SELECT 1")) == "1"
            );
        }
    }

    private static BrokenLogin OfStatements(
        string name,
        LoginProblemKind? kind,
        string broken,
        string repaired,
        string database = "postgres"
    ) => new(name, kind, node => SqlAsync(node, broken, database), node => SqlAsync(node, repaired, database));

    private static BrokenLogin OfSystem(string name, LoginProblemKind? kind, string setting, string value) =>
        new(
            name,
            kind,
            node => SetAsync(node, setting, $"SET {setting} = '{value}'", value),
            node => SetAsync(node, setting, $"RESET {setting}", ""),
            OnPrimaryOnly: false
        );

    private static async Task SetAsync(NodeId node, string setting, string change, string value)
    {
        await SqlAsync(node, $"ALTER SYSTEM {change}");
        await SqlAsync(node, "SELECT pg_reload_conf()");
        await Host.UntilAsync(
            $"{node} has {setting} = '{value}'",
            async () =>
                (await SqlAsync(node, $"SELECT count(*) FROM pg_file_settings WHERE name = '{setting}' AND applied"))
                == (value.Length > 0 ? "1" : "0")
        );
    }

    private static async Task TakeConnectionsAsync(NodeId node)
    {
        await Host.DockerAsync(
            "exec",
            "-d",
            "-u",
            "postgres",
            node.Container,
            "sh",
            "-c",
            $"for i in $(seq {Connections}); do {TestedPostgres.Bin}/psql -d app -c 'SELECT "
                + "pg_sleep(600)' & done; wait"
        );
        await Host.UntilAsync(
            $"all connections of {node} are taken",
            async () =>
                int.Parse(
                    await SqlAsync(
                        node,
                        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = 'app'"
                    ),
                    CultureInfo.InvariantCulture
                ) >= 12
        );
    }

    private static async Task GiveConnectionsAsync(NodeId node)
    {
        await SqlAsync(node, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'app'");
        await Host.UntilAsync(
            $"connections of {node} are free",
            async () => await Host.TryAsync(() => TestCluster.SqlAsync(node, "SELECT 1")) == "1"
        );
    }

    private static async Task MoveAsync(NodeId node, string from, string to)
    {
        var database = await SqlAsync(node, "SELECT oid FROM pg_database WHERE datname = 'postgres'", "template1");
        await Host.DockerAsync(
            "exec",
            node.Container,
            "mv",
            $"/pgflow/data/base/{database}{from}",
            $"/pgflow/data/base/{database}{to}"
        );
    }
}

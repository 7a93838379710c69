namespace PgFlow.SystemTests.World;

/// <summary>Nothing that an ordinary role can make runs as PgFlow's superuser.</summary>
public sealed class HijackTests(TemporalServer temporal)
{
    private const string Trap =
        "LANGUAGE plpgsql AS $$ BEGIN IF current_setting('is_superuser') = 'on' THEN ALTER ROLE mallory "
        + "SUPERUSER; END IF; RETURN true; END $$";

    /// <summary>Each fits PgFlow's questions better than what pg_catalog has, or stands before it.</summary>
    private static readonly string[] Traps =
    [
        $"CREATE FUNCTION public.trap(name, text) RETURNS bool {Trap}",
        $"CREATE FUNCTION public.trap(text, text) RETURNS bool {Trap}",
        "CREATE OPERATOR public.~ (leftarg = name, rightarg = text, function = public.trap)",
        "CREATE OPERATOR public.= (leftarg = name, rightarg = text, function = public.trap)",
        "CREATE OPERATOR public.<> (leftarg = name, rightarg = text, function = public.trap)",
        "CREATE OPERATOR public.= (leftarg = text, rightarg = text, function = public.trap)",
        $"CREATE FUNCTION public.pg_is_in_recovery() RETURNS bool {Trap}",
        $"CREATE FUNCTION public.pg_reload_conf() RETURNS bool {Trap}",
    ];

    [Fact, Trait("Suite", "ci")]
    public async Task An_operator_or_a_function_of_an_ordinary_role_is_never_run_by_PgFlow()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        foreach (var database in (string[])["postgres", "template1"])
        {
            await BrokenLogin.SqlAsync(
                cluster.Node(1),
                database == "postgres" ? "CREATE ROLE mallory LOGIN" : "SELECT 1",
                database
            );
            await BrokenLogin.SqlAsync(
                cluster.Node(1),
                $"GRANT CREATE ON SCHEMA public TO mallory; ALTER DATABASE {database} SET search_path = public, "
                    + "pg_catalog",
                database
            );
            foreach (var trap in Traps)
            {
                await BrokenLogin.SqlAsync(
                    cluster.Node(1),
                    $"SET search_path = pg_catalog; SET SESSION AUTHORIZATION mallory; {trap}",
                    database
                );
            }
        }

        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await Host.DockerAsync("kill", cluster.Node(2).Container);
        await FailoverTests.FailOverAsync(cluster);
        await cluster.RunAsync(
            (Failback procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Node = NodeName.Of(2),
                    }
                )
        );
        await cluster.RunAsync(
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );

        await cluster.HealthyAsync(cluster.Node(1), timeline: 3);
        Assert.Equal(
            "f",
            await BrokenLogin.SqlAsync(
                cluster.Node(1),
                "SET search_path = pg_catalog; SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'"
            )
        );
    }
}

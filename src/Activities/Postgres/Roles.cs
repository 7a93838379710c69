namespace PgFlow.Activities.Postgres;

/// <summary>The roles that PgFlow makes for itself, as its secrets say; whatever users did to them, or an old copy of
/// the data has of them.</summary>
/// <remarks>The role <c>app</c> is the users'.</remarks>
internal sealed class Roles(Secrets secrets)
{
    /// <summary>The one that proves the endpoint: no superuser, and as a walsender it takes none of the clients'
    /// connections.</summary>
    public const string Proof = "pgflow_proof";

    /// <summary>What else an ordinary role can't say for itself when it logs in.</summary>
    /// <remarks>As it stands in pg_db_role_setting. A walsender loads libraries before PostgreSQL 15 only. No list can
    /// be set to nothing for a role (it becomes one of an empty name, which is not found); this one is
    /// everywhere.</remarks>
    private static readonly (string Setting, string Value, int Since, int Before)[] ProofSettings =
    [
        ("session_preload_libraries", "\"$libdir/plpgsql\"", 0, 15),
        ("event_triggers", "off", 17, int.MaxValue),
    ];

    private static readonly (string Name, string Attributes)[] Own =
    [
        ("pgflow", "LOGIN SUPERUSER REPLICATION"),
        ("replicator", "LOGIN NOSUPERUSER REPLICATION"),
        (Proof, "LOGIN NOSUPERUSER REPLICATION"),
    ];

    /// <summary>All of them.</summary>
    public static IEnumerable<string> Names => Own.Select(role => role.Name);

    private static readonly string Question = """
        SELECT coalesce(json_agg(json_build_object(
            'name', rolname, 'login', rolcanlogin, 'superuser', rolsuper,
            'replication', rolreplication, 'limit', rolconnlimit,
            'expires', rolvaliduntil IS NOT NULL AND rolvaliduntil <> 'infinity', 'verifier', rolpassword,
            'settings', (SELECT setconfig FROM pg_db_role_setting WHERE setrole = role.oid AND setdatabase = 0)
        )), '[]')::text
        FROM pg_authid AS role WHERE rolname IN ('pgflow', 'replicator', 'pgflow_proof')
        """;

    private static readonly string MayProve = """
        SELECT coalesce(bool_and(has_function_privilege('pgflow_proof', oid, 'EXECUTE')), false)
            AND has_database_privilege('pgflow_proof', current_database(), 'CONNECT')
        FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = 'pg_logical_emit_message'
        """;

    /// <summary>What SQL makes them in a new database.</summary>
    public string Creation(NodeContainer node) =>
        string.Concat(
            Own.SelectMany(role => Making(node, role.Name, exists: false)).Select(statement => $"{statement};\n")
        );

    /// <summary>What is wrong with them, each in a few words; nothing that is secret.</summary>
    public async Task<IReadOnlyList<string>> ProblemsAsync(NodeContainer node, SqlSession session)
    {
        var found = await Sql.QueryJsonAsync<IReadOnlyList<Role>>(session, Question);
        var problems = Own.SelectMany(own =>
                ProblemsOf(node, own.Name, found.FirstOrDefault(role => role.Name == own.Name))
            )
            .ToList();
        return found.Any(role => role.Name == Proof) && !await session.QueryScalarAsync<bool>(MayProve)
            ?
            [
                .. problems,
                $"{Proof} may not log in to "
                    + await session.QueryScalarAsync<string>("SELECT current_database()::text")
                    + " or write a message there",
            ]
            : problems;
    }

    /// <summary>Post-condition: they are as they should be on this primary.</summary>
    public async Task EnsureAsync(NodeContainer primary, SqlSession session)
    {
        if (await ProblemsAsync(primary, session) is [])
        {
            return;
        }

        foreach (var (name, _) in Own)
        {
            var exists = await session.QueryScalarAsync<bool>(
                "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)",
                name
            );
            foreach (var statement in Making(primary, name, exists))
            {
                await session.ChangeAsync<string>(statement);
            }
        }

        foreach (
            var grant in (
                await session.QueryScalarAsync<string>(
                    """
                    SELECT format('GRANT CONNECT ON DATABASE %I TO pgflow_proof', current_database()) || chr(10)
                        || string_agg(
                            format('GRANT EXECUTE ON FUNCTION %s TO pgflow_proof', oid::regprocedure), chr(10))
                    FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = 'pg_logical_emit_message'
                    """
                )
            ).Split('\n')
        )
        {
            await session.ChangeAsync<string>(grant);
        }

        if (await ProblemsAsync(primary, session) is [_, ..] problems)
        {
            throw Failure.Fail(
                $"the roles of PgFlow on {primary.Id} were set and are not right: {string.Join("; ", problems)}"
            );
        }
    }

    private IEnumerable<string> ProblemsOf(NodeContainer node, string name, Role? role)
    {
        if (role is null)
        {
            return [$"{name} is missing"];
        }

        var settings = name == Proof ? SettingsFor(node).Select(setting => $"{setting.Setting}={setting.Value}") : [];
        return
        [
            .. role.Login ? [] : new[] { $"{name} may not log in" },
            .. role.Superuser == (name == "pgflow")
                ? []
                : new[] { $"{name} is {(role.Superuser ? "a" : "no")} superuser" },
            .. role.Replication ? [] : new[] { $"{name} may not replicate" },
            .. role.Limit < 0 ? [] : new[] { $"{name} has a connection limit" },
            .. role.Expires ? new[] { $"{name} expires" } : [],
            .. secrets.Matches(node.Id.Cluster, name, role.Verifier) ? [] : new[] { $"{name} has another password" },
            .. settings.Except(role.Settings ?? []).Any() ? new[] { $"{name} has other settings" } : [],
        ];
    }

    private IEnumerable<string> Making(NodeContainer node, string name, bool exists) =>
        [
            $"{(exists ? "ALTER" : "CREATE")} ROLE {name} {Own.Single(role => role.Name == name).Attributes} "
                + "CONNECTION LIMIT -1 VALID UNTIL 'infinity' "
                + $"PASSWORD '{secrets.VerifierOf(node.Id.Cluster, name)}'",
            .. name == Proof
                ? SettingsFor(node).Select(setting => $"ALTER ROLE {name} SET {setting.Setting} = {setting.Value}")
                : [],
        ];

    private static IEnumerable<(string Setting, string Value, int Since, int Before)> SettingsFor(NodeContainer node) =>
        ProofSettings.Where(setting =>
            node.Spec.Postgres.Major >= setting.Since && node.Spec.Postgres.Major < setting.Before
        );

    private sealed record Role(
        string Name,
        bool Login,
        bool Superuser,
        bool Replication,
        int Limit,
        bool Expires,
        string? Verifier,
        IReadOnlyList<string>? Settings
    );
}

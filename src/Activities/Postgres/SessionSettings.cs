namespace PgFlow.Activities.Postgres;

/// <summary>The settings of PgFlow's own sessions. As startup options they win over all that users set for roles,
/// databases and everybody.</summary>
internal static class SessionSettings
{
    /// <summary>Every setting that PgFlow's statements depend on, with the first version that has it, and whether only
    /// superusers may set it.</summary>
    private static readonly (string Name, string Value, int Since, bool OfSuperuser)[] Settings =
    [
        // an operator or a function in public would run as the superuser
        ("search_path", "pg_catalog,pg_temp", 0, false),
        ("session_preload_libraries", "", 0, true),
        ("local_preload_libraries", "", 0, false),
        ("event_triggers", "off", 17, true),
        ("role", "none", 0, false),
        ("session_replication_role", "origin", 0, true),
        ("row_security", "off", 0, false),
        ("default_transaction_read_only", "off", 0, false),
        ("default_transaction_isolation", "read committed", 0, false), // serializable is refused by every standby
        ("default_transaction_deferrable", "off", 0, false),
        ("synchronous_commit", "local", 0, false), // what PgFlow writes waits for no standby
        ("lock_timeout", "0", 0, false),
        ("idle_in_transaction_session_timeout", "0", 0, false),
        ("idle_session_timeout", "0", 14, false),
        ("transaction_timeout", "0", 17, false),
        ("standard_conforming_strings", "on", 0, false),
        ("client_encoding", "UTF8", 0, false),
        ("lc_messages", "C", 0, true),
        ("DateStyle", "ISO", 0, false),
        ("IntervalStyle", "postgres", 0, false),
        ("TimeZone", "UTC", 0, false),
        ("bytea_output", "hex", 0, false),
        ("extra_float_digits", "1", 0, false),
        ("jit", "off", 0, false),
    ];

    /// <summary>For the startup message, or for libpq in PGOPTIONS.</summary>
    /// <param name="postgres">The server's version.</param>
    /// <param name="statement">How long a statement may take at the server; for ever where none is given.</param>
    public static string Options(PostgresInstallation postgres, TimeSpan statement = default) =>
        string.Join(
            ' ',
            Of(postgres, superuser: true)
                .Append(
                    FormattableString.Invariant(
                        $"-c statement_timeout={Math.Max(0, (long)statement.TotalMilliseconds)}"
                    )
                )
        );

    /// <summary>Those of a session that is no superuser's, and commits as the cluster is meant to.</summary>
    public static string OptionsOfProof(PostgresInstallation postgres, string synchronousCommit) =>
        string.Join(
            ' ',
            Of(postgres, superuser: false)
                .Append("-c statement_timeout=0")
                .Append($"-c synchronous_commit={synchronousCommit}")
        );

    private static IEnumerable<string> Of(PostgresInstallation postgres, bool superuser) =>
        Settings
            .Where(setting => postgres.Major >= setting.Since && (superuser || !setting.OfSuperuser))
            .Select(setting => $"-c {setting.Name}={setting.Value.Replace(" ", "\\ ", StringComparison.Ordinal)}");
}

using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>The settings of PgFlow's own sessions. As startup options they win over all that users set for roles, databases and everybody.</summary>
internal static class SessionSettings
{
    /// <summary>Every setting that PgFlow's statements depend on, with the first version that has it.</summary>
    private static readonly (string Name, string Value, int Since)[] Settings =
    [
        ("search_path", "pg_catalog,pg_temp", 0), // an operator or a function in public would run as the superuser
        ("session_preload_libraries", "", 0),
        ("local_preload_libraries", "", 0),
        ("event_triggers", "off", 17),
        ("role", "none", 0),
        ("session_replication_role", "origin", 0),
        ("row_security", "off", 0),
        ("default_transaction_read_only", "off", 0),
        ("default_transaction_isolation", "read committed", 0), // serializable is refused by every standby
        ("default_transaction_deferrable", "off", 0),
        ("synchronous_commit", "local", 0), // what PgFlow writes waits for no standby
        ("lock_timeout", "0", 0),
        ("idle_in_transaction_session_timeout", "0", 0),
        ("idle_session_timeout", "0", 14),
        ("transaction_timeout", "0", 17),
        ("standard_conforming_strings", "on", 0),
        ("client_encoding", "UTF8", 0),
        ("lc_messages", "C", 0),
        ("DateStyle", "ISO", 0),
        ("IntervalStyle", "postgres", 0),
        ("TimeZone", "UTC", 0),
        ("bytea_output", "hex", 0),
        ("extra_float_digits", "1", 0),
        ("jit", "off", 0),
    ];

    /// <summary>For the startup message, or for libpq in PGOPTIONS.</summary>
    /// <param name="postgres">The server's version.</param>
    /// <param name="statement">How long a statement may take at the server; for ever where none is given.</param>
    public static string Options(PostgresInstallation postgres, TimeSpan statement = default) => string.Join(' ', Settings
        .Where(setting => postgres.Major >= setting.Since)
        .Select(setting => $"-c {setting.Name}={setting.Value.Replace(" ", "\\ ", StringComparison.Ordinal)}")
        .Append(FormattableString.Invariant($"-c statement_timeout={Math.Max(0, (long)statement.TotalMilliseconds)}")));
}

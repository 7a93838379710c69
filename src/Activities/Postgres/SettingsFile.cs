using System.Globalization;

namespace PgFlow.Activities.Postgres;

/// <summary>The one settings file of a node that PgFlow owns, included by its postgresql.conf, and its
/// pg_hba.conf.</summary>
internal static class SettingsFile
{
    public const string Path = $"{Names.NodeVolume}/pgflow.conf";

    public const string HbaPath = $"{Names.NodeVolume}/pg_hba.conf";

    public const string IdentPath = $"{Names.NodeVolume}/pg_ident.conf";

    public const string PasswordPath = $"{Names.NodeVolume}/replication.pgpass";

    public const string ArchiveProgram = $"{Names.NodeVolume}/bin/archive";

    public const string RestoreProgram = $"{Names.NodeVolume}/bin/restore";

    public const string WalKeepSize = "256MB";

    /// <summary>How many standbys are to confirm each commit.</summary>
    public const string Quorum = "pgflow.synchronous";

    /// <summary>The nodes that the cluster is meant to have.</summary>
    public const string Members = "pgflow.members";

    public const string StandbyNames = "synchronous_standby_names";

    /// <summary>The first version that has incremental backups, which need summaries of the WAL.</summary>
    public const int FirstWithIncremental = 17;

    /// <summary>The settings whose value decides roles and safety; another file that overrides them is drift.</summary>
    public static IReadOnlyList<string> Owned { get; } =
    [
        "archive_command",
        "archive_mode",
        "default_transaction_read_only",
        "hba_file",
        "ident_file",
        "primary_conninfo",
        "primary_slot_name",
        "recovery_target_timeline",
        "restore_command",
        StandbyNames,
    ];

    /// <summary>The settings that say whom the node follows and who confirms its commits.</summary>
    public static IReadOnlyDictionary<string, string> OfRole(NodeSettings settings, ClusterSpec spec) =>
        new Dictionary<string, string>(OfReadOnly(settings.ReadOnly))
        {
            ["primary_conninfo"] = settings.Upstream is { } upstream
                ? $"hostaddr={Names.AddressOf(spec, upstream)} port=5432 user=replicator dbname=postgres "
                    + $"application_name={settings.Node} passfile={PasswordPath} "
                    + "sslmode=prefer connect_timeout=3 keepalives_idle=5 keepalives_interval=2 "
                    + "keepalives_count=2 tcp_user_timeout=5000"
                : "",
            ["primary_slot_name"] = settings.Upstream is null ? "" : settings.Node.ToString(),
            [StandbyNames] = settings.SynchronousStandbyNames,
            [Quorum] = settings.Quorum.ToString(CultureInfo.InvariantCulture),
            [Members] = ValueOf(settings.Members),
        };

    /// <summary>How names of nodes are written.</summary>
    public static string ValueOf(IEnumerable<NodeName> nodes) => string.Join(", ", nodes);

    /// <summary>The settings that say whether transactions may write.</summary>
    public static Dictionary<string, string> OfReadOnly(bool readOnly)
    {
        var word = readOnly ? "on" : "off";
        return new() { ["default_transaction_read_only"] = word, ["pgflow.read_only"] = word };
    }

    /// <summary>The same file with these settings otherwise; one that an earlier version has made may lack
    /// some.</summary>
    public static string With(string file, IReadOnlyDictionary<string, string> changed)
    {
        var lines = file.Split('\n').Select(line => (Name: line.Split(' ', 2)[0], Line: line)).ToList();
        return string.Join(
            '\n',
            [
                .. changed
                    .Where(setting => lines.All(line => line.Name != setting.Key))
                    .Select(setting => LineOf(setting.Key, setting.Value)),
                .. lines.Select(line =>
                    changed.TryGetValue(line.Name, out var value) ? LineOf(line.Name, value) : line.Line
                ),
            ]
        );
    }

    private static string LineOf(string name, string value) => $"{name} = '{value}'";

    public static string Render(NodeSettings settings, ClusterSpec spec, string? earlierStandbyNames = null) =>
        $"""
            # Written by PgFlow; changes by hand are lost.
            listen_addresses = '*'
            port = 5432
            unix_socket_directories = '/var/run/postgresql'
            hba_file = '{HbaPath}'
            ident_file = '{IdentPath}'
            password_encryption = 'scram-sha-256'
            wal_level = replica
            wal_log_hints = on
            max_wal_senders = 20
            max_replication_slots = 20
            hot_standby = on
            wal_keep_size = {WalKeepSize}
            max_slot_wal_keep_size = 4GB
            archive_mode = {(spec.Archive is ArchiveMode.Local ? "always" : "on")}
            archive_command = '{ArchiveProgram} "%p" "%f"'
            archive_timeout = 60s
            {RenderReplay(settings)}
            {(spec.Postgres.Major >= FirstWithIncremental ? "summarize_wal = on" : "")}
            # With the default time-outs one hung standby holds a fast stop for a minute.
            wal_sender_timeout = 3s
            wal_receiver_timeout = 5s
            wal_receiver_status_interval = 1s
            wal_retrieve_retry_interval = 500ms
            {string.Join('\n', OfRole(settings, spec).Select(setting => LineOf(setting.Key, setting.Value)))}
            {(earlierStandbyNames is null ? "" : $"{KnownSettings.Earlier} = '{Quoted(earlierStandbyNames)}'")}

            """;

    private static string Quoted(string value) => value.Replace("'", "''", StringComparison.Ordinal);

    /// <summary>A recovering node has all its WAL in pg_wal, chosen by lineage, and stops before the first record to
    /// leave out.</summary>
    /// <remarks>Never <c>latest</c>: a history that an accidental promotion has left would mislead a standby, or end it
    /// at its next start.</remarks>
    private static string RenderReplay(NodeSettings settings) =>
        settings.Recovery is not { } recovery
            ? $"""
                restore_command = '{RestoreProgram} "%f" "%p"'
                recovery_target_timeline = '{settings.Timeline?.ToString() ?? "current"}'
                """
            : $"""
                restore_command = ''
                recovery_target_timeline = '{recovery.Timeline}'
                recovery_target_lsn = '{recovery.Before}'
                recovery_target_inclusive = off
                recovery_target_action = 'pause'
                """;

    /// <summary>
    /// By socket the operating system's <c>postgres</c>, as itself and as <c>pgflow</c>: PgFlow's reserved way in; over
    /// networks only passwords, and PgFlow's own
    /// roles only from the internal subnet; the one that proves the endpoint from the node's networks, where it comes
    /// as a client does.
    /// </summary>
    public static string RenderHba(ClusterSpec spec) =>
        $"""
            # Written by PgFlow; changes by hand are lost.
            {RenderOwnHba(spec)}
            host  postgres,template1 {Roles.Proof} samenet scram-sha-256
            host  all         pgflow,replicator,postgres,{Roles.Proof} 0.0.0.0/0 reject
            host  replication all               0.0.0.0/0 reject
            host  all         all               0.0.0.0/0 scram-sha-256

            """;

    /// <summary>What PgFlow and the standbys need, and nobody else can use.</summary>
    public static string RenderOwnHba(ClusterSpec spec) =>
        $"""
            local all         postgres                   peer
            local all         pgflow                     peer map=pgflow
            host  all         pgflow            {spec.Subnet} scram-sha-256
            host  replication pgflow,replicator {spec.Subnet} scram-sha-256
            # Slot synchronisation (PostgreSQL 17) asks the primary by SQL.
            host  postgres    replicator        {spec.Subnet} scram-sha-256
            """;

    /// <summary>The node's own programs, and what they know of it.</summary>
    public static IReadOnlyList<ContainerFile> Programs(ClusterSpec spec, NodeName node) =>
        [
            ContainerFile.Private(
                $"{Names.NodeVolume}/bin/node.env",
                Embedded.EnvironmentOf(spec, node),
                spec.Postgres
            ),
            ContainerFile.Program(ArchiveProgram, Embedded.Read("archive"), spec.Postgres),
            ContainerFile.Program(RestoreProgram, Embedded.Read("restore"), spec.Postgres),
        ];

    /// <summary>Whom the operating system's <c>postgres</c> may be.</summary>
    public static string RenderIdent() =>
        """
            # Written by PgFlow; changes by hand are lost.
            pgflow postgres pgflow

            """;
}

using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PgFlow.SystemTests.World;

/// <summary>Backups, their proof and recoveries, with the settings, roles and databases that people have.</summary>
public sealed class BackupSettingsTests(TemporalServer temporal)
{
    private static readonly string[] Settings =
    [
        "log_timezone = 'Asia/Karachi'",
        "timezone = 'Asia/Kolkata'",
        "datestyle = 'German, DMY'",
        "intervalstyle = 'sql_standard'",
        "bytea_output = 'escape'",
        "logging_collector = on",
        "log_min_messages = panic",
        "full_page_writes = off",
    ];

    [Fact]
    public async Task Of_zones_logs_pages_TLS_and_closed_databases_keep_no_backup_no_proof_and_no_recovery_from_working()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await SetAsync(cluster, Settings);

        var began = DateTimeOffset.UtcNow;
        var full = await TakeAsync(cluster);
        // of a standby there is none without full pages
        Assert.Contains(" from p1, ", full.Summary, StringComparison.Ordinal);
        Assert.Contains(
            full.Plan!.Warnings.Select(FindingText.Of),
            warning => warning.StartsWith("full_page_writes is off", StringComparison.Ordinal)
        );
        await TestCluster.SqlAsync(p1, "CREATE TABLE t AS SELECT generate_series(1, 1000) AS id");
        var incremental = await TakeAsync(cluster, incremental: true);
        var isFull = incremental.Notes.Any(note => note.StartsWith("a full backup", StringComparison.Ordinal));
        Assert.Equal(TestedPostgres.Major < 17, isFull);
        var backups = (await cluster.TimelineAsync()).Branches.Single().Backups;
        Assert.Equal(isFull ? null : backups[1].Id, backups[2].Parent);
        Assert.All(
            backups.Skip(1),
            backup =>
                Assert.True(
                    began <= backup.StartedAt
                        && backup.StartedAt < backup.StoppedAt
                        && backup.StoppedAt <= DateTimeOffset.UtcNow,
                    $"{backup}"
                )
        );

        await SetAsync(cluster, "max_connections = 300");
        await TestCluster.SqlAsync(p1, "INSERT INTO t VALUES (1001)");
        var target = await TestCluster.SqlAsync(p1, "SELECT pg_current_wal_flush_lsn()");
        await SetAsync(cluster, "max_connections = 90");
        await UseNewFilesAsync(p1);
        await TestCluster.SqlAsync(
            p1,
            "CREATE FUNCTION deny() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no DDL "
                + "here''; END'; CREATE EVENT TRIGGER deny ON ddl_command_end EXECUTE FUNCTION deny()"
        );
        await TestCluster.SqlAsync(p1, "ALTER DATABASE app SET default_transaction_read_only = on", "postgres");
        await TestCluster.SqlAsync(p1, "ALTER DATABASE template1 ALLOW_CONNECTIONS false", "postgres");
        await TestCluster.SqlAsync(p1, "ALTER ROLE postgres NOLOGIN", "postgres");

        var verified = await VerifyAsync(cluster);
        Assert.Contains(" can be recovered: ", verified.Summary, StringComparison.Ordinal);
        Assert.Empty(verified.Notes);

        var report = await cluster.RunAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        ToLsn = target.Trim(),
                    }
                )
        );
        Assert.Contains(report.Notes, note => note.Contains("max_connections = 300", StringComparison.Ordinal));
        Assert.Equal("1001", (await TestCluster.SqlAsync(p2, "SELECT count(*) FROM t")).Trim());
        Assert.Equal(
            "on 7MB",
            (
                await TestCluster.SqlAsync(p1, "SELECT current_setting('ssl') || ' ' || current_setting('work_mem')")
            ).Trim()
        );
        Assert.Equal(NodeName.Of(1), (await cluster.TimelineAsync()).Branches[^1].Backups.Single().Node);
        await cluster.HealthyAsync(p1, timeline: 2);
    }

    [Fact]
    public async Task A_standby_that_can_not_be_copied_is_replaced_by_the_primary()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await TestCluster.SqlAsync(cluster.Node(1), "ALTER SYSTEM SET full_page_writes = off");
        await TestCluster.SqlAsync(cluster.Node(1), "SELECT pg_reload_conf()");
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE t AS SELECT 1");
        await TestCluster.SqlAsync(cluster.Node(1), "CHECKPOINT");
        // on again: nothing that can be asked tells of what is in the WAL
        await TestCluster.SqlAsync(cluster.Node(1), "ALTER SYSTEM RESET full_page_writes");
        await TestCluster.SqlAsync(cluster.Node(1), "SELECT pg_reload_conf()");

        var report = await TakeAsync(cluster);
        Assert.Contains(" from p1, ", report.Summary, StringComparison.Ordinal);
        Assert.Contains(
            report.Notes,
            note =>
                note.Contains("was copied instead: ", StringComparison.Ordinal)
                && note.Contains("full_page_writes", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_copy_that_stalls_for_longer_than_replication_may_hang_is_not_lost()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await TestCluster.SqlAsync(
            cluster.Node(1),
            "CREATE TABLE t AS SELECT repeat('x', 1000) FROM generate_series(1, 300000)"
        );
        var remake = await cluster.StartAsync(
            (RemakeStandby procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        Node = NodeName.Of(2),
                        By = "test",
                    }
                )
        );
        await Host.UntilAsync(
            "the copy is on its way",
            async () =>
                await TestCluster.SqlAsync(
                    cluster.Node(1),
                    "SELECT count(*) FROM pg_stat_progress_basebackup WHERE phase = 'streaming database files'"
                ) == "1"
        );
        var job = await cluster.OnJobAsync("copy", "pause");
        var until = await TestCluster.SqlAsync(
            cluster.Node(1),
            "SELECT extract(epoch FROM clock_timestamp() + interval '7 s')"
        );
        await Host.UntilAsync(
            "7 s have passed",
            async () =>
                await TestCluster.SqlAsync(
                    cluster.Node(1),
                    $"SELECT extract(epoch FROM clock_timestamp()) > {until.Trim()}"
                ) == "t"
        );
        await Host.DockerAsync("unpause", job);

        await TestCluster.ReportAsync(remake);
        Assert.Equal(
            "1",
            (await Host.DockerAsync("ps", "-aq", "--filter", $"name=pgflow-{cluster.Name}-job-copy-"))
                .Split('\n', StringSplitOptions.None)
                .Length.ToString(CultureInfo.InvariantCulture)
        );
    }

    /// <summary>Settings for all nodes; each is restarted, the standby first where more is wanted than
    /// before.</summary>
    private static async Task SetAsync(TestCluster cluster, params string[] settings)
    {
        // a standby needs what the primary has, before and after
        foreach (var node in (NodeId[])[cluster.Node(2), cluster.Node(1), cluster.Node(2)])
        {
            foreach (
                var setting in settings.Where(setting =>
                    node == cluster.Node(1) || !setting.StartsWith("max_connections = 90", StringComparison.Ordinal)
                )
            )
            {
                await TestCluster.SqlAsync(node, $"ALTER SYSTEM SET {setting}");
            }

            await Host.DockerAsync("restart", node.Container);
            await Host.UntilAsync(
                $"{node} has restarted",
                async () => await Host.TryAsync(() => TestCluster.SqlAsync(node, "SELECT 1")) is "1"
            );
        }

        await Host.UntilAsync("the standby streams", async () => (await cluster.InspectAsync()).Healthy);
    }

    /// <summary>Certificate, key and an include in the data directory, newer than every backup.</summary>
    private static async Task UseNewFilesAsync(NodeId node)
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest(
            "CN=test",
            key,
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        ).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await Host.DockerAsync(
            "exec",
            "-u",
            "postgres",
            "-e",
            $"KEY={key.ExportPkcs8PrivateKeyPem()}",
            "-e",
            $"CERTIFICATE={certificate.ExportCertificatePem()}",
            node.Container,
            "sh",
            "-ec",
            """
            cd /pgflow/data
            umask 077
            mkdir tls more
            echo "$KEY" > tls/server.key
            echo "$CERTIFICATE" > tls/server.crt
            echo "work_mem = '7MB'" > more/own.conf
            echo "ssl_cert_file = 'tls/server.crt'" >> more/own.conf
            echo "ssl_key_file = 'tls/server.key'" >> more/own.conf
            echo "ssl = on" >> more/own.conf
            echo "include 'more/own.conf'" >> postgresql.conf
            """
        );
        await TestCluster.SqlAsync(node, "SELECT pg_reload_conf()");
        await Host.UntilAsync("it has TLS", async () => await TestCluster.SqlAsync(node, "SHOW ssl") == "on");
    }

    private static Task<Report> TakeAsync(TestCluster cluster, bool incremental = false) =>
        cluster.RunAsync(
            (TakeBackup procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Incremental = incremental,
                    }
                )
        );

    private static Task<Report> VerifyAsync(TestCluster cluster) =>
        cluster.RunAsync((VerifyBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }));
}

namespace PgFlow.SystemTests;

public sealed class BackupTests(TemporalServer temporal)
{
    [Theory]
    [InlineData(ArchiveMode.External, Traits = ["Suite", "world"])]
    [InlineData(ArchiveMode.Local)]
    public async Task Full_and_incremental_backups_of_a_standby_combine_to_a_database(ArchiveMode archive)
    {
        TestedPostgres.Require(17, "incremental backups");
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, archive: archive);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE t AS SELECT generate_series(1, 1000) AS id");
        await BackUpAsync(cluster);
        await TestCluster.SqlAsync(cluster.Node(1), "INSERT INTO t SELECT generate_series(1001, 2000)");
        var report = await BackUpAsync(cluster, incremental: true);

        Assert.DoesNotContain(report.Notes, note => note.StartsWith("a full backup", StringComparison.Ordinal));
        Assert.Contains(" from p2", report.Summary, StringComparison.Ordinal);
        var backups = await ListAsync(cluster);
        Assert.Equal(["full", "full", "incr"], backups.Select(name => name[^4..]));
        Assert.DoesNotContain(
            "ERROR",
            await RepositoryAsync(
                cluster,
                $"pg_combinebackup -o /tmp/whole {backups[1]}/data {backups[2]}/data && pg_verifybackup -n /tmp/whole"
            ),
            StringComparison.OrdinalIgnoreCase
        );
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_backup_whose_worker_is_killed_during_the_copy_is_published_once()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var copy = await CopyAsync(cluster, node: 2);
        var backup = copy.Backup;
        cluster.Worker.Kill9();

        cluster.StartWorker();
        await copy.DisposeAsync();
        await TestCluster.ReportAsync(backup);
        Assert.Equal(2, (await ListAsync(cluster)).Length);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_copy_whose_connection_breaks_off_is_made_again()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var copy = await CopyAsync(cluster, node: 2);
        var ended = await TestCluster.SqlAsync(
            cluster.Node(2),
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_progress_basebackup"
        );
        Assert.Equal("1", ended.Trim());
        await copy.DisposeAsync();

        Assert.Contains(" from p2", (await TestCluster.ReportAsync(copy.Backup)).Summary, StringComparison.Ordinal);
        Assert.Equal(2, (await ListAsync(cluster)).Length);
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_backup_whose_copy_is_damaged_is_not_published()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE t AS SELECT 1");
        await InPrimaryAsync(
            cluster,
            "cd /pgflow/bin && mv archive archive.real && printf '#!/bin/sh\\nuntil [ -e /tmp/go ]; do sleep "
                + "0.1; done\\nexec /pgflow/bin/archive.real \"$@\"\\n' > archive && chmod 755 archive"
        );
        var backup = await StartAsync(cluster);
        await TestCluster.StepAsync(backup, "copy", StepState.Done);
        await RepositoryAsync(
            cluster,
            "file=$(ls .*.new/data/base/1/1259) && printf x | dd of=$file bs=1 seek=100 conv=notrunc",
            writes: true
        );
        await InPrimaryAsync(cluster, ": > /tmp/go");

        var (type, _, message) = await TestCluster.FailureAsync(backup);
        Assert.Equal(FailureTypes.Unchanged, type);
        Assert.Contains("1259", message, StringComparison.Ordinal);
        Assert.Single(await ListAsync(cluster));
        Assert.Equal("", await RepositoryAsync(cluster, "ls -d .*.new 2>/dev/null || true"));
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_backup_whose_nodes_end_under_it_ends_with_that_reason()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var copy = await CopyAsync(cluster, node: 2, named: false);
        await Host.DockerAsync("kill", cluster.Node(1).Container, cluster.Node(2).Container);
        await copy.DisposeAsync();

        var (type, _, message) = await TestCluster
            .FailureAsync(copy.Backup)
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal((FailureTypes.Unchanged, "p1 does not run (tried 5 times)"), (type, message));
        Assert.Single(await ListAsync(cluster));
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_failover_during_a_backup_is_not_kept_waiting_and_the_backup_leaves_nothing()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await using var copy = await CopyAsync(cluster, node: 1);
        await Host.DockerAsync("kill", cluster.Node(1).Container);

        await FailoverTests.FailOverAsync(cluster); // while the backup still holds its lease
        await copy.DisposeAsync();
        var (type, _, _) = await TestCluster.FailureAsync(copy.Backup);
        Assert.Contains(type, (string[])[FailureTypes.Refused, FailureTypes.Unchanged]);
        Assert.Single(await ListAsync(cluster));
        Assert.Equal("", await RepositoryAsync(cluster, "ls -d .*.new 2>/dev/null || true"));
    }

    [Fact, Trait("Suite", "world")]
    public async Task A_restore_point_is_in_the_ledger_once()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        await cluster.RunAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        Name = "before-2.0",
                        By = "test",
                    }
                )
        );
        var again = await cluster.StartAsync(
            (CreateRestorePoint procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        Name = "before-2.0",
                        By = "test",
                    }
                )
        );

        Assert.Equal(FailureTypes.Refused, (await TestCluster.FailureAsync(again)).Type);
        var entry = await RepositoryAsync(cluster, "cat ../ledger/*-restore-point-before-2.0.json");
        var point = System.Text.Json.JsonSerializer.Deserialize<RestorePoint>(entry, PgFlowJson.Options)!;
        Assert.Equal(("before-2.0", new Timeline(1)), (point.Name, point.Timeline));
        Assert.Contains(
            "RESTORE_POINT before-2.0",
            await RepositoryAsync(
                cluster,
                "for f in ../wal/0000*; do pg_waldump -r XLOG $f 2>/dev/null; done | grep RESTORE_POINT || true"
            ),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(ArchiveMode.External)]
    [InlineData(ArchiveMode.Local, Traits = ["Suite", "world"])]
    public async Task A_backup_is_verified_by_recovering_it_and_a_damaged_one_is_not(ArchiveMode archive)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, archive: archive);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE t AS SELECT generate_series(1, 10000) AS id");
        // behind a checkpoint of its own: replay would write pages of later ones anew
        await TestCluster.ReportAsync(await StartAsync(cluster, node: 1));
        await BackUpAsync(cluster, incremental: true);
        await TestCluster.SqlAsync(cluster.Node(1), "INSERT INTO t SELECT generate_series(1, 1000)");
        var backups = await ListAsync(cluster);

        var latest = await VerifyAsync(cluster); // a chain, and the WAL that is in no archive yet
        Assert.Contains(
            $"backup {backups[2]} of {cluster.Name} can be recovered: ",
            latest.Summary,
            StringComparison.Ordinal
        );
        Assert.Empty(latest.Notes);
        await VerifyAsync(cluster, backups[1]);
        Assert.Equal(
            [backups[1], backups[2]],
            (await RepositoryAsync(cluster, "ls */verified.json | cut -d / -f 1")).Split(
                '\n',
                StringSplitOptions.RemoveEmptyEntries
            )
        );

        var file = await TestCluster.SqlAsync(cluster.Node(1), "SELECT pg_relation_filepath('t')");
        await RepositoryAsync(
            cluster,
            $"file={backups[1]}/data/{file.Trim()}; test -f $file && printf damage | dd of=$file bs=1 "
                + "seek=20000 conv=notrunc",
            writes: true
        );
        var (type, _, message) = await TestCluster.FailureAsync(await StartVerificationAsync(cluster, backups[1]));
        Assert.Equal(FailureTypes.Unchanged, type); // damage is no refusal
        Assert.Contains(
            $"{backups[1]} is damaged: what was recovered is damaged (pg_",
            message,
            StringComparison.Ordinal
        );
        Assert.Contains("invalid page in block 2 of relation", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ArchiveMode.External, Traits = ["Suite", "world"])]
    [InlineData(ArchiveMode.Local)]
    public async Task What_no_kept_backup_needs_is_removed_and_the_latest_can_still_be_had(ArchiveMode archive)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, archive: archive);
        await TestCluster.SqlAsync(cluster.Node(1), "CREATE TABLE t AS SELECT 1 AS id");
        await BackUpAsync(cluster);
        var report = await TestCluster.ReportAsync(await StartAsync(cluster, keep: 1));
        await TestCluster.SqlAsync(cluster.Node(1), "INSERT INTO t VALUES (2)");

        var kept = System.Text.Json.JsonSerializer.Deserialize<Backup>(
            await RepositoryAsync(cluster, $"cat {Assert.Single(await ListAsync(cluster))}/backup.json"),
            PgFlowJson.Options
        )!;
        var first = WalSegments.Name(kept.Timeline, kept.WalRanges[0].Start.Value >> 24, 1 << 24);
        Assert.Contains(report.Notes, note => note.StartsWith("2 backups and ", StringComparison.Ordinal));
        Assert.Equal("", await RepositoryAsync(cluster, "ls -d .*.gone 2>/dev/null || true"));
        string[] archives =
            archive is ArchiveMode.External
                ? [await RepositoryAsync(cluster, "ls ../wal")]
                :
                [
                    await InNodeAsync(cluster.Node(1), "ls /pgflow/archive"),
                    await InNodeAsync(cluster.Node(2), "ls /pgflow/archive"),
                ];
        Assert.All(
            archives,
            names =>
                Assert.Equal(
                    first,
                    names.Split('\n').Where(name => name.Length == 24).Order(StringComparer.Ordinal).First()
                )
        );

        await cluster.RunAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Latest = true,
                    }
                )
        );
        Assert.Equal("2", (await TestCluster.SqlAsync(cluster.Node(1), "SELECT count(*) FROM t")).Trim());
    }

    [Fact, Trait("Suite", "world")]
    public async Task What_is_being_read_is_not_removed_and_what_is_being_removed_is_not_read()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);

        var remover = await LockAsync(cluster, "-x");
        var verification = await StartVerificationAsync(cluster);
        await Host.UntilAsync(
            "the verification waits",
            async () =>
                await Host.DockerAsync("ps", "-q", "--filter", $"name=pgflow-{cluster.Name}-job-verify-backup")
                    is { Length: > 0 } job
                && (await Host.TryDockerAsync("top", job)).Output.Contains("flock -s 9", StringComparison.Ordinal)
        );
        await Host.DockerAsync("rm", "-f", remover);
        await TestCluster.ReportAsync(verification);

        var reader = await LockAsync(cluster, "-s");
        var report = await TestCluster.ReportAsync(await StartAsync(cluster, keep: 1));
        Assert.Contains(
            report.Notes,
            note =>
                note.StartsWith("nothing more was removed: ", StringComparison.Ordinal)
                && note.Contains("is copying from the repository", StringComparison.Ordinal)
        );
        Assert.Equal(2, (await ListAsync(cluster)).Length);

        await Host.DockerAsync("rm", "-f", reader);
        await TestCluster.ReportAsync(await StartAsync(cluster, keep: 1));
        Assert.Single(await ListAsync(cluster));
    }

    /// <summary>A backup in the middle of pg_basebackup, which is held there.</summary>
    private static async Task<HeldCopy> CopyAsync(TestCluster cluster, int node, bool named = true)
    {
        await TestCluster.SqlAsync(
            cluster.Node(1),
            "CREATE TABLE t AS SELECT repeat('x', 1000) FROM generate_series(1, 300000)"
        );
        await TestCluster.SqlAsync(cluster.Node(1), "CHECKPOINT");
        var backup = await StartAsync(cluster, node: named ? node : null);
        await Host.UntilAsync(
            "the copy is on its way",
            async () =>
                await TestCluster.SqlAsync(
                    cluster.Node(node),
                    "SELECT count(*) FROM pg_stat_progress_basebackup WHERE phase = 'streaming database files'"
                ) == "1"
        );
        var job = await Host.DockerAsync("ps", "-q", "--filter", $"name=pgflow-{cluster.Name}-job-backup-");
        await Host.DockerAsync("pause", job);
        Assert.Equal("", await RepositoryAsync(cluster, "ls .*.new/copied 2>/dev/null || true"));
        return new(backup, job);
    }

    private static Task<Temporalio.Client.WorkflowHandle<TakeBackup, Report>> StartAsync(
        TestCluster cluster,
        bool incremental = false,
        int? node = null,
        int? keep = null
    ) =>
        cluster.StartAsync(
            (TakeBackup procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Incremental = incremental,
                        Keep = keep,
                        Node = node == null ? null : NodeName.Of(node.Value),
                    }
                )
        );

    private static Task<Temporalio.Client.WorkflowHandle<VerifyBackup, Report>> StartVerificationAsync(
        TestCluster cluster,
        string? backup = null
    ) =>
        cluster.StartAsync(
            (VerifyBackup procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        Backup = backup,
                    }
                )
        );

    private static async Task<Report> VerifyAsync(TestCluster cluster, string? backup = null) =>
        await TestCluster.ReportAsync(await StartVerificationAsync(cluster, backup));

    /// <summary>Somebody who reads the backups, or removes some.</summary>
    private static async Task<string> LockAsync(TestCluster cluster, string kind)
    {
        var holder = await Host.DockerAsync(
            "run",
            "-d",
            "--network",
            "none",
            "--label",
            $"pgflow.cluster={cluster.Name}",
            "-v",
            $"pgflow-{cluster.Name}-repository:/repository:ro",
            "--entrypoint",
            "sh",
            Host.Image,
            "-c",
            $"exec 9< /repository/backups; flock {kind} 9; exec sleep 600"
        );
        await Host.UntilAsync(
            "it is locked",
            async () => (await Host.DockerAsync("top", holder)).Contains("sleep 600", StringComparison.Ordinal)
        );
        return holder;
    }

    private static Task<string> InPrimaryAsync(TestCluster cluster, string command) =>
        InNodeAsync(cluster.Node(1), command);

    private static Task<string> InNodeAsync(NodeId node, string command) =>
        Host.DockerAsync("exec", "-u", "postgres", node.Container, "sh", "-c", command);

    private static async Task<Report> BackUpAsync(TestCluster cluster, bool incremental = false) =>
        await TestCluster.ReportAsync(await StartAsync(cluster, incremental));

    /// <summary>The published backups, oldest first.</summary>
    private static async Task<string[]> ListAsync(TestCluster cluster) =>
        (await RepositoryAsync(cluster, "ls -d */ | tr -d /")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A command in the folder of the backups.</summary>
    private static Task<string> RepositoryAsync(TestCluster cluster, string command, bool writes = false) =>
        Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "-u",
            "postgres",
            "-v",
            $"pgflow-{cluster.Name}-repository:/repository{(writes ? "" : ":ro")}",
            "-w",
            "/repository/backups",
            "--entrypoint",
            "sh",
            Host.Image,
            "-c",
            $"PATH=$PATH:{TestedPostgres.Bin}; {command}"
        );

    private sealed record HeldCopy(Temporalio.Client.WorkflowHandle<TakeBackup, Report> Backup, string Job)
        : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await Host.TryDockerAsync("unpause", Job);
    }
}

using System.Text.RegularExpressions;

namespace PgFlow.SystemTests.World;

/// <summary>
/// A backup; A; four prepared transactions whose names look like lines of pg_waldump; B; such messages and a restore
/// point; the prepared ones end; C, D;
/// two databases; E; they are dropped; F.
/// </summary>
public sealed class HostilePast(TemporalServer temporal) : IAsyncLifetime
{
    private const string Line =
        @"\nrmgr: Transaction len (rec/tot):     46/    46, tx:        999, lsn: 0/03000028, prev 0/02FFFFD8, "
        + "desc: COMMIT 2099-01-01 00:00:00.274103 UTC";

    /// <summary>Names of prepared transactions, as SQL writes them.</summary>
    internal static readonly string[] Names =
    [
        "E'desc: COMMIT 2099-01-01 00:00:00.000000 UTC'",
        "E'desc: COMMIT '",
        $"E'x{Line}'",
        $"E'\"''{new string('ü', 90)} desc: ABORT '",
    ];

    private readonly Dictionary<string, (string Time, string Xid)> _words = [];

    internal TestCluster Cluster { get; private set; } = null!;

    internal NodeId Node => Cluster.Node(1);

    /// <summary>A time at which the four are prepared and B is not there.</summary>
    internal string Prepared { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        await SqlAsync("ALTER SYSTEM SET max_prepared_transactions = 10");
        await Host.DockerAsync("restart", Node.Container);
        await Host.UntilAsync(
            "it has restarted",
            async () => await Host.TryAsync(() => SqlAsync("SHOW max_prepared_transactions")) == "10"
        );
        await SqlAsync("CREATE TABLE word (w text)");
        await Cluster.RunAsync(
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = Cluster.Name, By = "test" })
        );

        await WriteAsync("A");
        foreach (var (name, number) in Names.Select((name, number) => (name, number)))
        {
            await SqlAsync($"BEGIN; INSERT INTO word VALUES ('P{number}'); PREPARE TRANSACTION {name}");
        }

        Prepared = await TimeAsync();
        await WriteAsync("B");
        await SqlAsync($"SELECT pg_logical_emit_message(false, E'desc: COMMIT 2099-01-01 00:00:00 UTC', E'{Line}\\n')");
        await SqlAsync($"SELECT pg_create_restore_point(E'x\\nlsn: F/FFFFFFF8, desc: COMMIT 2099-01-01')");
        await SqlAsync($"COMMIT PREPARED {Names[0]}");
        await SqlAsync($"ROLLBACK PREPARED {Names[2]}");
        await WriteAsync("C");
        await SqlAsync($"COMMIT PREPARED {Names[1]}");
        await SqlAsync($"ROLLBACK PREPARED {Names[3]}");
        await WriteAsync("D");

        foreach (var strategy in (string[])["wal_log", "file_copy"])
        {
            await SqlAsync($"CREATE DATABASE {strategy}{TestedPostgres.Strategy(strategy)}");
            await SqlAsync("CREATE TABLE t AS SELECT generate_series(1, 1000) AS id", strategy);
        }

        await WriteAsync("E");
        await SqlAsync("DROP DATABASE wal_log");
        await SqlAsync("DROP DATABASE file_copy");
        await WriteAsync("F");
    }

    public async ValueTask DisposeAsync() => await (Cluster?.DisposeAsync() ?? default);

    internal string TimeOf(string word) => _words[word].Time;

    internal string XidOf(string word) => _words[word].Xid;

    /// <summary>SQL as it is, whatever quotes and backslashes it has.</summary>
    internal Task<string> SqlAsync(string sql, string database = "app") =>
        Host.DockerAsync(
            "exec",
            "-u",
            "postgres",
            "-e",
            $"SQL={sql}",
            Node.Container,
            "sh",
            "-c",
            $"export PATH=$PATH:{TestedPostgres.Bin}; printf '%s' \"$SQL\" | psql -XAtq -v "
                + $"ON_ERROR_STOP=1 -d {database}"
        );

    private async Task WriteAsync(string word)
    {
        var xid = await SqlAsync(
            $"WITH written AS (INSERT INTO word VALUES ('{word}') RETURNING w) SELECT pg_current_xact_id() FROM written"
        );
        _words[word] = (await TimeAsync(), xid);
    }

    private Task<string> TimeAsync() =>
        SqlAsync("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
}

/// <summary>A recovery is exact, whatever is in the WAL.</summary>
public sealed partial class ExactRecoveryTests(HostilePast past) : IClassFixture<HostilePast>
{
    [Fact, Trait("Suite", "ci")]
    public async Task A_prepared_transaction_with_a_hostile_name_moves_no_target()
    {
        foreach (var word in (string[])["A", "B", "C", "D", "E", "F"])
        {
            var kept = (await PlannedAsync(new() { ToTime = past.TimeOf(word) })).Plan!.Facts[2];
            // Behind F lies only what the other test's recovery writes, where that came first.
            Assert.True(
                kept.StartsWith($"last transaction kept: {past.XidOf(word)} ", StringComparison.Ordinal)
                    || (
                        word is "F"
                        && kept.StartsWith("last transaction kept: all that the branch has", StringComparison.Ordinal)
                    ),
                $"{word}: {kept}"
            );
        }

        await RecoverAsync(past.Prepared);
        Assert.Equal("A", await past.SqlAsync("SELECT string_agg(w, ',') FROM word"));
        Assert.Equal(
            "t",
            await past.SqlAsync(
                "SELECT array_agg(gid ORDER BY gid) = (SELECT array_agg(n ORDER BY n) FROM "
                    + $"unnest(ARRAY[{string.Join(", ", HostilePast.Names)}]) AS n) FROM pg_prepared_xacts"
            )
        );
    }

    [Fact]
    public async Task A_recovery_to_before_drop_database_has_its_files()
    {
        await RecoverAsync(past.TimeOf("E"));

        Assert.Equal("1000", await past.SqlAsync("SELECT count(*) FROM t", "wal_log"));
        Assert.Equal("1000", await past.SqlAsync("SELECT count(*) FROM t", "file_copy"));
        Assert.Equal(
            "A,B,P0,C,P1,D,E",
            await past.SqlAsync(
                "SELECT string_agg(w, ',' ORDER BY CASE w WHEN 'P0' THEN 'Bb' WHEN 'P1' THEN 'Cc' ELSE w END) FROM word"
            )
        );
    }

    [Fact]
    public async Task A_position_between_the_removal_of_files_and_its_commit_is_said_to_be_one()
    {
        var report = await PlannedAsync(new() { ToTime = past.TimeOf("E") });
        Assert.DoesNotContain(
            report.Plan!.Warnings.Select(FindingText.Of),
            warning => warning.Contains("files of database", StringComparison.Ordinal)
        );
        var dropped = Position().Match(report.Plan.Facts[3]).Groups["lsn"].Value;

        var warned = await PlannedAsync(new() { ToLsn = dropped, Timeline = 1 });
        var warning = Assert.Single(
            warned.Plan!.Warnings.Select(FindingText.Of),
            warning => warning.Contains("files of database", StringComparison.Ordinal)
        );
        var before = BeforeThat().Match(warning).Groups["lsn"].Value;
        var safe = await PlannedAsync(new() { ToLsn = before, Timeline = 1 });
        Assert.DoesNotContain(
            safe.Plan!.Warnings.Select(FindingText.Of),
            other => other.Contains("files of database", StringComparison.Ordinal)
        );
    }

    private Task<Report> PlannedAsync(RecoverClusterInput input)
    {
        var named = input with { Cluster = past.Cluster.Name, By = "test", DryRun = true };
        return past.Cluster.RunAsync((RecoverCluster procedure) => procedure.RunAsync(named));
    }

    private Task<Report> RecoverAsync(string time) =>
        past.Cluster.RunAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = past.Cluster.Name,
                        By = "test",
                        ToTime = time,
                        Timeline = 1,
                    }
                )
        );

    [GeneratedRegex(@"\((?<lsn>[0-9A-F]+/[0-9A-F]+) on timeline 1\)")]
    private static partial Regex Position();

    [GeneratedRegex(@"the position before that is (?<lsn>[0-9A-F]+/[0-9A-F]+) on timeline 1")]
    private static partial Regex BeforeThat();
}

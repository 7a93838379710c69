using System.Globalization;
using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>A table of words in a cluster, and when each was there; a state is what a recovery must bring back
/// exactly.</summary>
internal sealed class Story(TestCluster cluster)
{
    private readonly Dictionary<string, (string Time, string Rows)> _states = [];

    public NodeId Primary { get; set; } = cluster.Node(1);

    /// <summary>A story that has come as far as the last of <paramref name="words"/>.</summary>
    public static async Task<Story> OfAsync(TestCluster cluster, params string[] words)
    {
        var story = new Story(cluster);
        await TestCluster.SqlAsync(story.Primary, "CREATE TABLE word (w text)");
        foreach (var word in words)
        {
            await story.WriteAsync(word);
        }

        return story;
    }

    /// <summary>Writes a word; afterwards the state has its name.</summary>
    public async Task WriteAsync(string word)
    {
        await TestCluster.SqlAsync(Primary, $"INSERT INTO word VALUES ('{word}')");
        var time = await TestCluster.SqlAsync(
            Primary,
            "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\\\"T\\\"HH24:MI:SS.US\\\"Z\\\"')"
        );
        _states[word] = (time.Trim(), await RowsAsync(Primary));
    }

    public string TimeOf(string word) => _states[word].Time;

    public string RowsOf(string word) => _states[word].Rows;

    public Task<Report> RecoverAsync(string word) => RecoverAsync(new() { ToTime = TimeOf(word) }, word);

    /// <summary>Recovers to a target at which the state is that of <paramref name="word"/>.</summary>
    public async Task<Report> RecoverAsync(RecoverClusterInput target, string word)
    {
        var input = target with { Cluster = cluster.Name, By = "test" };
        var report = await cluster.RunAsync((RecoverCluster procedure) => procedure.RunAsync(input));
        await IsAsync(word);
        return report;
    }

    /// <summary>Every node has exactly the rows of that state, and the cluster is well.</summary>
    public async Task IsAsync(string word)
    {
        var state = (await cluster.InspectAsync()).State;
        Primary = Assert.Single(state.Primaries).Id;
        foreach (var node in state.Nodes)
        {
            await Host.UntilAsync(
                $"{node.Id} is as after {word}",
                async () => await RowsAsync(node.Id) == _states[word].Rows
            );
        }

        var inspection = await cluster.InspectAsync();
        Assert.True(inspection.Healthy, string.Join("\n", inspection.Findings));
    }

    private static async Task<string> RowsAsync(NodeId node) =>
        (await TestCluster.SqlAsync(node, "SELECT string_agg(w, ',' ORDER BY ctid) FROM word")).Trim();
}

public sealed class RecoveryTests(TemporalServer temporal)
{
    [Theory]
    [InlineData(2, ArchiveMode.External)]
    [InlineData(3, ArchiveMode.Local, Traits = ["Suite", "world"])]
    public async Task Is_regretted_and_redone_over_branches_with_a_failover_in_between(int nodes, ArchiveMode archive)
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes, archive: archive);
        var story = await Story.OfAsync(cluster, "A", "B");

        await story.RecoverAsync("A"); // opens timeline 2
        await story.WriteAsync("C");
        await story.RecoverAsync("B"); // only timeline 1 had it; opens 3
        await story.RecoverAsync("C"); // only timeline 2 had it; opens 4
        await story.WriteAsync("D");
        var archived = await ChecksumsAsync(cluster);

        // A killed primary's last segment is in no archive: nobody switches it by hand.
        await Host.DockerAsync("kill", story.Primary.Container);
        await FailoverTests.FailOverAsync(cluster); // opens 5
        story.Primary = Assert.Single((await cluster.InspectAsync()).State.Primaries).Id;
        await story.WriteAsync("E");
        await story.RecoverAsync("D");
        await story.RecoverAsync("E");
        Assert.NotEmpty(archived);
        Assert.Empty(archived.Except(await ChecksumsAsync(cluster))); // recovering nodes read WAL in the archive itself
    }

    [Fact, Trait("Suite", "world")]
    public async Task Of_a_killed_primary_that_nobody_replaced_finds_its_last_segment()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var story = await Story.OfAsync(cluster, "A", "B");
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await story.RecoverAsync("B");
    }

    [Fact]
    public async Task Stops_to_be_looked_at_moves_on_and_goes_back_to_exactly_what_there_was()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var story = await Story.OfAsync(cluster, "A", "B", "C");

        var recovery = await cluster.StartAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        ToTime = story.TimeOf("A"),
                        Inspect = true,
                    }
                )
        );
        await InspectingAsync(recovery);
        Assert.Equal("A", await WordsAsync(cluster.Node(1)));
        await recovery.ExecuteUpdateAsync(
            "move",
            [new TargetInput { Cluster = cluster.Name, ToTime = story.TimeOf("B") }]
        );
        await Host.UntilAsync(
            "B is there",
            async () => await Host.TryAsync(() => WordsAsync(cluster.Node(1))) == "A,B"
        );
        await InspectingAsync(recovery);
        var (exit, seen) = await PgFlowProgram.RunAsync(
            temporal.Client,
            "psql",
            $"{cluster.Name}",
            "-c",
            "SELECT 'read-only: ' || pg_is_in_recovery()"
        );
        Assert.True(exit == 0 && seen.Contains("read-only: true", StringComparison.Ordinal), seen);

        var busy = await TestCluster.FailureAsync(
            await cluster.StartAsync(
                (RecoverCluster procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Latest = true,
                        }
                    )
            )
        );
        Assert.Equal(FailureTypes.ClusterBusy, busy.Type);

        await recovery.ExecuteUpdateAsync("reject", [new Rejection("test", "enough")]);
        Assert.Equal(FailureTypes.Refused, (await TestCluster.FailureAsync(recovery)).Type);
        await story.IsAsync("C");
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact]
    public async Task Goes_on_however_often_its_worker_is_killed()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var story = await Story.OfAsync(cluster, "A", "B");

        var recovery = await cluster.StartAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = cluster.Name,
                        By = "test",
                        ToTime = story.TimeOf("A"),
                    }
                )
        );
        foreach (var during in new[] { "ReplayWal", "PromoteStandby", "CopyPrimary" })
        {
            await cluster.WorkedOnAsync(recovery, during);
            cluster.Worker.Kill9();
            cluster.StartWorker();
        }

        await TestCluster.ReportAsync(recovery);
        await story.IsAsync("A");
        await cluster.HealthyAsync(cluster.Node(1), timeline: 2);
    }

    [Fact, Trait("Suite", "world")]
    public async Task Whose_worker_is_killed_while_a_backup_is_restored_does_not_restore_it_twice()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var story = await Story.OfAsync(cluster, "A");
        var held = await cluster.HoldBackupsAsync();
        var recovery = await cluster.StartAsync(
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
        await cluster.WorkedOnAsync(recovery, "RestoreBackup");
        cluster.Worker.Kill9();
        var second = cluster.StartWorker();
        await Host.DockerAsync("rm", "-f", held);
        await TestCluster.ActivityAsync(recovery, "SwapInCopy"); // the jobs are there until the procedure tidies up
        Assert.Single(
            (await Host.DockerAsync("ps", "-aq", "--filter", $"name=pgflow-{cluster.Name}-job-begin-restore")).Split(
                '\n'
            )
        );
        Assert.Single(
            (await Host.DockerAsync("ps", "-aq", "--filter", $"name=pgflow-{cluster.Name}-job-restore-backup")).Split(
                '\n'
            )
        );
        await TestCluster.ReportAsync(recovery);

        await TestCluster.RedoneAsync(recovery, "RestoreBackup", second);
        await story.IsAsync("A");
    }

    [Fact, Trait("Suite", "world")]
    public async Task To_what_can_not_be_had_is_refused_with_what_can_and_touches_nothing()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        async Task<string> RefusalAsync(RecoverClusterInput input)
        {
            var named = input with { Cluster = cluster.Name, By = "test" };
            var (type, _, message) = await TestCluster.FailureAsync(
                await cluster.StartAsync((RecoverCluster procedure) => procedure.RunAsync(named))
            );
            Assert.Contains(type, (string[])[FailureTypes.Refused, FailureTypes.InvalidInput]);
            return message;
        }

        Assert.Contains(
            "future",
            await RefusalAsync(new() { ToTime = "2100-01-01T00:00:00Z" }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "recoverable times: ",
            await RefusalAsync(new() { ToTime = "2000-01-01T00:00:00Z" }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no offset",
            await RefusalAsync(new() { ToTime = "2026-01-01T00:00:00" }),
            StringComparison.Ordinal
        );
        Assert.Contains("no restore point 'x'", await RefusalAsync(new() { ToPoint = "x" }), StringComparison.Ordinal);
        Assert.Contains("beyond the end", await RefusalAsync(new() { ToLsn = "F/0" }), StringComparison.Ordinal);
        Assert.Contains(
            "no timeline 9",
            await RefusalAsync(new() { Latest = true, Timeline = 9 }),
            StringComparison.Ordinal
        );
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact, Trait("Suite", "world")]
    public async Task Of_a_cluster_whose_settings_were_raised_and_lowered_again_copes()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var story = await Story.OfAsync(cluster);
        await SetConnectionsAsync(story, 300);
        await story.WriteAsync("A");
        await SetConnectionsAsync(story, 100);
        await story.WriteAsync("B");

        var report = await story.RecoverAsync("A");
        Assert.Contains(report.Notes, note => note.Contains("max_connections = 300", StringComparison.Ordinal));
        await story.RecoverAsync("B");
    }

    [Fact, Trait("Suite", "world")]
    public async Task As_a_clone_leaves_the_source_and_its_archive_alone()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var story = await Story.OfAsync(cluster, "A", "B");
        await using var clone = await cluster.SiblingAsync();
        var before = await ArchiveAsync(cluster);

        await clone.RunAsync(
            (CloneCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = clone.Name,
                        From = cluster.Name,
                        By = "test",
                        ToTime = story.TimeOf("A"),
                        ExternalNetwork = clone.Network,
                        Vip = clone.Vip,
                    }
                )
        );

        await clone.HealthyAsync(clone.Node(1), timeline: 2);
        Assert.Equal("A", await WordsAsync(clone.Node(2)));
        await story.IsAsync("B");
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
        Assert.DoesNotContain(
            (await ArchiveAsync(cluster)).Except(before),
            file => file.Contains("00000002", StringComparison.Ordinal)
        );
    }

    private static async Task SetConnectionsAsync(Story story, int connections)
    {
        await TestCluster.SqlAsync(
            story.Primary,
            $"ALTER SYSTEM SET max_connections = {connections.ToString(CultureInfo.InvariantCulture)}"
        );
        await Host.DockerAsync("restart", story.Primary.Container);
        await Host.UntilAsync(
            "it has restarted",
            async () =>
                await Host.TryAsync(() => TestCluster.SqlAsync(story.Primary, "SHOW max_connections")) is { } shown
                && shown.Trim() == connections.ToString(CultureInfo.InvariantCulture)
        );
    }

    internal static Task InspectingAsync(WorkflowHandle recovery, int seconds = 60) =>
        Host.UntilAsync(
            "it is paused at its target",
            async () =>
                (await recovery.QueryAsync<ProcedureProgress>("progress", [])).Status is ProcedureStatus.Inspecting,
            seconds
        );

    internal static async Task<string> WordsAsync(NodeId node) =>
        (await TestCluster.SqlAsync(node, "SELECT string_agg(w, ',' ORDER BY ctid) FROM word")).Trim();

    /// <summary>What the archives have, with checksums.</summary>
    private static async Task<IReadOnlyList<string>> ChecksumsAsync(TestCluster cluster)
    {
        var sums = new List<string>();
        foreach (var node in (await cluster.InspectAsync()).State.Nodes)
        {
            sums.AddRange(
                (
                    await Host.DockerAsync(
                        "exec",
                        node.Id.Container,
                        "sh",
                        "-c",
                        "cd /; sha256sum repository/wal/0* pgflow/archive/0* 2> /dev/null || :"
                    )
                )
                    .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Where(line => !line.Contains(".tail.", StringComparison.Ordinal))
                    .Select(line => $"{node.Id} {line}")
            );
        }

        return sums;
    }

    private static async Task<string[]> ArchiveAsync(TestCluster cluster) =>
        (
            await Host.DockerAsync("exec", cluster.Node(1).Container, "ls", "/repository/wal", "/repository/timelines")
        ).Split('\n');
}

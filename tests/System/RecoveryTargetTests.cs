namespace PgFlow.SystemTests;

/// <summary>A backup under a writer; A, then B while a prepared transaction is open, then C behind its commit;
/// recovered to B (timeline 2), and since then D.</summary>
public sealed class TwoBranches(TemporalServer temporal) : IAsyncLifetime
{
    internal TestCluster Cluster { get; private set; } = null!;

    internal Story Story { get; private set; } = null!;

    /// <summary>The prepared transactions, and the rows of an unlogged table, as they came back.</summary>
    internal (string Prepared, string Unlogged) CameBack { get; private set; }

    internal TimelineTree Tree { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var p1 = Cluster.Node(1);
        await TestCluster.SqlAsync(p1, "ALTER SYSTEM SET max_prepared_transactions = 5");
        await Host.DockerAsync("restart", p1.Container);
        await Host.UntilAsync(
            "it has restarted",
            async () => await Host.TryAsync(() => TestCluster.SqlAsync(p1, "SHOW max_prepared_transactions")) == "5"
        );

        await using (await Writer.StartAsync(Cluster))
        {
            await Cluster.RunAsync(
                (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = Cluster.Name, By = "test" })
            );
        }

        Story = await Story.OfAsync(Cluster, "A");
        await TestCluster.SqlAsync(p1, "CREATE UNLOGGED TABLE scratch AS SELECT generate_series(1, 10) AS id");
        await TestCluster.SqlAsync(p1, "BEGIN; INSERT INTO word VALUES ('P'); PREPARE TRANSACTION 'open'");
        await Story.WriteAsync("B");
        await TestCluster.SqlAsync(p1, "COMMIT PREPARED 'open'");
        await Story.WriteAsync("C");

        await Story.RecoverAsync("B");
        CameBack = (
            await TestCluster.SqlAsync(p1, "SELECT gid FROM pg_prepared_xacts"),
            await TestCluster.SqlAsync(p1, "SELECT count(*) FROM scratch")
        );
        await TestCluster.SqlAsync(p1, "COMMIT PREPARED 'open'");
        await Story.WriteAsync("D");
        Tree = await Cluster.TimelineAsync();
    }

    public async ValueTask DisposeAsync() => await (Cluster?.DisposeAsync() ?? default);
}

/// <summary>Targets that are no commit of their own. All are fixed in the past, so that it doesn't matter what was
/// recovered before.</summary>
public sealed class RecoveryTargetTests(TwoBranches past) : IClassFixture<TwoBranches>
{
    private TestCluster Cluster => past.Cluster;

    private IReadOnlyList<Backup> Backups =>
        [.. past.Tree.Branches.SelectMany(branch => branch.Backups).OrderBy(backup => backup.StartedAt)];

    [Fact]
    public void Brings_an_unlogged_table_back_empty_and_a_prepared_transaction_ready_to_be_committed() =>
        Assert.Equal(
            ("open", "0", "A,P,B,D"),
            (past.CameBack.Prepared, past.CameBack.Unlogged, past.Story.RowsOf("D"))
        );

    [Fact, Trait("Suite", "world")]
    public async Task In_an_idle_tail_is_the_end_of_the_branch()
    {
        var facts = await PlannedAsync(past.Story.TimeOf("D"));
        Assert.StartsWith(
            $"branch: timeline 2; timeline 2 was live at {past.Story.TimeOf("D").TrimEnd('Z').TrimEnd('0')}",
            facts[0],
            StringComparison.Ordinal
        );
        Assert.Contains("nothing was committed on it later", facts[0], StringComparison.Ordinal);
        Assert.Equal("position: the end of the branch", facts[1]);

        await past.Story.RecoverAsync("D");
    }

    [Fact]
    public async Task In_the_hole_between_two_branches_is_the_end_of_the_one_that_was_left()
    {
        var hole = Between(past.Tree.Branches[0].LiveTo!.Value, past.Tree.Branches[1].LiveFrom!.Value);
        var facts = await PlannedAsync(hole);
        Assert.StartsWith(
            $"branch: timeline 1; at {hole} nothing was live: timeline 1 ended at ",
            facts[0],
            StringComparison.Ordinal
        );
        Assert.Equal("position: the end of the branch", facts[1]);

        await Cluster.RunAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = Cluster.Name,
                        By = "test",
                        ToTime = hole,
                    }
                )
        );
        await past.Story.IsAsync("C");
    }

    [Fact]
    public async Task Before_the_end_of_the_first_backup_is_refused_with_the_earliest()
    {
        var first = Backups[0];
        var earliest =
            $"the earliest on timeline 1 is {PgFlowText.Exact(first.StoppedAt)} ({first.End}), the end of "
            + $"backup {first.Id}";

        await RefusedAsync(
            new() { ToTime = Between(first.StartedAt, first.StoppedAt) },
            $"backup {first.Id} had begun but not ended, and there is no older one",
            earliest
        );
        await RefusedAsync(new() { ToLsn = first.WalRanges[0].Start.ToString() }, "is not recoverable", earliest);
        await RefusedAsync(
            new() { ToTime = "2000-01-01T00:00:00Z" },
            "no branch is known to have been live",
            $"recoverable times: {PgFlowText.Exact(first.StoppedAt)} to"
        );
    }

    [Fact]
    public async Task Within_a_later_backup_is_had_with_the_one_before()
    {
        var later = Backups[1];
        // its middle may be behind the last position that it needs
        var facts = await PlannedAsync(PgFlowText.Exact(later.StartedAt.AddMilliseconds(1)));

        Assert.StartsWith("branch: timeline 1; ", facts[0], StringComparison.Ordinal);
        Assert.StartsWith($"backup: {Backups[0].Id}, ", facts[4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_the_future_is_refused_with_the_latest() =>
        await RefusedAsync(
            new() { ToTime = PgFlowText.Exact(DateTimeOffset.UtcNow.AddHours(1)) },
            "is in the future: it is ",
            "for all there is, ask for the latest"
        );

    [Fact]
    public async Task Without_a_zone_is_refused_with_the_readings_that_it_could_have()
    {
        var naive = past.Story.TimeOf("A").TrimEnd('Z');
        await RefusedAsync(new() { ToTime = naive }, $"'{naive}' has no offset", $"{naive}Z (UTC)", $"{naive}+02:00");
    }

    [Fact]
    public async Task That_is_nowhere_is_refused_with_what_there_is()
    {
        await RefusedAsync(new() { ToPoint = "before-3.0" }, "there is no restore point 'before-3.0'; there is none");
        await RefusedAsync(
            new() { ToXid = "4000000" },
            "no commit of transaction 4000000 is in the WAL of timeline",
            "recoverable times"
        );
        await RefusedAsync(new() { ToLsn = "F/0" }, "F/0 is beyond the end of timeline", "which is 0/");
    }

    /// <summary>The facts of a dry run, which touches nothing.</summary>
    private async Task<IReadOnlyList<string>> PlannedAsync(string time)
    {
        var before = await Cluster.SnapshotAsync();
        var report = await Cluster.RunAsync(
            (RecoverCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = Cluster.Name,
                        By = "test",
                        ToTime = time,
                        DryRun = true,
                    }
                )
        );
        Assert.Equal(before, await Cluster.SnapshotAsync());
        return report.Plan!.Facts;
    }

    /// <summary>A real run, which touches nothing either.</summary>
    private async Task RefusedAsync(RecoverClusterInput input, params string[] parts)
    {
        var before = await Cluster.SnapshotAsync();
        var named = input with { Cluster = Cluster.Name, By = "test" };
        var (type, _, message) = await TestCluster.FailureAsync(
            await Cluster.StartAsync((RecoverCluster procedure) => procedure.RunAsync(named))
        );
        Assert.Contains(type, (string[])[FailureTypes.Refused, FailureTypes.InvalidInput]);
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.Equal(before, await Cluster.SnapshotAsync());
    }

    private static string Between(DateTimeOffset one, DateTimeOffset other) =>
        PgFlowText.Exact(one + (other - one) / 2);
}

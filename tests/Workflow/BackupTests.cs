namespace PgFlow.WorkflowTests;

public sealed class BackupTests(TemporalServer server)
{
    [Fact]
    public async Task Is_taken_from_a_standby_and_published_when_its_wal_is_archived()
    {
        await using var world = TestEnvironment.Start(server, nodes: 3);
        await world.SucceedAsync("TakeBackup");

        world.InMemory.Changes.AssertOrder(
            "CopyToRepository p2",
            "ProveArchiving p1",
            "ProveBackup p1",
            "PublishBackup"
        );
        Assert.EndsWith("-full", Assert.Single(world.InMemory.Backups).Id, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Is_taken_from_the_primary_where_no_standby_is_fit()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Crash("p2");
        await world.SucceedAsync("TakeBackup");

        Assert.Contains("CopyToRepository p1", world.InMemory.Calls);
        Assert.Equal(FailureTypes.Refused, (await world.FailAsync("TakeBackup", ("node", "p2"))).Type);
    }

    [Theory]
    [InlineData("ProveArchiving p1")]
    [InlineData("ProveBackup p1")]
    [InlineData("PublishBackup")]
    public async Task That_is_not_proven_is_thrown_away(string broken)
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Fail(broken);

        Assert.Equal(FailureTypes.Unchanged, (await world.FailAsync("TakeBackup")).Type);
        Assert.Empty(world.InMemory.Staged);
        Assert.Empty(world.InMemory.Backups);
    }

    [Fact]
    public async Task That_can_build_on_nothing_is_full_and_says_why()
    {
        await using var world = TestEnvironment.Start(server);
        var report = await world.SucceedAsync("TakeBackup", ("incremental", true));

        Assert.Null(Assert.Single(world.InMemory.Backups).Parent);
        Assert.Contains("a full backup, not an incremental one: there is no backup on timeline 1 yet", report.Notes);
    }

    [Fact]
    public async Task That_is_incremental_begins_behind_a_checkpoint_of_the_primary()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.Parent = new("20261124T140000Z-full");
        await world.SucceedAsync("TakeBackup", ("incremental", true));

        world.InMemory.Changes.AssertOrder("Checkpoint p1", "WaitForReplay p2", "CopyToRepository p2");
        Assert.Equal("20261124T140000Z-full", Assert.Single(world.InMemory.Backups).Parent);
    }

    [Fact]
    public async Task Keeps_no_failover_waiting_but_another_backup()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("CopyToRepository p2");
        var backup = await world.StartAsync("TakeBackup");
        await gate.Reached;

        Assert.Equal(FailureTypes.ClusterBusy, (await world.FailAsync("CreateRestorePoint", ("name", "now"))).Type);
        world.InMemory.Crash("p1");
        Assert.Equal(ProcedureStatus.Succeeded, (await world.SucceedAsync("Failover")).Outcome);
        await backup.CancelAsync();
        await TestEnvironment.CancelledAsync(backup);
        Assert.Empty(world.InMemory.Staged);
    }

    [Fact]
    public async Task Of_a_database_with_tablespaces_is_refused()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory["p1"] = world.InMemory["p1"] with { TablespaceNames = ["fast"] };

        Assert.Contains("tablespaces", (await world.FailAsync("TakeBackup")).Message, StringComparison.Ordinal);
        Assert.Empty(world.InMemory.Changes);
    }

    [Fact]
    public async Task With_a_policy_removes_what_nothing_kept_needs_and_says_why()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.TwoBackups();
        var report = await world.SucceedAsync("TakeBackup", ("keep", 1));

        world.InMemory.Changes.AssertOrder(
            "PublishBackup",
            "RemoveBackups older 000000010000000000000001 000000010000000000000002 000000010000000000000003"
        );
        Assert.Contains("1 backup and 3 WAL segments were removed", report.Notes);
        Assert.Contains(report.Notes, note => note.StartsWith("removed backup older: ", StringComparison.Ordinal));
        Assert.Contains(
            report.Notes,
            note =>
                note.StartsWith(
                    "removed WAL 000000010000000000000001 to 000000010000000000000003: ",
                    StringComparison.Ordinal
                )
        );
    }

    [Theory]
    [InlineData("FindExpired")]
    [InlineData("RemoveBackups older 000000010000000000000001 000000010000000000000002 000000010000000000000003")]
    public async Task Stands_though_the_removal_fails(string broken)
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.TwoBackups();
        world.InMemory.Fail(broken);
        var report = await world.SucceedAsync("TakeBackup", ("keep", 1));

        Assert.Single(world.InMemory.Backups);
        Assert.Contains("nothing more was removed: broken", report.Notes);
        Assert.DoesNotContain(report.Notes, note => note.StartsWith("removed ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1, new[] { "older", "newer" })]
    [InlineData(2, new[] { "older" })]
    public async Task With_a_policy_says_in_a_dry_run_what_would_go_and_removes_nothing(int keep, string[] removed)
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.TwoBackups();
        var report = await world.SucceedAsync("TakeBackup", ("keep", keep), ("dryRun", true));

        Assert.Contains(
            $"what the newest {PgFlowText.Count(keep, "full backup")} of each branch does not need is removed "
                + "afterwards",
            report.Plan!.Facts
        );
        Assert.Equal(
            removed,
            report
                .Plan.Warnings.Select(HintText.Line)
                .Where(warning => warning.StartsWith("backup ", StringComparison.Ordinal))
                .Select(warning => warning.Split(' ')[1])
        );
        Assert.Contains(
            report.Plan.Warnings.Select(HintText.Line),
            warning => warning.StartsWith("WAL 000000010000000000000001", StringComparison.Ordinal)
        );
        Assert.Equal(["ObserveCluster", "FindExpired"], world.InMemory.Calls);
    }

    [Fact]
    public async Task With_both_rules_says_both_in_a_dry_run()
    {
        await using var world = TestEnvironment.Start(server);
        var report = await world.SucceedAsync("TakeBackup", ("keep", 2), ("keepDays", 14), ("dryRun", true));

        Assert.Contains(
            "what the newest 2 full backups of each branch or a recovery to any time of the last 14 days does "
                + "not need is removed afterwards",
            report.Plan!.Facts
        );
        Assert.Empty(world.InMemory.Changes.Except(["FindExpired"]));
    }

    [Fact]
    public async Task Without_a_policy_removes_nothing()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.TwoBackups();
        await world.SucceedAsync("TakeBackup");

        Assert.DoesNotContain(world.InMemory.Calls, call => call.StartsWith("RemoveBackups", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Is_verified_beside_a_failover_and_says_what_was_proven()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("VerifyRecovery 20261124T100000Z-full");
        var verification = await world.StartAsync("VerifyBackup");
        await gate.Reached;
        world.InMemory.Crash("p1");
        await world.SucceedAsync("Failover");
        gate.Open();

        var report = await verification.GetResultAsync<Report>();
        Assert.Equal(
            $"backup 20261124T100000Z-full of {world.Cluster} can be recovered: 42 MB up to 0/2000000 on timeline 1 "
                + "without damage; "
                + "restored in 3 s, replayed in 2 s, checked in 1 s",
            report.Summary
        );
        Assert.Empty(report.Notes);
    }

    [Fact]
    public async Task Whose_own_wal_is_missing_is_not_verified_by_another()
    {
        await using var world = TestEnvironment.Start(server);
        var failed = await world.FailAsync("VerifyBackup", ("backup", "20261124T120000Z-full"));

        Assert.Equal(FailureTypes.Refused, failed.Type);
        Assert.StartsWith(
            "20261124T120000Z-full can't be recovered by itself",
            failed.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_restore_points_name_is_used_once()
    {
        await using var world = TestEnvironment.Start(server);
        var created = await world.SucceedAsync("CreateRestorePoint", ("name", "before-2.0"));
        Assert.Matches(
            $"^{world.Cluster} has restore point before-2.0: [0-9A-F]+/[0-9A-F]+ on timeline [0-9]+, ",
            created.Summary
        );
        Assert.Empty(created.Notes);

        var again = await world.FailAsync("CreateRestorePoint", ("name", "before-2.0"));
        Assert.Equal(FailureTypes.Refused, again.Type);
        Assert.Contains("at 0/5000000 on timeline 1", again.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public async Task A_bad_name_of_a_restore_point_touches_nothing(string name)
    {
        await using var world = TestEnvironment.Start(server);

        Assert.Equal(FailureTypes.InvalidInput, (await world.FailAsync("CreateRestorePoint", ("name", name))).Type);
        Assert.Empty(world.InMemory.Calls);
    }
}

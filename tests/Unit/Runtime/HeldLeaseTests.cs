namespace PgFlow.UnitTests.Runtime;

public sealed class HeldLeaseTests
{
    [Theory]
    [InlineData("running", null, "now running; wait for it: pgflow watch s-1; end it: pgflow cancel s-1")]
    [InlineData("undoing", null, "now undoing; wait for it: pgflow watch s-1; end it: pgflow cancel s-1")]
    [InlineData(
        "blocked",
        null,
        "now blocked; see what it waits for: pgflow show s-1; decide it (retry, skip or abort): pgflow resolve s-1 "
            + "retry; take the cluster from it: pgflow failover demo --to p2 --take-over s-1"
    )]
    [InlineData(
        "inspecting",
        null,
        "now inspecting; it waits for a person: pgflow approve s-1; roll it back: pgflow reject s-1"
    )]
    [InlineData(
        "running",
        "StartPostgres, attempt 20: no answer",
        "now running without progress (StartPostgres, attempt 20: no answer); end it: pgflow cancel s-1; take the "
            + "cluster from it: pgflow failover demo --to p2 --take-over s-1"
    )]
    public void What_is_advised_fits_the_state_of_the_holder(string outcome, string? stuck, string end)
    {
        var demo = ClusterName.Parse("demo");
        var held = new HeldLease(
            demo,
            LeaseKind.Cluster,
            "Switchover",
            "s-1",
            DateTimeOffset.UnixEpoch,
            "anna",
            outcome,
            stuck
        );

        var busy = held.RefusalOf(
            new FailoverInput
            {
                Cluster = demo,
                To = NodeName.Of(2),
                By = "bert",
            }
        );

        Assert.Equal(FailureTypes.ClusterBusy, busy.Type);
        Assert.Equal($"demo is held by Switchover s-1, started 1970-01-01 00:00:00Z by anna, {end}", Sample.Said(busy));
    }

    [Fact]
    public void It_can_be_taken_by_the_same_procedure_with_what_that_was_given()
    {
        var demo = ClusterName.Parse("demo");
        var held = new HeldLease(
            demo,
            LeaseKind.Backup,
            "TakeBackup",
            "s-1",
            DateTimeOffset.UnixEpoch,
            "anna",
            "blocked"
        );

        var take = held.RefusalOf(
            new TakeBackupInput
            {
                Cluster = demo,
                Annotation = "anna's",
                Approve = true,
                By = "bert",
                Reason = "bert's",
                DryRun = true,
            }
        ).Hints[^1];

        Assert.Equal("""{"annotation":"anna\u0027s","cluster":"demo","takeOver":"s-1"}""", take.Input!.ToJsonString());
        Assert.Equal(
            @"take the cluster from it: pgflow backup demo --annotation 'anna'\''s' --take-over s-1",
            HintText.Of(take)
        );
    }

    [Fact]
    public void Without_progress_is_one_whose_code_or_activity_fails_again_and_again()
    {
        Assert.Null(HeldLease.WhyStuck(1, [("StartPostgres", 1, null), ("RewindData", 15, "busy")]));
        Assert.Equal(
            "RewindData, attempt 16: busy",
            HeldLease.WhyStuck(1, [("StartPostgres", 1, null), ("RewindData", 16, "busy")])
        );
        Assert.Equal("the workers fail on its code, attempt 4", HeldLease.WhyStuck(4, []));
    }
}

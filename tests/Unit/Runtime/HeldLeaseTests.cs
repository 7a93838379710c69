namespace PgFlow.UnitTests.Runtime;

public sealed class HeldLeaseTests
{
    [Theory]
    [InlineData("running", null, false, "; wait for it (pgflow watch s-1) or end it (pgflow cancel s-1)")]
    [InlineData("undoing", null, false, "; wait for it (pgflow watch s-1) or end it (pgflow cancel s-1)")]
    [InlineData(
        "blocked",
        null,
        true,
        "now blocked; decide it (pgflow show s-1, then pgflow resolve s-1 retry, skip or abort), or take the "
            + "cluster from it: --take-over s-1"
    )]
    [InlineData(
        "inspecting",
        null,
        false,
        "; it waits for a person: pgflow approve s-1, or pgflow reject s-1, which rolls it back"
    )]
    [InlineData(
        "running",
        "StartPostgres, attempt 20: no answer",
        true,
        "now running without progress (StartPostgres, attempt 20: no answer); end it (pgflow cancel s-1), or "
            + "take the cluster from it: --take-over s-1"
    )]
    public void What_is_advised_fits_the_state_of_the_holder(string outcome, string? stuck, bool canBeTaken, string end)
    {
        var held = new HeldLease(
            ClusterName.Parse("demo"),
            LeaseKind.Cluster,
            "Switchover",
            "s-1",
            DateTimeOffset.UnixEpoch,
            "anna",
            outcome,
            stuck
        );

        Assert.Equal(canBeTaken, held.CanBeTaken);
        Assert.StartsWith(
            "demo is held by Switchover s-1, started 1970-01-01 00:00:00Z by anna, now ",
            held.Sentence,
            StringComparison.Ordinal
        );
        Assert.EndsWith(end, held.Sentence, StringComparison.Ordinal);
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

using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

/// <summary>What lies outside the data directory can't be copied, and a replay would overwrite it.</summary>
public sealed class TablespaceTests
{
    private static readonly ClusterState State = Healthy()
        .With(1, node => node with { TablespaceNames = ["slow", "fast"] })
        .With(2, node => node with { TablespaceNames = ["fast"] });

    public static TheoryData<string, Action> Copying =>
        new()
        {
            { "backup", () => TakeBackupPlan.From(new() { Cluster = Cluster }, State) },
            { "remake", () => RemakeStandbyPlan.From(new() { Cluster = Cluster, Node = P(2) }, State) },
            { "recovery", () => RecoverClusterPlan.From(new() { Cluster = Cluster }, State, Target) },
            {
                "recovery without a primary",
                () => RecoverClusterPlan.From(new() { Cluster = Cluster }, State.With(1, Stopped), Target)
            },
        };

    private static ResolvedTarget Target =>
        new()
        {
            Timeline = new(1),
            End = new(0x2000000),
            EndOfBranch = false,
            Backups = ["20261124T100000Z-full"],
            Wal = [new(new(1), new(0x1000000), new(0x2000000))],
            NewTimeline = new(2),
            Why = "it was live then",
        };

    [Theory, MemberData(nameof(Copying))]
    public void Are_refused_by_what_copies_or_recovers_data_directories(string what, Action plan)
    {
        var refusal = Assert.Throws<PgFlowException>(plan);

        Assert.True(refusal.Type == FailureTypes.Refused, what);
        Assert.StartsWith("demo has tablespaces of its own (fast, slow), ", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith("then DROP TABLESPACE", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keep_nobody_from_a_switchover_or_a_failover()
    {
        Assert.NotNull(SwitchoverPlan.From(new() { Cluster = Cluster }, State));
        Assert.NotNull(
            FailoverPlan.From(new() { Cluster = Cluster }, State.With(1, Stopped), new(new TimelineHistory(new(1), [])))
        );
    }

    [Fact]
    public void Let_a_node_come_back_only_as_it_is()
    {
        var plan = FailbackPlan.From(new() { Cluster = Cluster }, State.With(3, Stopped));
        var rewind = new Rejoin(RejoinStrategy.Rewind, "it ran ahead");
        var noAction = rewind with { Strategy = RejoinStrategy.NoAction };

        Assert.StartsWith(
            "p3 can only rejoin unchanged, and is refused where it can't: demo has tablespaces",
            Assert.Single(plan.Warnings.Select(HintText.Line)),
            StringComparison.Ordinal
        );
        Assert.Same(noAction, noAction.Within(plan.Tablespaces));
        Assert.Same(rewind, rewind.Within(null));
        Assert.StartsWith(
            "it ran ahead, so it would have to be rewound or copied, but demo has",
            Sample.Said(Assert.Throws<PgFlowException>(() => rewind.Within(plan.Tablespaces))),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Are_a_finding() =>
        Assert.StartsWith(
            "demo has tablespaces of its own (fast, slow)",
            FindingText.Of(
                Assert.Single(
                    Inspection.Of(State, new() { Live = new(1), Backup = new("B1", default, new(1), null) }).Findings
                )
            ),
            StringComparison.Ordinal
        );
}

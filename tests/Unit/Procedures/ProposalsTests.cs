using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class ProposalsTests
{
    [Fact]
    public async Task A_failover_is_proposed_where_a_standby_can_take_over() =>
        Assert.Equal(nameof(Failover), (await HintAsync(FindingCode.NoPrimary, Healthy().With(1, Stopped))).Procedure);

    [Fact]
    public async Task A_failover_that_must_be_refused_is_not_proposed_and_its_reasons_are_said()
    {
        var hint = await HintAsync(FindingCode.NoPrimary, Healthy(2).With(1, Stopped).With(2, Stopped));

        Assert.Null(hint.Procedure);
        Assert.StartsWith("Failover would be refused: no standby answers: ", hint.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failback_is_proposed_for_a_node_that_it_would_bring_back() =>
        Assert.Equal(
            nameof(Failback),
            (await HintAsync(FindingCode.NotAStandby, Healthy().With(3, Stopped))).Procedure
        );

    [Fact]
    public async Task Each_procedure_is_asked_with_the_input_that_is_proposed()
    {
        Assert.Equal(
            "p1 is the primary; make another node the primary: pgflow switchover demo",
            await RefusalAsync(nameof(Failback), Healthy(), P(1))
        );
        Assert.Equal(
            "p1 is the primary; make another node the primary: pgflow switchover demo",
            await RefusalAsync(nameof(RemakeStandby), Healthy(), P(1))
        );
        Assert.Equal("demo has no node p9; it has p1, p2, p3", await RefusalAsync(nameof(Failback), Healthy(), P(9)));
        Assert.Null(await RefusalAsync(nameof(Switchover), Healthy()));
        Assert.StartsWith(
            "no node of demo accepts writes",
            await RefusalAsync(nameof(Switchover), Healthy().With(1, Stopped)),
            StringComparison.Ordinal
        );
        Assert.Null(
            await RefusalAsync(nameof(Failback), Healthy().With(3, node => node with { Role = NodeRole.Primary }))
        );
    }

    [Fact]
    public async Task What_is_proposed_instead_of_a_refused_procedure_has_been_asked_too()
    {
        var choice = await HintAsync(FindingCode.NoPrimary, Healthy().With(1, Hung).With(3, Missing));
        Assert.Equal(nameof(Failover), choice.Procedure);

        var none = await HintAsync(FindingCode.NoPrimary, Healthy().With(1, Hung).With(2, Stopped).With(3, Missing));
        Assert.Null(none.Procedure);
    }

    [Fact]
    public async Task To_insist_is_never_proposed_though_it_would_be_accepted()
    {
        var (state, input) = (Healthy().With(1, Stopped), new FailoverInput { Cluster = Cluster, To = P(2) });
        var asked = Hint.Failover(Cluster);
        async Task<Hint> InsteadAsync(FailoverInput way) =>
            await Proposals.InsteadAsync(asked, Failure.Refuse("it is so", Hint.Start("go on", way)), state);

        Assert.Equal(nameof(Failover), (await InsteadAsync(input)).Procedure);
        Assert.Equal(new("Failover would be refused: it is so"), await InsteadAsync(input with { Force = true }));
    }

    private static async Task<string?> RefusalAsync(string procedure, ClusterState state, NodeName? node = null) =>
        await Proposals.RefusalAsync(Hint.Run("do it", procedure, Cluster, node), state) is { } refusal
            ? Said(refusal)
            : null;

    private static async Task<Hint> HintAsync(FindingCode code, ClusterState state) =>
        (
            await Proposals.AskedAsync(
                Inspection.Of(
                    state,
                    new() { Live = new(1), Backup = new("B1", DateTimeOffset.UnixEpoch, new(1), VerifiedAt: null) }
                )
            )
        )
            .Findings.First(finding => finding.Code == code)
            .Hint!;
}

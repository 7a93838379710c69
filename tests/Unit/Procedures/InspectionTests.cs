using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class InspectionTests
{
    public static TheoryData<string, ClusterState> Findings => new()
    {
        { "no node accepts writes; make one the primary: pgflow failover demo", Healthy().With(1, Stopped) },
        { "SPLIT BRAIN: p1, p3 all accept writes, the virtual IP is on p1; fence the wrong one: pgflow failback demo NODE", Healthy().With(3, node => node with { Role = NodeRole.Primary }) },
        { "the virtual IP is on p2, not on the primary p1", Healthy().With(1, node => node with { Endpoint = EndpointRole.None }).With(2, node => node with { Endpoint = EndpointRole.ReadWrite }) },
        { "the virtual IP is on no node, not on the primary p1", Healthy().With(1, node => node with { Endpoint = EndpointRole.None }) },
        { "p3 is no running standby (stopped, container exited); bring it back: pgflow failback demo p3", Healthy().With(3, Stopped) },
        { "p3 does not stream from p1; bring it back: pgflow failback demo p3", Healthy().WithFollower(3, _ => null) },
        { "p3 is 32 MB behind p1", Healthy().WithFollower(3, row => row with { LagBytes = 32 * 1024 * 1024 }) },
        { "slot p2 on p1 is lost: its standby needs the archive or a remake", Healthy().With(1, node => node with { Slots = [new("p2", Active: false, "lost"), new("p3", Active: true, "reserved")] }) },
        { "p1 can't archive 000000010000000000000005; see its log: docker logs pgflow-demo-p1", Healthy().With(1, node => node with { Archiver = new(null, "000000010000000000000005", 3) }) },
        { "p2: work_mem is overridden", Healthy().With(2, node => node with { Drift = ["work_mem is overridden"] }) },
    };

    [Fact]
    public void Finds_nothing_in_a_healthy_cluster() => Assert.True(Inspection.Of(Healthy()) is { Healthy: true, Findings: [] });

    [Theory, MemberData(nameof(Findings))]
    public void Says_what_is_wrong_and_how_to_mend_it(string finding, ClusterState state)
    {
        var inspection = Inspection.Of(state);
        Assert.False(inspection.Healthy);
        Assert.Equal(finding, inspection.Findings[0]);
    }

    [Fact]
    public void Without_one_primary_says_what_else_is_wrong() => Assert.Equal(
        ["p2 is stopped, container exited", "p3: work_mem is overridden"],
        Inspection.Of(Healthy().With(2, Stopped).With(3, node => node with { Role = NodeRole.Primary, Drift = ["work_mem is overridden"] })).Findings.Skip(1));
}

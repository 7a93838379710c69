using Temporalio.Exceptions;
using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class FailoverPlanTests
{
    private static readonly FailoverInput Any = new() { Cluster = Cluster };

    public static TheoryData<string, ClusterState, FailoverInput> Refused => new()
    {
        { "there is no cluster demo; make it with: pgflow init demo", Nothing, Any },
        { "p1 is healthy and accepts writes: change the primary with pgflow switchover demo, or fence it all the same with --force", Healthy(), Any },
        { "p1 is the primary already", Healthy(), Any with { To = P(1), Force = true } },
        { "p2 is no running standby (stopped, container exited)", Healthy().With(1, Stopped).With(2, Stopped), Any with { To = P(2) } },
        { "no standby answers: p1 is stopped, container exited; p2 is unreachable: no answer within 2 s", Healthy(2).With(1, Stopped).With(2, Hung), Any },
        { "replay is paused on p3: its promotion would hang; resume it with: SELECT pg_wal_replay_resume()", Healthy().With(1, Stopped).With(3, node => node with { ReplayPaused = true }), Any },
        { "p2: drift", Healthy().With(1, Stopped).With(2, node => node with { Drift = ["drift"] }), Any },
    };

    [Theory, MemberData(nameof(Refused))]
    public void Says_what_stands_against_it(string why, ClusterState state, FailoverInput input) =>
        Assert.Equal((Ends.Refused, why), Refusal(() => FailoverPlan.From(input, state)));

    [Fact]
    public void Fences_the_lost_primary_and_takes_who_has_most()
    {
        var plan = FailoverPlan.From(Any, Healthy().With(1, Stopped).With(3, node => node with { Wal = new(0x5000001) }));

        Assert.Equal([new(new(Cluster, P(1)), WasRunning: false, HeldEndpoint: true)], plan.Lost);
        Assert.Equal([P(2), P(3)], plan.Survivors.Select(node => node.Name));
        Assert.Equal(P(3), plan.Likely.Node.Name);
        Assert.Equal("p3 becomes the primary of demo; p1 fenced", plan.Summary);
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public void A_higher_timeline_is_more_than_more_WAL()
    {
        var plan = FailoverPlan.From(Any, Healthy().With(1, Stopped).With(2, node => node with { Timeline = new(2) }).With(3, node => node with { Wal = new(0x9000000) }));
        Assert.Equal(P(2), plan.Likely.Node.Name);
        Assert.Equal(P(2), plan.Winner([Candidate(2, 0x5000000, timeline: 2), Candidate(3, 0x9000000)]).Node.Name);
    }

    [Fact]
    public void By_force_a_healthy_primary_is_fenced_with_a_warning()
    {
        var plan = FailoverPlan.From(Any with { Force = true }, Healthy());

        Assert.Equal([new(new(Cluster, P(1)), WasRunning: true, HeldEndpoint: true)], plan.Lost);
        Assert.Equal(["p1 is healthy: what it commits until it is fenced may be lost"], plan.Warnings);
    }

    [Fact]
    public void By_force_both_sides_of_a_split_brain_are_fenced() =>
        Assert.Equal([P(1), P(2)], FailoverPlan.From(Any with { Force = true }, Healthy().With(2, node => node with { Role = NodeRole.Primary })).Lost.Select(lost => lost.Node.Name));

    [Fact]
    public void A_hung_third_node_is_fenced_since_nobody_knows_what_it_is() =>
        Assert.Equal([P(1), P(3)], FailoverPlan.From(Any, Healthy().With(1, Stopped).With(3, Hung)).Lost.Select(lost => lost.Node.Name));

    [Fact]
    public void A_stopped_standby_is_left_out_with_a_warning()
    {
        var plan = FailoverPlan.From(Any, Healthy().With(1, Stopped).With(3, Stopped));

        Assert.Equal([P(1)], plan.Lost.Select(lost => lost.Node.Name));
        Assert.Equal(["p3 does not take part (stopped, container exited); afterwards: pgflow failback demo p3"], plan.Warnings);
    }

    [Fact]
    public void Where_all_are_standbys_nobody_needs_a_fence()
    {
        var plan = FailoverPlan.From(Any, Healthy(2).With(1, node => Stopped(node) with { StandbySignal = true, Endpoint = EndpointRole.None }));

        Assert.Empty(plan.Lost);
        Assert.Equal("p2 becomes the primary of demo; no node needs to be fenced", plan.Summary);
    }

    [Fact]
    public void The_winner_has_most_and_a_named_one_no_less()
    {
        var state = Healthy().With(1, Stopped);
        var plan = FailoverPlan.From(Any, state);
        var asked = FailoverPlan.From(Any with { To = P(3) }, state);

        Assert.Equal(P(2), plan.Winner([Candidate(3, 1), Candidate(2, 1)]).Node.Name);
        Assert.Equal(P(3), plan.Winner([Candidate(3, 2), Candidate(2, 1)]).Node.Name);
        Assert.Equal(P(3), asked.Winner([Candidate(3, 1), Candidate(2, 1)]).Node.Name);
        Assert.Equal((Ends.Refused, "p2 has 16 MB more than p3; without a named node it is taken"), Refusal(() => asked.Winner([Candidate(3, 1), Candidate(2, 16 * 1024 * 1024 + 1)])));
        Assert.Equal((Ends.Refused, "p3 does not answer any more"), Refusal(() => asked.Winner([Candidate(2, 1)])));
        Assert.Equal((Ends.Refused, "no standby answers any more"), Refusal(() => plan.Winner([])));
    }

    private static Candidate Candidate(int number, ulong received, uint timeline = 1) => new(new(Cluster, P(number)), new(timeline), new(received), ReplayPaused: false);

    private static (string?, string) Refusal(Func<object> plan)
    {
        var refusal = Assert.Throws<ApplicationFailureException>(plan);
        return (refusal.ErrorType, refusal.Message);
    }
}

using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

/// <summary>What the witness makes of what it sees: p1 is the primary, p2 and p3 stream from it.</summary>
public sealed class WitnessTests
{
    private const string Address = "10.77.1.11";

    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private static readonly PrimarySeen Seen = new(P(1), Noon, new(0x5000000), [P(2), P(3)]);

    private static readonly NodeLook Primary = new(P(1), Address, ContainerSign.Up, ServerSign.Writes)
    {
        HoldsEndpoint = true,
        Wal = new(0x5000000),
    };

    private static readonly NodeLook Killed = Silent(Primary) with { Container = ContainerSign.Down };

    private static readonly NodeLook Starting = Silent(Primary) with { Server = ServerSign.Starting };

    /// <summary>Each with its verdict, and a part of what is said for it.</summary>
    private static readonly Dictionary<string, (Look Look, WitnessFinding Finding, string Said)> Cases = new()
    {
        ["all is well"] = (Of(Primary, Follower(2), Follower(3)), WitnessFinding.Well, "p1 accepts writes"),
        ["commits wait for a standby that is away"] = (
            Of(Primary with { Demand = Demand.Parse("ANY 2 (p2, p3)"), StreamTo = [P(2)] }, Follower(2)),
            WitnessFinding.Stalled,
            "commits on p1 wait for confirmations that nobody gives: ANY 2 (p2, p3) is demanded; p2 streams"
        ),
        ["as many confirm as are demanded"] = (
            Of(Primary with { Demand = Demand.Parse("ANY 1 (p2, p3)"), StreamTo = [P(2)] }, Follower(2)),
            WitnessFinding.Well,
            "p1 accepts writes"
        ),
        ["Docker is late, and the primary writes"] = (
            Of(Primary with { Container = ContainerSign.Unknown }, Follower(2)) with
            {
                Docker = DockerAnswer.Late,
            },
            WitnessFinding.Well,
            "p1 accepts writes"
        ),
        ["down by both"] = (Of(Killed, Alone(2), Alone(3)), WitnessFinding.Down, "p2, p3 streamed from it until now"),
        ["down, one standby can't be asked"] = (
            Of(Killed, Alone(2), Silent(Alone(3))),
            WitnessFinding.Down,
            "p2 streamed from it"
        ),
        ["down, and a standby still streams from it"] = (
            Of(Killed, Alone(2), Follower(3)),
            WitnessFinding.Unconfirmed,
            "p3 still streams from it"
        ),
        ["down, and no standby can be asked"] = (
            Of(Killed, Silent(Alone(2)), Silent(Alone(3))),
            WitnessFinding.Unconfirmed,
            "no standby that streamed from it can be asked"
        ),
        ["down, and a standby that never streamed says so"] = (
            Of(Killed, Silent(Alone(2)), Silent(Alone(3)), Alone(4)),
            WitnessFinding.Unconfirmed,
            "no standby that streamed from it can be asked"
        ),
        ["up but unreachable"] = (
            Of(Silent(Primary), Alone(2), Alone(3)),
            WitnessFinding.Unreachable,
            "its container runs, and PostgreSQL does not answer"
        ),
        ["silent but still streaming"] = (
            Of(Silent(Primary), Follower(2), Alone(3)),
            WitnessFinding.Unreachable,
            "p2 still streams from it"
        ),
        ["paused by Docker"] = (
            Of(Silent(Primary) with { Container = ContainerSign.Paused }, Alone(2)),
            WitnessFinding.Unreachable,
            "somebody has paused its container"
        ),
        ["it refuses PgFlow"] = (
            Of(Silent(Primary) with { Server = ServerSign.Refuses }, Follower(2)),
            WitnessFinding.Unreachable,
            "refuses PgFlow"
        ),
        ["Docker is away, the primary silent"] = (
            Away(Silent(Primary) with { Container = ContainerSign.Unknown }, Alone(2)),
            WitnessFinding.Unreachable,
            "Docker does not say"
        ),
        ["Docker starts it again"] = (
            Of(Silent(Primary) with { Container = ContainerSign.Restarting }, Alone(2)),
            WitnessFinding.Recovering,
            "Docker starts its container again"
        ),
        ["crash recovery"] = (
            Of(Starting, Alone(2)),
            WitnessFinding.Recovering,
            "PostgreSQL starts, recovers or stops"
        ),
        ["neither Docker nor any node"] = (
            Away(Silent(Primary), Silent(Alone(2))),
            WitnessFinding.Blind,
            "neither Docker nor any node answers"
        ),
        ["nothing but a daemon that is away"] = (Away(), WitnessFinding.Blind, "neither Docker nor any node answers"),
        ["all run and none answers"] = (
            Of(Silent(Primary), Silent(Alone(2))),
            WitnessFinding.Blind,
            "p1 does not answer"
        ),
        ["no container is left"] = (Of(), WitnessFinding.Unclear, "no node holds the virtual IP"),
        ["two accept writes"] = (
            Of(Primary, Alone(2) with { Server = ServerSign.Writes }),
            WitnessFinding.Unclear,
            "p1, p2 accepts writes"
        ),
        ["another one than the endpoint's accepts writes"] = (
            Of(Killed, Alone(2) with { Server = ServerSign.Writes }),
            WitnessFinding.Unclear,
            "p1 holds the virtual IP"
        ),
        ["a standby holds the endpoint"] = (
            Of(Follower(2) with { HoldsEndpoint = true }),
            WitnessFinding.Unclear,
            "p2 holds the virtual IP and is a standby"
        ),
        ["a procedure holds the cluster"] = (
            Of(Killed, Alone(2)) with
            {
                HeldBy = "switchover-demo works on it",
            },
            WitnessFinding.Busy,
            "switchover-demo works on it"
        ),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory, MemberData(nameof(Names))]
    public void A_look_says(string name)
    {
        var (look, finding, said) = Cases[name];
        var verdict = WitnessVerdict.Of(look, Seen);

        Assert.Equal(finding, verdict.Finding);
        Assert.Contains(said, verdict.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_primary_that_was_never_seen_well_is_not_given_up()
    {
        Assert.Equal(WitnessFinding.Unconfirmed, WitnessVerdict.Of(Of(Killed, Alone(2)), seen: null).Finding);
        Assert.Equal(
            WitnessFinding.Unconfirmed,
            WitnessVerdict.Of(Of(Killed, Alone(2)), Seen with { Node = P(2) }).Finding
        );
    }

    [Fact]
    public void A_healthy_primary_is_remembered_with_its_position_and_whoever_streams_from_it()
    {
        var verdict = WitnessVerdict.Of(Of(Primary, Follower(2), Alone(3)), seen: null);
        Assert.Equal((P(1), new Lsn(0x5000000)), (verdict.Seen!.Node, verdict.Seen.Wal));
        Assert.Equal([P(2)], verdict.Seen.Streaming);
    }

    [Fact]
    public void A_standby_that_a_look_has_missed_streamed_all_the_same_for_ten_seconds()
    {
        Look missed = Of(Primary, Alone(2)),
            down = Of(Killed, Alone(2));
        Assert.True(News(Of(Primary, Follower(2)), missed, down, down)[3]);
        Assert.False(News([Of(Primary, Follower(2)), .. Enumerable.Repeat(missed, 21), down, down])[^1]);
    }

    [Fact]
    public void That_it_is_down_must_be_seen_twice_in_a_row()
    {
        var down = Of(Killed, Alone(2));
        Assert.Equal([false, true], News(down, down));
        Assert.Equal([false, false, false, true], News(down, Of(Killed, Follower(2)), down, down));
    }

    [Fact]
    public void A_first_sign_that_it_is_down_is_looked_into_sooner_and_a_known_one_is_not()
    {
        var judge = new WitnessJudge(known: null, Seen);
        Assert.Equal([0.5, 0.2, 0.5, 0.5], new[] { Primary, Killed, Killed, Killed }.Select(RestAfter));

        double RestAfter(NodeLook primary, int number)
        {
            judge.After(At(Of(primary, Alone(2)), number));
            return judge.Rest.TotalSeconds;
        }
    }

    [Fact]
    public void That_all_is_well_is_said_at_once_and_once()
    {
        var well = new WitnessVerdict(WitnessFinding.Well, P(1), []);
        Assert.Equal([true], News(known: null, Of(Primary, Follower(2))));
        Assert.Equal([false, false], News(well, Of(Primary, Follower(2)), Of(Primary, Follower(2))));
        Assert.Equal([true], News(well with { Primary = P(2) }, Of(Primary, Follower(2))));
    }

    [Fact]
    public void What_passes_within_three_seconds_is_no_news()
    {
        var silent = Of(Silent(Primary), Alone(2));
        var news = News(Enumerable.Repeat(silent, 8));
        Assert.Equal(6, news.IndexOf(true)); // 3 s after the first
    }

    [Fact]
    public void A_daemon_that_was_away_is_given_ten_seconds_to_start_the_nodes_again()
    {
        var away = Away(Silent(Primary) with { Container = ContainerSign.Unknown }, Silent(Alone(2)));
        var news = News([away, .. Enumerable.Repeat(Of(Killed, Alone(2)), 30)]);
        Assert.Equal(20, news.IndexOf(true));
    }

    [Fact]
    public void A_crash_recovery_is_left_alone_as_long_as_it_makes_progress()
    {
        var recovering = Enumerable
            .Range(0, 600)
            .Select(look => Of(Starting with { Startup = [$"recovering segment {look / 50}"] }, Alone(2)));
        Assert.DoesNotContain(true, News(Known(WitnessFinding.Recovering), [.. recovering]));
    }

    [Fact]
    public void A_start_that_stands_still_is_down_after_five_minutes()
    {
        var stuck = Of(Starting with { Startup = ["recovering segment 1"] }, Alone(2));
        var news = News(Known(WitnessFinding.Recovering), [.. Enumerable.Repeat(stuck, 610)]);
        Assert.Equal(601, news.IndexOf(true)); // 600 looks, and another to be sure

        var unknown = Of(Starting with { Startup = null }, Alone(2));
        Assert.DoesNotContain(true, News(Known(WitnessFinding.Recovering), [.. Enumerable.Repeat(unknown, 610)]));
    }

    [Fact]
    public void What_was_seen_before_a_gap_of_half_a_minute_counts_for_nothing()
    {
        Assert.Equal([false, true], Down(after: 58));
        Assert.Equal([false, false], Down(after: 61));

        static List<bool> Down(int after)
        {
            var judge = new WitnessJudge(known: null, Seen);
            return
            [
                .. Enumerable.Range(after, 2).Select(look => judge.After(At(Of(Killed, Alone(2)), look)) is not null),
            ];
        }
    }

    [Fact]
    public void Nor_what_was_seen_before_nobody_could_tell_for_half_a_minute_whether_it_writes()
    {
        Look[] blind = // cut off; its login refused; a procedure at work
        [
            Away(Silent(Primary) with { Container = ContainerSign.Unknown }, Silent(Alone(2))),
            Of(Silent(Primary) with { Server = ServerSign.Refuses }, Alone(2)),
            Of(Silent(Primary), Alone(2)) with
            {
                HeldBy = "switchover-demo works on it",
            },
        ];
        Assert.All(blind, unseen => Assert.Equal(WitnessFinding.Unconfirmed, After(unseen, 61)));
        Assert.All(blind, unseen => Assert.Equal(WitnessFinding.Down, After(unseen, 50)));
        Assert.Equal(WitnessFinding.Down, After(Of(Killed, Silent(Alone(2))), 200)); // it has not written since

        static WitnessFinding After(Look look, int looks)
        {
            var judge = new WitnessJudge(known: null, Seen);
            for (var number = 0; number <= looks; number++)
            {
                judge.After(At(look, number));
            }

            judge.After(At(Of(Killed, Alone(2)), looks + 1));
            return judge.Newest!.Finding;
        }
    }

    [Fact]
    public void Answers_that_are_late_neither_count_nor_speak_against_the_others()
    {
        Look down = Of(Killed, Alone(2)),
            late =
                Of(Silent(Primary) with { Container = ContainerSign.Unknown }, Alone(2)) with
                {
                    Docker = DockerAnswer.Late,
                },
            noStandby = Of(Killed, Silent(Alone(2)));
        Assert.Equal([false, false, true], News(down, late, down));
        Assert.Equal([false, false, false, true], News(down, late, late, down));
        Assert.Equal([false, false, true], News(down, noStandby, down));
        Assert.Equal(6 + 6, News(Enumerable.Repeat(late, 20).Prepend(down)).IndexOf(true)); // then it is said, after 3 s
    }

    [Fact]
    public void A_server_that_Docker_starts_again_and_again_is_down_by_itself()
    {
        var judge = new WitnessJudge(Known(WitnessFinding.Recovering), Seen);
        var restarting = Of(Silent(Primary) with { Container = ContainerSign.Restarting }, Alone(2));
        var starting = Of(Starting, Alone(2));
        var verdicts = Enumerable
            .Range(0, 12)
            .Select(look => judge.After(At(look % 2 == 0 ? restarting : starting, look)))
            .OfType<WitnessVerdict>()
            .ToList();

        Assert.Equal((WitnessFinding.Down, true), (verdicts[0].Finding, verdicts[0].EndsByItself));
    }

    [Fact]
    public void That_commits_wait_is_news_again_when_it_has_lasted()
    {
        var stalled = Of(Primary with { Demand = Demand.Parse("ANY 1 (p2)") }, Alone(2));
        Assert.Equal(20, First(new(TimeSpan.FromSeconds(10), null)));
        Assert.Equal(-1, First(new(null, null)));

        int First(WantedNews wanted)
        {
            var judge = new WitnessJudge(Known(WitnessFinding.Stalled), Seen, wanted);
            return Enumerable.Range(0, 60).ToList().FindIndex(look => judge.After(At(stalled, look)) is not null);
        }
    }

    [Fact]
    public void That_enough_stream_again_is_news_after_a_minute()
    {
        var judge = new WitnessJudge(Known(WitnessFinding.Well), Seen, new(null, 1));
        var looks = Enumerable
            .Range(0, 200)
            .ToList()
            .FindIndex(look =>
                judge.After(At(look < 10 ? Of(Primary) : Of(Primary with { StreamTo = [P(2)] }, Follower(2)), look))
                    is not null
            );
        Assert.Equal(130, looks);
    }

    [Fact]
    public void What_is_known_to_be_down_is_considered_again_after_a_minute()
    {
        var news = News(Known(WitnessFinding.Down), [.. Enumerable.Repeat(Of(Killed, Alone(2)), 130)]);
        Assert.Equal(120, news.IndexOf(true));
    }

    private static WitnessVerdict Known(WitnessFinding finding) => new(finding, P(1), []);

    private static Look At(Look look, int number) => look with { At = Noon.AddSeconds(number * 0.5) };

    private static List<bool> News(params IEnumerable<Look> looks) => News(known: null, [.. looks]);

    private static List<bool> News(WitnessVerdict? known, params Look[] looks)
    {
        var judge = new WitnessJudge(known, Seen);
        return [.. looks.Select((look, number) => judge.After(At(look, number)) is not null)];
    }

    private static Look Of(params NodeLook[] nodes) => new(Noon, DockerAnswer.Given, nodes);

    private static Look Away(params NodeLook[] nodes) => new(Noon, DockerAnswer.Away, nodes);

    private static NodeLook Silent(NodeLook node) =>
        node with
        {
            Server = ServerSign.Silent,
            Wal = null,
            StreamsFrom = null,
        };

    private static NodeLook Alone(int number) =>
        new(P(number), $"10.77.1.{10 + number}", ContainerSign.Up, ServerSign.Follows) { Wal = new(0x5000000) };

    private static NodeLook Follower(int number) => Alone(number) with { StreamsFrom = Address };
}

using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class InspectionTests
{
    public static TheoryData<string, ClusterState> Findings =>
        new()
        {
            { "no node accepts writes; make a node the primary: pgflow failover demo", Healthy().With(1, Stopped) },
            {
                "SPLIT BRAIN: p1, p3 all accept writes, the virtual IP is on p1; fence the wrong one: pgflow "
                    + "failback demo NODE",
                Healthy().With(3, node => node with { Role = NodeRole.Primary })
            },
            {
                "the virtual IP is on p2, not on the primary p1; put it right: pgflow repair demo",
                Healthy()
                    .With(1, node => node with { Endpoint = EndpointRole.None })
                    .With(2, node => node with { Endpoint = EndpointRole.ReadWrite })
            },
            {
                "the virtual IP is on no node, not on the primary p1; put it right: pgflow repair demo",
                Healthy().With(1, node => node with { Endpoint = EndpointRole.None })
            },
            {
                "p3 is no running standby (stopped, container exited); bring it back: pgflow failback demo p3",
                Healthy().With(3, Stopped)
            },
            {
                "p3 does not stream from p1; bring it back: pgflow failback demo p3",
                Healthy().WithFollower(3, _ => null)
            },
            { "p3 is 32 MB behind p1", Healthy().WithFollower(3, row => row with { LagBytes = 32 * 1024 * 1024 }) },
            {
                "p2 replays 1h later by its setting recovery_min_apply_delay; it takes part in role changes "
                    + "and can't become the primary by a switchover; ALTER SYSTEM RESET recovery_min_apply_delay",
                Healthy()
                    .With(2, node => node with { ApplyDelay = "1h" })
                    .WithFollower(2, row => row with { LagBytes = 1L << 30 })
            },
            {
                "p2 can't replay any more: its max_connections is 100, the primary's 150; there: ALTER SYSTEM "
                    + "SET max_connections = 150; then docker restart pgflow-demo-p2 (to resume replay would end the "
                    + "server)",
                Healthy()
                    .With(2, node => node with { ReplayPaused = true, TooLow = [new("max_connections", 100, 150)] })
            },
            {
                "p3 can't replay any more: its max_connections is 100, the primary's 150; give it a fresh copy of the "
                    + "primary: pgflow remake demo p3",
                Healthy().With(3, node => Stopped(node) with { TooLow = [new("max_connections", 100, 150)] })
            },
            {
                "slot p2 on p1 is lost: whoever reads from it needs the archive or has to begin anew",
                Healthy()
                    .With(
                        1,
                        node =>
                            node with
                            {
                                Slots = [new("p2", Active: false, "lost"), new("p3", Active: true, "reserved")],
                            }
                    )
            },
            {
                "p1 can't archive 000000010000000000000005 (17 failed attempts; 3 files wait, the first for 10 "
                    + "min); see its log: docker logs pgflow-demo-p1",
                Healthy().With(1, node => node with { Archiver = new(null, "000000010000000000000005", 3, 17, 600) })
            },
            {
                "p1's archiver lags: 1 file has waited for 90 s; see its log: docker logs pgflow-demo-p1",
                Healthy()
                    .With(
                        1,
                        node => node with { Archiver = new("000000010000000000000004", null, 1, WaitingSeconds: 90) }
                    )
            },
            {
                "p1 is not restarted after a crash or a reboot: its restart policy is no; put it right: pgflow "
                    + "repair demo",
                Healthy().With(1, node => node with { RestartPolicy = "no" })
            },
            {
                "p2 is not restarted after a crash or a reboot: its restart policy is always; put it right: "
                    + "pgflow repair demo",
                Healthy().With(2, node => node with { RestartPolicy = "always" })
            },
            {
                "p2 is not on the cluster's internal network; put it right: pgflow repair demo",
                Healthy().With(2, node => node with { OnInternalNetwork = false })
            },
            {
                "p3 is not on the read-only endpoint demo-ro; put it right: pgflow repair demo",
                Healthy().With(3, node => node with { Endpoint = EndpointRole.None })
            },
            {
                "p2 refuses clients: a procedure that took its address away ended half-way; put it right: "
                    + "pgflow repair demo",
                Healthy().With(2, node => node with { RefusesClients = true })
            },
            {
                "p3 is no running standby (stopped, container exited; at last it said: could not write: No "
                    + "space left on device); bring it back: pgflow failback demo p3",
                Healthy().With(3, node => Stopped(node) with { LastWords = "could not write: No space left on device" })
            },
            {
                "p3 is no running standby (stopped, container exited, without standby.signal: started by hand, "
                    + "it would be a primary); bring it back: pgflow failback demo p3",
                Healthy().With(3, node => Stopped(node) with { RestartPolicy = "no", StandbySignal = false })
            },
            {
                "p1 has no slot for p3; put it right: pgflow repair demo",
                Healthy().With(1, node => node with { Slots = [new("p2", Active: true, "reserved")] })
            },
            {
                "synchronous_standby_names on p1 does not match the cluster's configuration: it is '', "
                    + "expected 'ANY 1 (p2, p3)'; put it right: pgflow repair demo",
                Synchronous("")
            },
            {
                "synchronous_standby_names on p1 does not match the cluster's configuration: it is 'ANY 1 "
                    + "(p2)', expected 'ANY 1 (p2, p3)'; put it right: pgflow repair demo",
                Synchronous("ANY 1 (p2)")
            },
            {
                "synchronous_standby_names on p1 does not match the cluster's configuration: it is 'ANY 1 (p1, "
                    + "p2, p3)', expected 'ANY 1 (p2, p3)'; put it right: pgflow repair demo",
                Synchronous("ANY 1 (p1, p2, p3)")
            },
            {
                "synchronous_standby_names on p1 does not match the cluster's configuration: it is 'FIRST 2 "
                    + "(p2, p3)', expected 'ANY 1 (p2, p3)'; put it right: pgflow repair demo",
                Synchronous("FIRST 2 (p2, p3)")
            },
            {
                "synchronous_standby_names on p1 does not match the cluster's configuration: it is 'ANY 1 "
                    + "(p2)', expected ''; put it right: pgflow repair demo",
                Healthy().With(1, node => node with { SynchronousStandbyNames = "ANY 1 (p2)" })
            },
            {
                "p3 is without a container and without a volume; put it right: pgflow repair demo",
                Healthy().With(3, node => Missing(node) with { HasVolume = false, Control = null })
            },
            {
                "p3 is without a container; its volume holds a standby's data on timeline 1; put it right: "
                    + "pgflow repair demo",
                Healthy().With(3, Missing)
            },
            { "no node accepts writes; put it right: pgflow repair demo", Healthy().With(1, Missing) },
            {
                "the network pgflow-demo-internal is gone; put it right: pgflow repair demo",
                Healthy() with
                {
                    Resources = [new(ResourceKind.Network, "pgflow-demo-internal", ResourceState.Missing)],
                }
            },
            {
                "the network lan is gone; PgFlow did not make it: make it again",
                Healthy() with
                {
                    Resources = [new(ResourceKind.Network, "lan", ResourceState.Missing)],
                }
            },
            {
                "the container pgflow-demo-p4 is not PgFlow's and has a name of this cluster's; remove or rename it",
                Healthy() with
                {
                    Resources = [new(ResourceKind.Container, "pgflow-demo-p4", ResourceState.Foreign)],
                }
            },
            {
                "the container web is not PgFlow's and uses volume pgflow-demo-p1; remove it",
                Healthy() with
                {
                    Resources = [new(ResourceKind.Container, "web", ResourceState.Foreign, "pgflow-demo-p1")],
                }
            },
            {
                "p1 is slow: a login takes longer than 2 s",
                Healthy()
                    .With(1, node => node with { Login = new(LoginProblemKind.Slow, "a login takes longer than 2 s") })
            },
            {
                "p2 refuses PgFlow's login (53300: too many clients); it was asked through its own socket; end "
                    + "sessions or raise max_connections",
                Healthy()
                    .With(
                        2,
                        node => node with { Login = new(LoginProblemKind.ConnectionsUsedUp, "53300: too many clients") }
                    )
            },
            {
                "p2: could not be read: its pg_control: damaged",
                Healthy().With(2, node => node with { Unread = ["its pg_control: damaged"] })
            },
            {
                "p2's WAL summarizer fails: its incremental backups become full ones, and WAL that it has not "
                    + "read stays in pg_wal; put it right: pgflow repair demo",
                Healthy().With(2, node => node with { SummarizerFails = true })
            },
            { $"p2: {Overridden}", Healthy().With(2, node => node with { Drift = [Override] }) },
        };

    /// <summary>Clusters that procedures leave so: no finding of its own says more.</summary>
    public static TheoryData<ClusterState, FindingCode?> AskedRightly =>
        new()
        {
            { Synchronous("ANY 1 (p2, p3)"), null },
            { Synchronous("ANY 2 (p2, p3)", quorum: 2), null },
            { Synchronous("", nodes: 1), null },
            { Synchronous("ANY 1 (p2)").With(3, Stopped), FindingCode.NotAStandby }, // after a switchover without p3
            { Synchronous("ANY 1 (p2, p3)").With(3, Stopped), FindingCode.NotAStandby },
            { Synchronous("ANY 1 (p2, p3)").WithFollower(3, _ => null), FindingCode.NotStreaming },
            // on an abandoned branch
            { Synchronous("ANY 1 (p2)").WithFollower(3, _ => null), FindingCode.NotStreaming },
            { Synchronous("").With(1, node => node with { Unread = ["its state"] }), FindingCode.Unreadable },
            {
                Synchronous("")
                    .With(1, node => node with { Drift = [new("synchronous_standby_names", "postgresql.auto.conf")] }),
                FindingCode.SettingOverridden
            },
        };

    /// <summary>Clusters that procedures leave so, or that a lost standby does, with fewer confirmations.</summary>
    public static TheoryData<ClusterState, string[]> FewerConfirm =>
        new()
        {
            {
                Synchronous("", nodes: 2).With(2, node => Stopped(node) with { RestartPolicy = "no" }),
                [
                    "commits on p1 wait for no standby instead of 1",
                    "p2 is no running standby (stopped, container exited); bring it back: pgflow failback demo p2",
                ]
            }, // after a failover
            {
                Synchronous("ANY 1 (p2)", quorum: 2).WithFollower(3, _ => null),
                [
                    "commits on p1 wait for 1 standby instead of 2",
                    "p3 does not stream from p1; bring it back: pgflow failback demo p3",
                ]
            },
            {
                Synchronous("ANY 1 (p2, p3)", quorum: 2).WithFollower(3, _ => null),
                [
                    "commits on p1 wait for 1 standby instead of 2",
                    "p3 does not stream from p1; bring it back: pgflow failback demo p3",
                ]
            }, // after a switchover that a person ended since p3 did not follow
            {
                Synchronous("ANY 2 (p2, p3)", quorum: 2).With(3, Stopped),
                [
                    "commits on p1 wait for confirmations that nobody gives: synchronous_standby_names is 'ANY 2 (p2, "
                        + "p3)', streaming: p2; let them wait only for those that stream: pgflow synchronous demo 1",
                    "p3 is no running standby (stopped, container exited); bring it back: pgflow failback demo p3",
                ]
            },
            {
                Synchronous("ANY 1 (p2)", nodes: 2).WithFollower(2, _ => null),
                [
                    "commits on p1 wait for confirmations that nobody gives: synchronous_standby_names is 'ANY 1 "
                        + "(p2)', streaming: none; let them wait only for those that stream: pgflow synchronous demo 0",
                    "p2 does not stream from p1; bring it back: pgflow failback demo p2",
                ]
            },
            {
                Synchronous("ANY 1 (p2, p3)").With(3, node => node with { Quorum = 2 }),
                [
                    "p3 would let commits wait for another number of standbys, were it the primary: 2 instead of 1; "
                        + "write it there: pgflow synchronous demo 1",
                ]
            },
        };

    public static TheoryData<string, ArchiveState> ArchiveFindings =>
        new()
        {
            {
                "the repository can't be read: the disk is gone",
                new() { Unreadable = "the disk is gone" }
            },
            {
                "no backup leads to timeline 1, the live one: it can't be recovered; take one: pgflow backup demo",
                Archive with
                {
                    Backup = null,
                }
            },
            {
                "which timeline is live is in no ledger, so nobody knows whether it can be recovered; look: "
                    + "pgflow timeline demo",
                new()
            },
            {
                "WAL is missing: 000000010000000000000003, and with it what follows the last backup B1; take "
                    + "another: pgflow backup demo",
                Archive with
                {
                    Missing = "000000010000000000000003",
                }
            },
            {
                "no room: p1's volume has 4096 bytes left; free some, or give it more: a primary that can't write WAL "
                    + "ends, and one that can't archive keeps its WAL until then",
                Archive with
                {
                    Full = [new("p1", 4096, 1L << 40)],
                }
            },
            {
                "little room: p1's volume has 2048 MB left; free some, or give it more: a primary that can't write "
                    + "WAL ends, and one that can't archive keeps its WAL until then",
                Archive with
                {
                    Low = [new("p1", 2L << 30, 1L << 40)],
                }
            },
        };

    private static ArchiveState Archive { get; } =
        new() { Live = new(1), Backup = new("B1", DateTimeOffset.UnixEpoch, new(1), VerifiedAt: null) };

    [Fact]
    public void Finds_nothing_in_a_healthy_cluster() =>
        Assert.True(Inspection.Of(Healthy(), Archive) is { Healthy: true, Findings: [] });

    [Theory, MemberData(nameof(Findings))]
    public void Says_what_is_wrong_and_how_to_mend_it(string finding, ClusterState state)
    {
        var inspection = Inspection.Of(state, Archive);
        Assert.False(inspection.Healthy);
        Assert.Equal(finding, HintText.Line(inspection.Findings[0]));
    }

    [Theory, MemberData(nameof(ArchiveFindings))]
    public void Says_what_a_recovery_would_lack(string finding, ArchiveState archive) =>
        Assert.Equal([finding], Inspection.Of(Healthy(), archive).Findings.Select(HintText.Line));

    [Theory, MemberData(nameof(AskedRightly))]
    public void A_primary_that_asks_of_its_standbys_what_it_can_is_no_finding(ClusterState state, FindingCode? other) =>
        Assert.Equal(
            other is { } code ? [code] : [],
            Inspection.Of(state, Archive).Findings.Select(finding => finding.Code)
        );

    [Theory, MemberData(nameof(FewerConfirm))]
    public void Says_where_fewer_confirm_than_are_meant_to(ClusterState state, string[] findings) =>
        Assert.Equal(findings, Inspection.Of(state, Archive).Findings.Select(HintText.Line));

    [Fact]
    public void What_only_follows_from_an_absent_standby_is_no_finding_of_its_own() =>
        Assert.Single(
            Inspection
                .Of(
                    Healthy()
                        .With(
                            3,
                            node =>
                                Stopped(node) with
                                {
                                    RestartPolicy = "no",
                                    OnInternalNetwork = false,
                                    Endpoint = EndpointRole.None,
                                }
                        ),
                    Archive
                )
                .Findings
        );

    [Fact]
    public void A_short_queue_and_an_old_gap_are_no_trouble() =>
        Assert.True(
            Inspection
                .Of(
                    Healthy().With(1, node => node with { Archiver = new(null, null, 3, WaitingSeconds: 30) }),
                    Archive with
                    {
                        Gaps = [new(new(1), "1", "2")],
                    }
                )
                .Healthy
        );

    [Fact]
    public void Without_one_primary_says_what_else_is_wrong() =>
        Assert.Equal(
            ["p2 is stopped, container exited", $"p3: {Overridden}"],
            Inspection
                .Of(
                    Healthy()
                        .With(2, Stopped)
                        .With(3, node => node with { Role = NodeRole.Primary, Drift = [Override] }),
                    Archive
                )
                .Findings.Skip(1)
                .Select(HintText.Line)
        );
}

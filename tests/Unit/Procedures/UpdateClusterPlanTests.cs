using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Procedures;

public sealed class UpdateClusterPlanTests
{
    private static readonly PostgresInstallation Newer = new(17, "/usr/lib/postgresql/17/bin", 999, 999, 7, "sha256:7");

    public static TheoryData<string, ClusterState, UpdateClusterInput> Refused =>
        new()
        {
            { "there is no cluster demo; make it: pgflow init demo", Nothing, Set("max_connections=200") },
            {
                "p3 is no running standby (stopped, container exited); bring it back first: pgflow failback demo p3",
                Healthy().With(3, Stopped).WithFollower(3, _ => null),
                Set("max_connections=200")
            },
            {
                "p3 is without a container; its volume holds a standby's data on timeline 1; bring it back first: "
                    + "pgflow repair demo",
                Healthy().With(3, Missing).WithFollower(3, _ => null),
                Set("max_connections=200")
            },
            {
                "p3 is no running standby (stopped, container created); bring it back first: pgflow repair demo",
                Healthy()
                    .With(3, node => Stopped(node) with { Control = null, Container = "created" })
                    .WithFollower(3, _ => null),
                Set("max_connections=200")
            },
            {
                $"p2: {Overridden}",
                Healthy().With(2, node => node with { Drift = [Override] }),
                Set("max_connections=200")
            },
            { "max_conections: p1 has no such setting", Healthy(), Set("max_conections=200") },
            {
                "max_connections: \"0\" is outside the valid range (1 .. 262143); work_mem: \"8mb\" is not valid; "
                    + "expected an integer in kB, or with a unit of B, kB, MB, GB, TB",
                Healthy(),
                Set("max_connections=0", "work_mem=8mb")
            },
            { "wal_level: is PgFlow's own", Healthy(), Set("wal_level=logical") },
            {
                "wal_level: is PgFlow's own; max_conections: p1 has no such setting",
                Healthy(),
                new() { Cluster = Cluster, Reset = ["wal_level", "max_conections"] }
            },
            {
                "max_worker_processes must be raised on the standbys first, and max_connections lowered on the "
                    + "primary first: set one after the other",
                Healthy(),
                Set("max_connections=50", "max_worker_processes=16")
            },
            {
                "p2 can't have less of max_connections before it has replayed that p1 has, 1h later by its setting "
                    + "recovery_min_apply_delay",
                Healthy().With(2, node => node with { ApplyDelay = "1h" }),
                Set("max_connections=50")
            },
            {
                "p1 is the primary, and can't take over from itself",
                Healthy(),
                Set("max_connections=200") with
                {
                    To = P(1),
                }
            },
            {
                "p1 can't archive 000000010000000000000005 (2 failed attempts; nothing waits); see its log: docker logs "
                    + "pgflow-demo-p1",
                Healthy().With(1, node => node with { Archiver = new(null, "000000010000000000000005", 0, 2) }),
                Set("max_connections=200")
            },
        };

    [Theory, MemberData(nameof(Refused))]
    public void Says_what_stands_against_it(string why, ClusterState state, UpdateClusterInput input)
    {
        var refusal = Assert.Throws<PgFlowException>(() => From(input, state));
        Assert.Equal((FailureTypes.Refused, why), (refusal.Type, Said(refusal)));
    }

    public static TheoryData<string, PostgresInstallation> Unfit =>
        new()
        {
            {
                "other:tag has PostgreSQL 18, the cluster 17: another major version needs a new cluster and a dump, or "
                    + "logical replication",
                Newer with
                {
                    Major = 18,
                }
            },
            {
                "other:tag has PostgreSQL 17.5, the nodes 17.6: an older minor version is no update",
                Newer with
                {
                    Minor = 5,
                }
            },
            {
                "the user postgres of other:tag is 70:70, the nodes' data belongs to 999:999",
                Newer with
                {
                    Uid = 70,
                    Gid = 70,
                }
            },
        };

    [Theory, MemberData(nameof(Unfit))]
    public void Another_version_or_owner_is_no_update(string why, PostgresInstallation image) =>
        Assert.Equal(why, Assert.Throws<PgFlowException>(() => From(Image("other:tag"), Healthy(), image)).Message);

    [Fact]
    public void An_image_goes_to_the_standbys_first_then_the_role_changes()
    {
        var plan = From(Image("postgres:17.7"), Healthy(), Newer);

        Assert.Equal(RestartOrder.StandbysFirst, plan.Restart);
        Assert.Equal(["p2", "p3", "p1"], plan.Changes.Select(change => change.ToString()));
        Assert.Equal("p1, p2, p3", string.Join(", ", plan.Changes.Select(change => change.Id.Name).Order()));
        Assert.Equal("p2", plan.Switchover!.Candidate.ToString());
        Assert.Equal("p2, p3, p1 of demo get postgres:17.7; p2 becomes the primary", plan.Summary);
        Assert.All(plan.Changes, change => Assert.Equal("sha256:7", change.After.Spec.ImageReference));
        Assert.All(plan.Changes, change => Assert.Equal("sha256:6", change.Before.Spec.ImageReference));
    }

    [Fact]
    public void A_tag_of_the_same_image_is_nothing_to_do() =>
        Assert.True(From(Image("other:tag"), Healthy(), Newer with { ImageId = "sha256:6", Minor = 6 }).NothingToDo);

    [Fact]
    public void A_tag_that_moved_or_is_gone_is_said_and_the_nodes_keep_their_image()
    {
        string[] Warnings(string? named) =>
            [
                .. From(Set("work_mem=8MB"), Healthy(), setup: setup => setup with { NamedImage = named })
                    .Warnings.Select(HintText.Line),
            ];

        Assert.Equal(
            [
                "postgres:17 is another image by now; the nodes keep theirs, sha256:6; give it to them: pgflow update "
                    + "demo --image postgres:17 --set work_mem=8MB",
            ],
            Warnings("sha256:8").Select(line => line.Replace("'", "", StringComparison.Ordinal))
        );
        Assert.Equal(["there is no image postgres:17 any more; the nodes keep theirs, sha256:6"], Warnings(null));
    }

    [Fact]
    public void Where_a_reload_is_enough_nothing_restarts()
    {
        var plan = From(Set("work_mem=8MB"), Healthy());

        Assert.Equal((RestartOrder.None, null), (plan.Restart, plan.Switchover));
        Assert.Contains("work_mem is 4096kB, will be 8MB; a reload is enough", plan.Facts);
    }

    [Fact]
    public void Less_of_what_standbys_need_as_much_of_restarts_the_primary_first_where_it_is()
    {
        var plan = From(Set("max_connections=50"), Healthy());

        Assert.Equal((RestartOrder.PrimaryFirst, null), (plan.Restart, plan.Switchover));
        Assert.Equal(
            [
                "clients can't write while p1 is restarted where it is: its standbys can't have less of max_connections "
                    + "before it has",
            ],
            plan.Warnings.Select(FindingText.Of)
        );
    }

    [Fact]
    public void A_setting_that_is_taken_back_changes_to_what_the_other_files_say()
    {
        var lowered = Reset("max_connections", "200", unset: "100");
        Assert.Equal(RestartOrder.PrimaryFirst, lowered.Restart);
        Assert.Contains("max_connections is 200, will be 100; needs a restart", lowered.Facts);
        Assert.All(lowered.Changes, change => Assert.Empty(change.After.Settings));

        Assert.Equal(RestartOrder.StandbysFirst, Reset("max_connections", "50", unset: "100").Restart);
        Assert.Equal(RestartOrder.None, Reset("max_connections", "100", unset: "100").Restart);
        Assert.Equal(RestartOrder.None, Reset("work_mem", "8192", unset: "4MB").Restart);

        static UpdateClusterPlan Reset(string name, string now, string unset) =>
            From(
                new() { Cluster = Cluster, Reset = [name] },
                Healthy(),
                setup: setup =>
                    With(setup, name, row => row with { Value = now, FileValue = now, Unset = unset }) with
                    {
                        Settings = new Dictionary<string, string> { [name] = now },
                    }
            );
    }

    [Fact]
    public void One_node_alone_is_an_outage()
    {
        var plan = From(Image("postgres:17.7"), Healthy(1), Newer);

        Assert.Equal(RestartOrder.PrimaryFirst, plan.Restart);
        Assert.Equal(
            ["clients can't write while p1 is restarted where it is: it is the only node"],
            plan.Warnings.Select(FindingText.Of)
        );
    }

    [Fact]
    public void A_file_that_goes_before_is_named() =>
        Assert.Equal(
            "max_connections: p1 has it in postgresql.auto.conf, which goes before; remove it there (ALTER SYSTEM RESET "
                + "max_connections, where it is postgresql.auto.conf)",
            Assert
                .Throws<PgFlowException>(() =>
                    From(
                        Set("max_connections=200"),
                        Healthy(1),
                        setup: setup =>
                            With(
                                setup,
                                "max_connections",
                                row => row with { File = "postgresql.auto.conf", IsOverridden = true }
                            )
                    )
                )
                .Message
        );

    [Fact]
    public void A_standby_that_could_not_follow_what_waits_on_the_primary_is_named() =>
        Assert.Equal(
            "p2 could not follow: its max_connections would be 100, p1's 300",
            Assert
                .Throws<PgFlowException>(() =>
                    From(
                        new() { Cluster = Cluster },
                        Healthy(2),
                        setup: setup =>
                            setup.Node.Name == P(1)
                                ? With(
                                    setup,
                                    "max_connections",
                                    row => row with { FileValue = "300", IsOverridden = true, PendingRestart = true }
                                )
                                : setup
                    )
                )
                .Message
        );

    [Fact]
    public void Without_anything_given_what_waits_is_brought_about_and_else_nothing()
    {
        Assert.True(From(new() { Cluster = Cluster }, Healthy()).NothingToDo);
        var plan = From(
            new() { Cluster = Cluster },
            Healthy(2).With(2, node => node with { PendingRestart = ["max_connections"] })
        );
        Assert.Contains(
            "p2 waits for a restart to use max_connections as its files have it; that has no way back",
            plan.Facts
        );
        Assert.Equal(["p2"], plan.Changes.Select(change => change.ToString()));
        Assert.Null(plan.Switchover);
    }

    [Theory]
    [InlineData("ANY 1 (p2, p3)", 1, false)]
    [InlineData("ANY 2 (p2, p3)", 2, true)]
    public void Fewer_confirm_while_one_is_away_only_where_all_must(string names, int quorum, bool said) =>
        Assert.Equal(
            said,
            From(Set("max_connections=200"), Synchronous(names, quorum: quorum))
                .Warnings.Any(warning => warning.Code is FindingCode.FewerConfirm)
        );

    [Fact]
    public void Who_may_have_confirmed_what_is_not_proven_to_be_on_others_is_let_go_too()
    {
        var state = Synchronous("ANY 1 (p2)").With(1, node => node with { EarlierStandbyNames = "ANY 1 (p3)" });
        Assert.Equal([P(2), P(3)], From(Set("work_mem=8MB"), state).Confirmers);
        Assert.Equal([P(2)], From(Set("work_mem=8MB"), Synchronous("ANY 1 (p2)")).Confirmers);
    }

    [Fact]
    public void Every_node_gets_the_names_of_all_and_nobody_elses()
    {
        var left = Of(Healthy().Nodes[0], Healthy().Nodes[2]) with
        {
            Resources = [new(ResourceKind.Container, "pgflow-demo-p2", ResourceState.Labelled)],
        };
        var plan = From(Image("postgres:17.7"), left, Newer);
        Assert.Equal([P(3), P(1)], plan.Changes.Select(change => change.Id.Name));
        Assert.Equal([P(1), P(3)], plan.Intent.Members);
        Assert.Equal([P(1), P(3)], plan.Switchover!.Intent.Members);
    }

    [Fact]
    public void Restarts_that_wait_and_another_image_are_findings()
    {
        var state = Healthy(2)
            .With(1, node => node with { Image = "sha256:7" })
            .With(2, node => node with { Image = "sha256:6", PendingRestart = ["max_connections", "shared_buffers"] });

        Assert.Equal(
            [
                "p2 waits for a restart to use max_connections, shared_buffers as its files have it; bring it about, one "
                    + "node after another: pgflow update demo",
                "p2's image is not that of p1, the primary; bring it about, one node after another: pgflow update demo",
            ],
            Checks.OutdatedIn(state).Select(HintText.Line)
        );
    }

    [Theory]
    [InlineData("max_connections", "set: 'max_connections' is not NAME=VALUE, as max_connections=200")]
    [InlineData("=3", "set: '=3' is not NAME=VALUE, as max_connections=200")]
    [InlineData("log_line_prefix='%m '", "set: log_line_prefix='%m ': give the value without quotes")]
    public void What_is_no_assignment_is_invalid(string set, string problem) =>
        Assert.Equal([problem], Set(set).Problems().Select(found => found.ToString()));

    [Fact]
    public void A_setting_is_given_once()
    {
        UpdateClusterInput[] twice =
        [
            Set("work_mem=1MB", "WORK_MEM=2MB"),
            Set("work_mem=1MB") with
            {
                Reset = ["Work_mem"],
            },
        ];
        Assert.All(twice, input => Assert.Equal(["set: work_mem is given twice"], Said(input)));
        Assert.Equal(
            ["reset: 'work mem' is no name of a setting, as max_connections"],
            Said(new() { Cluster = Cluster, Reset = ["work mem"] })
        );

        static IEnumerable<string> Said(UpdateClusterInput input) =>
            input.Problems().Select(problem => problem.ToString());
    }

    private static UpdateClusterInput Set(params string[] settings) => new() { Cluster = Cluster, Set = settings };

    private static UpdateClusterInput Image(string image) => new() { Cluster = Cluster, Image = image };

    private static UpdateClusterPlan From(
        UpdateClusterInput input,
        ClusterState state,
        PostgresInstallation? image = null,
        Func<NodeSetup, NodeSetup>? setup = null
    ) =>
        UpdateClusterPlan.From(
            input,
            state,
            [.. state.Nodes.Select(node => (setup ?? (one => one))(SetupOf(node, state)))],
            image
        );

    private static NodeSetup With(NodeSetup setup, string name, Func<Setting, Setting> change) =>
        setup with
        {
            Rows = [.. setup.Rows.Select(row => row.Name == name ? change(row) : row)],
        };

    private static NodeSetup SetupOf(NodeState node, ClusterState state) =>
        new(
            node.Id,
            state.Spec! with
            {
                Postgres = Newer with { Minor = 6, ImageId = "sha256:6" },
            },
            new Dictionary<string, string>(),
            [
                Number("max_connections", "postmaster", "100") with
                {
                    Maximum = "262143",
                },
                Number("max_worker_processes", "postmaster", "8"),
                Number("work_mem", "user", "4096") with
                {
                    Unit = "kB",
                    Minimum = "64",
                },
                new("wal_level", "enum", "postmaster", "replica") { IsOwned = true },
            ]
        )
        {
            Version = "17.6",
            NamedImage = "sha256:6",
        };

    private static Setting Number(string name, string context, string value) =>
        new(name, "integer", context, value) { Minimum = "1", Maximum = "2147483647" };
}

namespace PgFlow.Workflows.Observation;

/// <summary>What is looked for in more than one procedure.</summary>
internal static class Checks
{
    /// <summary>Lag above which a switchover would keep clients waiting for the replay.</summary>
    public const long MaximumLag = 16 * 1024 * 1024;

    /// <summary>How long a segment may wait for the archiver.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>What a copy of a data directory would leave behind; none where it is complete.</summary>
    public static string? TablespacesOf(ClusterState state) =>
        state.Nodes.SelectMany(node => node.TablespaceNames).Distinct().Order(StringComparer.Ordinal).ToList()
            is { Count: > 0 } names
            ? $"{state.Cluster} has tablespaces of its own ({string.Join(", ", names)}), which lie outside the "
                + "data directory and can't be copied or recovered: "
                + "move what is in them, in every database (ALTER TABLE ALL IN TABLESPACE … SET TABLESPACE "
                + "pg_default, the same with INDEX and MATERIALIZED VIEW), then DROP TABLESPACE"
            : null;

    /// <summary>Why <paramref name="node"/> can't become the primary in <paramref name="primary"/>'s stead without loss
    /// or delay.</summary>
    public static IEnumerable<Finding> CandidateBlockers(NodeState node, NodeState primary)
    {
        foreach (var reason in ReplicationIssues(node, primary))
        {
            yield return reason;
        }

        if (node.ApplyDelay is { Length: > 0 } delay)
        {
            yield return new(
                FindingCode.ReplayDelayed,
                node.Id,
                delay,
                Hint: new(
                    "it takes part in role changes and can't become the primary by a switchover; ALTER SYSTEM "
                        + "RESET recovery_min_apply_delay"
                )
            );
        }
        else if (RowOf(node, primary) is { LagBytes: > MaximumLag } row)
        {
            yield return new(FindingCode.StandbyLags, node.Id, $"{PgFlowText.Bytes(row.LagBytes)} behind {primary.Id}");
        }
    }

    /// <summary>Why <paramref name="node"/> is no standby of <paramref name="primary"/>; one that only lags
    /// is.</summary>
    public static IEnumerable<Finding> ReplicationIssues(NodeState node, NodeState primary)
    {
        var rejoin = Hint.Rejoin(node.Id.Cluster, node.Id.Name);
        if (node.Role is NodeRole.Missing)
        {
            yield return ContainerMissing(node);
        }
        else if (node is { Role: not NodeRole.Standby, TooLow.Count: > 0 })
        {
            yield return TooLow(node, Hint.Remake(node.Id));
        }
        else if (node.Role is not NodeRole.Standby)
        {
            yield return new(
                FindingCode.NotAStandby,
                node.Id,
                Describe(node),
                node.LacksData ? Hint.Repair(node.Id.Cluster) : rejoin
            );
        }
        else if (RowOf(node, primary) is not { State: "streaming" })
        {
            yield return new(FindingCode.NotStreaming, node.Id, primary.Id.ToString(), rejoin);
        }

        if (node.ReplayPaused)
        {
            yield return PauseOf(node);
        }

        if (node.SystemIdentifier is { } identifier && identifier != primary.SystemIdentifier)
        {
            yield return new(FindingCode.ForeignSystem, node.Id, identifier, rejoin);
        }
    }

    /// <summary>Why replay is paused: by hand, or since the standby has less of a setting than the primary. Then to
    /// resume it would end the standby.</summary>
    public static Finding PauseOf(NodeState node) =>
        node.TooLow.Count == 0
            ? new(FindingCode.ReplayPaused, node.Id, Hint: new("resume it with: SELECT pg_wal_replay_resume()"))
            : TooLow(
                node,
                new(
                    "there: "
                        + string.Join("; ", node.TooLow.Select(low => $"ALTER SYSTEM SET {low.Name} = {low.Wanted}"))
                        + $"; then docker restart {node.Id.Container} (to resume replay would end the server)"
                )
            );

    private static Finding TooLow(NodeState node, Hint hint) =>
        new(
            FindingCode.CapacityTooLow,
            node.Id,
            string.Join(", ", node.TooLow.Select(low => $"its {low.Name} is {low.Value}, the primary's {low.Wanted}")),
            hint
        );

    /// <summary>Slots of others that stay behind when another node becomes the primary.</summary>
    public static IEnumerable<Finding> SlotsLeftBehind(NodeState old, NodeState candidate) =>
        old
            .Slots.Where(slot =>
                !slot.IsOurs && !(slot.Failover && candidate.Slots.Any(copy => copy.Synced && copy.Name == slot.Name))
            )
            .Select(slot => new Finding(
                FindingCode.SlotLeftBehind,
                old.Id,
                $"{(slot.Logical ? "logical" : "physical")} slot {slot.Name} of {old.Id} does not go along"
                    + slot switch
                    {
                        { Failover: true } =>
                            $": it is not on {candidate.Id} (sync_replication_slots and hot_standby_feedback must "
                                + "be on there)",
                        { Logical: true } => "; from PostgreSQL 17 on, one made with failover = true does",
                        _ => "; make it again on the new primary for whoever reads from it",
                    }
            ));

    /// <summary>Slots of others that go with a node's data.</summary>
    public static IEnumerable<Finding> SlotsLost(NodeState node) =>
        node
            .Slots.Where(slot => !slot.IsOurs && !slot.Synced)
            .Select(slot => new Finding(
                FindingCode.SlotLeftBehind,
                node.Id,
                $"slot {slot.Name} of {node.Id} goes with its data"
            ));

    /// <summary>Why the archive would miss what a primary has written, if it were stopped now.</summary>
    public static IEnumerable<Finding> ArchiverFindingsOf(NodeState node)
    {
        var log = new Hint($"see its log: docker logs {node.Id.Container}");
        return node.Archiver switch
        {
            { LastFailed: { } failed } archiver =>
            [
                new(
                    FindingCode.ArchiverFails,
                    node.Id,
                    $"{failed} ({PgFlowText.Count(archiver.Failures, "failed attempt")}; "
                        + $"{PgFlowText.Waiting(archiver)})",
                    log
                ),
            ],
            { } archiver when archiver.WaitingSeconds > Patience.TotalSeconds =>
            [
                new(FindingCode.ArchiverLags, node.Id, PgFlowText.Waiting(archiver), log),
            ],
            _ => [],
        };
    }

    /// <summary>Settings that PgFlow owns and that something else overrides: a role change would end otherwise than
    /// planned.</summary>
    public static IEnumerable<Finding> ConfigurationDrift(params IEnumerable<NodeState> nodes) =>
        nodes.SelectMany(node =>
            node.Drift.Select(drift => new Finding(
                FindingCode.SettingOverridden,
                node.Id,
                $"{drift.Name} is set in {drift.File}, not in PgFlow's file"
            )
            {
                Subject = drift.Name,
            })
        );

    /// <summary>What decides who confirms commits in another file than PgFlow's: no change of it can be proven
    /// then.</summary>
    public static IEnumerable<Finding> ConfirmationDrift(NodeState primary) =>
        ConfigurationDrift(
            primary with
            {
                Drift =
                [
                    .. primary.Drift.Where(setting =>
                        setting.Name is "synchronous_standby_names" or "primary_conninfo" or "primary_slot_name"
                    ),
                ],
            }
        );

    /// <summary>Findings as the reasons of a plan: with advice, without a procedure to run.</summary>
    public static IEnumerable<string> Said(this IEnumerable<Finding> findings) =>
        findings.Select(finding =>
            finding.Hint is { Procedure: null } hint
                ? $"{FindingText.Of(finding)}; {hint.Text}"
                : FindingText.Of(finding)
        );

    /// <summary>The answer where a node is what it was asked to be.</summary>
    /// <exception cref="PgFlowException">Another procedure has to put something right
    /// about it.</exception>
    public static string NothingToDo(string summary, NodeState node, ClusterState state) =>
        LeftIn(state).Where(finding => finding.Node == node.Id).ToList() is { Count: > 0 } left
            ? throw Failure.Refuse(
                $"{summary}, but not as it should be: {string.Join("; ", left.Select(FindingText.Of))}",
                [.. left.Select(finding => finding.Hint!)]
            )
            : NothingToDo(summary);

    /// <summary>The answer where a cluster is as it was asked to be.</summary>
    public static string NothingToDo(string summary) => $"{summary}; nothing was done";

    /// <summary>What other procedures have to put right.</summary>
    public static IEnumerable<Finding> LeftIn(ClusterState state) =>
        Inspection.DeviationsOf(state).Where(finding => finding.Hint?.Procedure is not null);

    public static Finding ContainerMissing(NodeState node) =>
        new(FindingCode.ContainerMissing, node.Id, Describe(node), Hint.Repair(node.Id.Cluster));

    /// <summary>WAL summarizers that run into errors; a promotion would wait a minute for them.</summary>
    public static IEnumerable<Finding> SummarizersOf(params IEnumerable<NodeState> nodes) =>
        nodes
            .Where(node => node.SummarizerFails)
            .Select(node => new Finding(FindingCode.SummarizerFails, node.Id, Hint: Hint.Repair(node.Id.Cluster)));

    /// <summary>Nodes that run with other settings than their files have, or with another image than the
    /// primary.</summary>
    public static IEnumerable<Finding> OutdatedIn(ClusterState state)
    {
        var update = Hint.Run("bring it about, one node after another", nameof(UpdateCluster), state.Cluster);
        foreach (var node in state.Nodes)
        {
            if (node.PendingRestart.Count > 0)
            {
                yield return new(FindingCode.RestartPending, node.Id, string.Join(", ", node.PendingRestart), update);
            }

            if (state.Primaries is [{ Image: { } image } primary] && node.Image is { } own && own != image)
            {
                yield return new(FindingCode.ImageDiffers, node.Id, primary.Id.ToString(), update);
            }
        }
    }

    public static string Describe(NodeState node) =>
        node.Role switch
        {
            NodeRole.Missing when !node.HasVolume => "without a container and without a volume",
            NodeRole.Missing when node.Control is null => "without a container; its volume holds no data",
            NodeRole.Missing => "without a container; its volume holds a "
                + $"{(node.StandbySignal is true ? "standby" : "primary")}'s data on timeline {node.Timeline}",
            NodeRole.Stopped => $"stopped, container {node.Container}{LackOf(node)}{LastWordsOf(node)}",
            NodeRole.Unreachable => $"unreachable: {node.Login?.Detail}{LastWordsOf(node)}",
            var role => PgFlowText.Word(role),
        };

    /// <summary>A fence that could not write standby.signal, as on a read-only volume.</summary>
    private static string LackOf(NodeState node) =>
        node is { RestartPolicy: "no", StandbySignal: false, Control: not null }
            ? ", without standby.signal: started by hand, it would be a primary"
            : "";

    private static string LastWordsOf(NodeState node) =>
        node.LastWords is { } words ? $"; at last it said: {words}" : "";

    /// <summary>What kept PgFlow from logging in to a node as usual, though it learnt the node's role, and what it
    /// could not learn.</summary>
    public static IEnumerable<Finding> AccessTo(NodeState node) =>
        [
            .. node switch
            {
                { Role: NodeRole.Unreachable } or { Login: null } => Array.Empty<Finding>(),
                { Login.Kind: LoginProblemKind.Slow } => [new(FindingCode.LoginSlow, node.Id, node.Login.Detail)],
                _ => [new(FindingCode.LoginRefused, node.Id, node.Login.Detail, HintOf(node.Id, node.Login.Kind))],
            },
            .. node.Unread.Select(unread => new Finding(FindingCode.Unreadable, node.Id, unread)),
        ];

    /// <summary>PgFlow's roles as users, or an old copy of the data, left them; every procedure that needs them sets
    /// them again.</summary>
    public static IEnumerable<Finding> ChangedRoles(IEnumerable<NodeState> nodes) =>
        nodes
            .Where(node => node.Roles.Count > 0)
            .Select(node => new Finding(
                FindingCode.RolesChanged,
                node.Id,
                string.Join(", ", node.Roles),
                new("the next role change or backup sets them again")
            ));

    private static Hint HintOf(NodeId node, LoginProblemKind kind) =>
        new(
            kind switch
            {
                LoginProblemKind.ConnectionsUsedUp => "end sessions or raise max_connections",
                LoginProblemKind.Authentication => "the next role change or backup sets PgFlow's roles again",
                LoginProblemKind.Database =>
                    $"make it again: docker exec -u postgres {node.Container} psql -d template1 -c 'CREATE "
                        + "DATABASE postgres'",
                _ => $"see its log: docker logs {node.Container}",
            }
        );

    public static string Names(IEnumerable<NodeState> nodes) => string.Join(", ", nodes.Select(node => node.Id));

    private static Follower? RowOf(NodeState node, NodeState primary) =>
        primary.Followers.FirstOrDefault(row => row.Node == node.Id.ToString());

    /// <summary>A volume that has too little room.</summary>
    public static Finding RoomIn(VolumeSpace space, FindingCode code) =>
        new(
            code,
            Detail: $"{space.Volume}'s volume has {PgFlowText.Bytes(space.Free)} left",
            Hint: new(
                "free some, or give it more: a primary that can't write WAL ends, and one that can't archive keeps its "
                    + "WAL until then"
            )
        )
        {
            Subject = space.Volume,
        };
}

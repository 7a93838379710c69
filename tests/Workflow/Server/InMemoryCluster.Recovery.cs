namespace PgFlow.WorkflowTests.Server;

/// <content>What the activities tell of the past, and how they bring it back.</content>
internal sealed partial class InMemoryCluster : IRecoveryActivities, IRepositoryActivities
{
    /// <summary>The cluster that a clone is made from.</summary>
    public static ClusterName Source { get; } = ClusterName.Parse("source");

    /// <summary>What a target comes to.</summary>
    public ResolvedTarget Target { get; set; } =
        new()
        {
            Timeline = new(1),
            End = new(0x2000000),
            EndOfBranch = false,
            Backups = ["20261124T100000Z-full"],
            Wal = [new(new(1), new(0x1000000), new(0x2000000))],
            NewTimeline = new(2),
            LastKept = new(700, new(1), new(0x1FFFF00), new(0x2000000), DateTimeOffset.UnixEpoch, Committed: true),
            FirstDropped = new(
                701,
                new(1),
                new(0x2000000),
                new(0x2000080),
                DateTimeOffset.UnixEpoch.AddSeconds(1),
                Committed: true
            ),
            Why = "it was live then",
        };

    /// <summary>What the repository tells.</summary>
    public RepositoryContents Past { get; set; } = new() { Cluster = Source, ReadAt = DateTimeOffset.UnixEpoch };

    /// <summary>What there is for a recovery of today.</summary>
    public ArchiveState Archive { get; set; } =
        new()
        {
            Live = new(1),
            Backup = new("20261124T100000Z-full", DateTimeOffset.UnixEpoch, new(1), VerifiedAt: null),
        };

    /// <summary>What the WAL tells and the ledger does not.</summary>
    public Unrecorded Unrecorded { get; set; } = new();

    /// <summary>How far each recovering node has got.</summary>
    public List<Lsn> Replays { get; } = [];

    Task<TimelineTree> IRepositoryActivities.ReadTimelinesAsync(ClusterName cluster) =>
        DoAsync(null, () => TimelineTree.From(Past with { Cluster = cluster }));

    Task<Retention> IRepositoryActivities.FindExpiredAsync(
        ClusterName cluster,
        RetentionPolicy policy,
        ExpectedBackup? expected
    ) => DoAsync(null, () => Retention.Of(Past, policy, expected));

    Task<ArchiveState> IRepositoryActivities.InspectArchiveAsync(ClusterName cluster) => DoAsync(null, () => Archive);

    Task<ResolvedTarget> IRepositoryActivities.ResolveTargetAsync(ClusterName cluster, RecoveryTarget target) =>
        DoAsync(null, () => target is LsnTarget at ? Target with { End = at.Lsn } : Target);

    Task IRecoveryActivities.BeginRestoreAsync(NodeId node, ClusterName source, ResolvedTarget target) =>
        DoAsync(node, () => { });

    Task<Unrecorded> IRepositoryActivities.FindUnrecordedAsync(ClusterName cluster) => DoAsync(null, () => Unrecorded);

    /// <summary>The ledger is gone: the WAL tells of timeline 2, of one restore point, and not of timeline 3.</summary>
    public void LoseLedger()
    {
        Past = Past with
        {
            Branches =
            [
                .. Enumerable
                    .Range(1, 3)
                    .Select(number => new Branch(
                        new((uint)number),
                        TimelineHistory.Parse(new((uint)number), ""),
                        Opening: null
                    )),
            ],
        };
        Unrecorded = new()
        {
            Openings =
            [
                new(
                    new(
                        Node: null,
                        new(2),
                        new(1),
                        new(0x2000000),
                        DateTimeOffset.UnixEpoch,
                        "",
                        TimelineOpened.Promotion,
                        Continued: true
                    ),
                    "END_OF_RECOVERY at 0/2000000 on timeline 2"
                ),
            ],
            RestorePoints =
            [
                new(
                    new("before-2.0", new(1), new(0x1000090), DateTimeOffset.UnixEpoch),
                    "RESTORE_POINT at 0/1000028 on timeline 1"
                ),
            ],
            Unknown = ["timeline 3: when it was opened stays unknown"],
        };
    }

    Task IRecoveryActivities.RestoreBackupAsync(NodeId node, ClusterName source, ResolvedTarget target) =>
        DoAsync(node, () => Require(_nodes[node.Name].Role is NodeRole.Stopped, $"{node} was restored while it ran"));

    Task IRecoveryActivities.FetchWalAsync(NodeId node, ClusterName source, ResolvedTarget target) =>
        DoAsync(
            node,
            () => Require(_nodes[node.Name].Role is NodeRole.Stopped, $"WAL was put into {node} while it ran")
        );

    Task<Replayed> IRecoveryActivities.ReplayWalAsync(NodeId node, ResolvedTarget target) =>
        DoAsync(
            node,
            () =>
            {
                Require(
                    _nodes.Values.All(other => other.Role is not NodeRole.Primary),
                    $"{node} recovered beside a primary"
                );
                Require(_upstream[node.Name] is null, $"{node} recovered and followed {_upstream[node.Name]}");
                Run(node, NodeRole.Standby);
                Set(node, state => state with { Timeline = target.Timeline, Wal = target.End });
                Replays.Add(target.End);
                return new Replayed(target.End, DateTimeOffset.UnixEpoch, []);
            }
        );

    Task IClusterActivities.ShareSecretsAsync(ClusterName source, ClusterName cluster) => DoAsync(null, () => { });

    /// <summary>A cluster of three nodes that is cloned.</summary>
    private static ClusterState StateOfSource() =>
        new()
        {
            Cluster = Source,
            Spec = new(Source, "postgres:17", Postgres, ArchiveMode.External, "10.77.9.0/24", "theirs", "10.78.9.9"),
            Nodes =
            [
                .. NodeId
                    .First(Source, 3)
                    .Select(node => new NodeState
                    {
                        Id = node,
                        Role = node.Name.Number == 1 ? NodeRole.Primary : NodeRole.Standby,
                        Container = "running",
                        RestartPolicy = "unless-stopped",
                        Address = $"10.77.9.{10 + node.Name.Number}",
                    }),
            ],
        };
}

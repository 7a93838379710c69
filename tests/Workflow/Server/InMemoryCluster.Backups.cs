namespace PgFlow.WorkflowTests.Server;

/// <content>A repository of backups in memory.</content>
internal sealed partial class InMemoryCluster
{
    private readonly List<Backup> _staged = [];
    private readonly List<Backup> _backups = [];
    private readonly Dictionary<string, RestorePoint> _points = [];

    /// <summary>What an incremental backup can build on.</summary>
    public BackupParent Parent { get; set; } = new(Id: null, "there is no backup on timeline 1 yet");

    /// <summary>The backups that are staged and not published.</summary>
    public IReadOnlyList<Backup> Staged
    {
        get
        {
            lock (_lock)
            {
                return [.. _staged];
            }
        }
    }

    /// <summary>The published backups.</summary>
    public IReadOnlyList<Backup> Backups
    {
        get
        {
            lock (_lock)
            {
                return [.. _backups];
            }
        }
    }

    /// <summary>A past with two full backups, in segments 2 and 4 of 1 to 5.</summary>
    public void TwoBackups()
    {
        Backup Of(string id, ulong segment) =>
            new()
            {
                Id = id,
                StartedAt = DateTimeOffset.UnixEpoch,
                StoppedAt = DateTimeOffset.UnixEpoch,
                Node = NodeName.Of(1),
                WalRanges = [new(new(1), new(segment << 24), new((segment << 24) + 0x100))],
                Bytes = 1,
                SystemIdentifier = "1",
                Major = 17,
            };
        Past = Past with
        {
            Branches = [new(new(1), TimelineHistory.Parse(new(1), ""), Opening: null)],
            Backups = [Of("older", 2), Of("newer", 4)],
            Segments = [new(new(1), 1, 5)],
        };
    }

    Task<BackupParent> IBackupActivities.ChooseBackupParentAsync(NodeId source) => DoAsync(source, () => Parent);

    Task<Backup> IBackupActivities.CopyToRepositoryAsync(BackupOrder order) =>
        DoAsync(
            order.Source,
            () =>
            {
                var source = _nodes[order.Source.Name];
                Require(
                    source.Role is NodeRole.Primary or NodeRole.Standby,
                    $"{order.Source} was copied while it was {source.Role}"
                );
                var backup = new Backup
                {
                    Id = order.Id,
                    StartedAt = DateTimeOffset.UnixEpoch,
                    StoppedAt = DateTimeOffset.UnixEpoch.AddSeconds(5),
                    Node = order.Source.Name,
                    WalRanges = [new(source.Timeline!.Value, new(0x4000028), new(0x4000100))],
                    Bytes = 42 * 1024 * 1024,
                    Parent = order.Parent,
                    SystemIdentifier = source.SystemIdentifier!,
                    Major = 17,
                    Annotation = order.Annotation,
                };
                _staged.Clear();
                _staged.Add(backup);
                return backup;
            }
        );

    Task IBackupActivities.ProveBackupAsync(NodeId primary, Backup backup) =>
        DoAsync(
            primary,
            () =>
                Require(
                    _nodes[primary.Name].Role is NodeRole.Primary,
                    $"a backup was proven with {primary}, which is no primary"
                )
        );

    Task IBackupActivities.PublishBackupAsync(ClusterName cluster, Backup backup) =>
        DoAsync(
            null,
            () =>
            {
                Require(
                    _staged.RemoveAll(staged => staged.Id == backup.Id) == 1,
                    $"{backup.Id} was published and is not staged"
                );
                _backups.Add(backup);
            }
        );

    Task IBackupActivities.DiscardBackupAsync(ClusterName cluster) => DoAsync(null, _staged.Clear);

    Task<Verification> IBackupActivities.VerifyRecoveryAsync(ClusterName cluster, ResolvedTarget target) =>
        DoAsync(target.Backups[^1], () => new Verification(3, 2, 1, 42 * 1024 * 1024, DateTimeOffset.UnixEpoch));

    Task IBackupActivities.RemoveBackupsAsync(ClusterName cluster, ExpirationSet unneeded) =>
        DoAsync(string.Join(' ', [.. unneeded.Backups, .. unneeded.Segments()]), () => { });
}

namespace PgFlow.Workflows.Recovery;

/// <summary>A cluster's branches as a tree: what grew out of what, when each was live, and to which times it can be
/// recovered.</summary>
public sealed record TimelineTree
{
    /// <summary>The cluster.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>The branches by number; <see cref="TreeBranch.Parent"/> and <see cref="TreeBranch.Children"/> make the
    /// tree.</summary>
    public required IReadOnlyList<TreeBranch> Branches { get; init; }

    /// <summary>When it was looked at, by the clock of the databases' host.</summary>
    public required DateTimeOffset ReadAt { get; init; }

    /// <summary>What is not as it should be.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>How many findings are left out.</summary>
    public int MoreFindings { get; init; }

    private const int MostBackups = 200;
    private const int MostPoints = 200;
    private const int MostFindings = 100;

    /// <summary>The same with the newest marks only, where there are more than Temporal carries and a person
    /// reads.</summary>
    public TimelineTree Newest()
    {
        var backups = Branches
            .SelectMany(branch => branch.Backups)
            .OrderByDescending(backup => backup.StartedAt)
            .Take(MostBackups)
            .ToHashSet();
        var points = Branches
            .SelectMany(branch => branch.RestorePoints)
            .OrderByDescending(point => point.At)
            .Take(MostPoints)
            .ToHashSet();
        return this with
        {
            Branches =
            [
                .. Branches.Select(branch =>
                    branch with
                    {
                        Backups = [.. branch.Backups.Where(backups.Contains)],
                        RestorePoints = [.. branch.RestorePoints.Where(points.Contains)],
                        OlderBackups = branch.Backups.Count(backup => !backups.Contains(backup)),
                        OlderRestorePoints = branch.RestorePoints.Count(point => !points.Contains(point)),
                    }
                ),
            ],
            Findings = [.. Findings.Take(MostFindings)],
            MoreFindings = Math.Max(0, Findings.Count - MostFindings),
        };
    }

    /// <summary>The tree of a repository.</summary>
    public static TimelineTree From(RepositoryContents contents)
    {
        ArgumentNullException.ThrowIfNull(contents);
        var periods = LivePeriod.Of(contents);
        var paths = contents.Branches.ToDictionary(branch => branch.Timeline, Lineage.Path);
        var livePath = periods is [.., var live] ? paths[live.Branch.Timeline] : [];
        return new()
        {
            Cluster = contents.Cluster,
            ReadAt = contents.ReadAt,
            Branches =
            [
                .. contents
                    .Branches.OrderBy(branch => branch.Timeline)
                    .Select(branch =>
                    {
                        var (path, period) = (
                            paths[branch.Timeline],
                            periods.FirstOrDefault(period => period.Branch == branch)
                        );
                        var earliest = EarliestOf(contents, branch, period);
                        var latest = period?.EndedAt ?? contents.ReadAt;
                        return new TreeBranch
                        {
                            Timeline = branch.Timeline,
                            Parent = path.Count > 1 ? path[^2].Timeline : null,
                            SwitchedAt = path.Count > 1 ? path[^1].Start : null,
                            Children =
                            [
                                .. paths
                                    .Where(other =>
                                        other.Value.Count > 1 && other.Value[^2].Timeline == branch.Timeline
                                    )
                                    .Select(other => other.Key)
                                    .Order(),
                            ],
                            Opening = branch.Opening,
                            LiveFrom = period?.From,
                            LiveTo = period?.EndedAt,
                            IsStray = TimelineConsistencyChecks.IsStray(contents, branch),
                            IsLive = period is { EndedAt: null },
                            OnLivePath = livePath.Any(piece => piece.Timeline == branch.Timeline),
                            Backups = [.. contents.Backups.Where(backup => backup.Timeline == branch.Timeline)],
                            RestorePoints =
                            [
                                .. contents.RestorePoints.Where(point => point.Timeline == branch.Timeline),
                            ],
                            Earliest = earliest <= latest ? earliest : null,
                            Latest = earliest <= latest ? latest : null,
                        };
                    }),
            ],
            Findings = TimelineConsistencyChecks.Of(contents),
        };
    }

    /// <summary>From when on the branch can be recovered to: a backup has ended, and no WAL between it and the branch
    /// is missing.</summary>
    private static DateTimeOffset? EarliestOf(RepositoryContents contents, Branch branch, LivePeriod? period)
    {
        var (path, start) = (contents.PathThroughCopies(branch), branch.Path()[^1].Start);
        var first = contents
            .UsableOn(path)
            .LastOrDefault(backup =>
                contents.SpanOf(path.From(backup.WalRanges[0].Start)) is { } wal
                && (wal.Gap is null || wal.End >= backup.End && wal.End > start)
            );
        return first is null ? null
            : period is { From: var from } && from > first.StoppedAt ? from
            : first.StoppedAt;
    }
}

/// <summary>A branch in the tree.</summary>
public sealed record TreeBranch
{
    /// <summary>Its number.</summary>
    public required Timeline Timeline { get; init; }

    /// <summary>The branch that it grew out of, by the WAL: a history may name a later one that was never read. Null
    /// for a root.</summary>
    public Timeline? Parent { get; init; }

    /// <summary>The first position that is on it; null for a root.</summary>
    public Lsn? SwitchedAt { get; init; }

    /// <summary>What grew out of it, by number.</summary>
    public IReadOnlyList<Timeline> Children { get; init; } = [];

    /// <summary>How it began; null where nobody knows.</summary>
    public TimelineOpened? Opening { get; init; }

    /// <summary>When it became the live one; null where nobody knows.</summary>
    public DateTimeOffset? LiveFrom { get; init; }

    /// <summary>When it could be written to last; null while it is live, or where nobody knows.</summary>
    public DateTimeOffset? LiveTo { get; init; }

    /// <summary>Whether it was opened past every procedure: somebody promoted a node by hand.</summary>
    public bool IsStray { get; init; }

    /// <summary>Whether clients write to it now.</summary>
    public bool IsLive { get; init; }

    /// <summary>Whether it is live or an ancestor of the live one.</summary>
    public bool OnLivePath { get; init; }

    /// <summary>The backups that ended on it, oldest first.</summary>
    public IReadOnlyList<Backup> Backups { get; init; } = [];

    /// <summary>The restore points on it, oldest first.</summary>
    public IReadOnlyList<RestorePoint> RestorePoints { get; init; } = [];

    /// <summary>How many older backups are left out.</summary>
    public int OlderBackups { get; init; }

    /// <summary>How many older restore points are left out.</summary>
    public int OlderRestorePoints { get; init; }

    /// <summary>The first time that it can be recovered to; null where there is none.</summary>
    public DateTimeOffset? Earliest { get; init; }

    /// <summary>The last time that it can be recovered to; null where there is none.</summary>
    public DateTimeOffset? Latest { get; init; }
}

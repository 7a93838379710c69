namespace PgFlow.Workflows.Recovery;

/// <summary>What a repository has for a recovery of the live branch, and what it lacks.</summary>
public sealed record ArchiveState
{
    /// <summary>Why it can't be read; nothing else is known then.</summary>
    public string? Unreadable { get; init; }

    /// <summary>The branch that clients write to, by the ledger; null where nobody knows.</summary>
    public Timeline? Live { get; init; }

    /// <summary>That branch and its ancestors.</summary>
    public TimelineHistory? LiveLine { get; init; }

    /// <summary>The newest backup that leads to the live branch.</summary>
    public LastBackup? Backup { get; init; }

    /// <summary>The first segment that is missing between that backup and today.</summary>
    public string? Missing { get; init; }

    /// <summary>The gaps of every branch, by timeline and position.</summary>
    public IReadOnlyList<WalGap> Gaps { get; init; } = [];

    /// <summary>The volumes that have no room for two segments of WAL more.</summary>
    public IReadOnlyList<VolumeSpace> Full { get; init; } = [];

    /// <summary>The others that have less than 5 % and less than 10 GB left.</summary>
    public IReadOnlyList<VolumeSpace> Low { get; init; } = [];

    /// <summary>When a recovery of a backup that is kept was last proven; where none was, since when there is anything
    /// to recover: backups that were never verified may have been removed. Null where there is no backup.</summary>
    public DateTimeOffset? UnverifiedSince { get; init; }

    /// <summary>The state of a repository.</summary>
    public static ArchiveState Of(RepositoryContents contents)
    {
        ArgumentNullException.ThrowIfNull(contents);
        var live = LivePeriod.Of(contents) is [.., var last] ? last.Branch : null;
        var path = live?.Path();
        var usable = path is null ? [] : contents.UsableOn(path);
        var backup = usable is [var newest, ..] ? newest : null;
        var full = contents.Spaces.ToLookup(space => space.IsFull(contents.SegmentSize));
        return new()
        {
            Live = live?.Timeline,
            LiveLine = live?.History,
            Backup = backup is null ? null : new(backup.Id, backup.StoppedAt, backup.Timeline, backup.VerifiedAt),
            Missing =
                backup is not null && contents.SpanOf(path!.From(backup.WalRanges[0].Start)).Gap is { } gap
                    ? contents.NameOf(gap.Timeline, gap.Number)
                    : null,
            Gaps = [.. TimelineConsistencyChecks.Gaps(contents)],
            Full = [.. full[true]],
            Low = [.. full[false].Where(space => space.IsLow)],
            UnverifiedSince = usable.Count == 0 ? null : usable.Max(one => one.VerifiedAt) ?? FirstKnown(contents),
        };
    }

    private static DateTimeOffset FirstKnown(RepositoryContents contents) =>
        contents
            .Branches.Select(branch => branch.Opening?.OpenedAt)
            .OfType<DateTimeOffset>()
            .Concat(contents.Backups.Select(backup => backup.StoppedAt))
            .Min();
}

/// <summary>The backup that a recovery to the latest would begin with.</summary>
/// <param name="Id">Its name.</param>
/// <param name="StoppedAt">When it ended.</param>
/// <param name="Timeline">The timeline that it ended on.</param>
/// <param name="VerifiedAt">When a recovery of it was last proven; null when never.</param>
public sealed record LastBackup(string Id, DateTimeOffset StoppedAt, Timeline Timeline, DateTimeOffset? VerifiedAt);

/// <summary>Segments that are missing between others of their timeline.</summary>
/// <param name="Timeline">Their timeline.</param>
/// <param name="First">The first one's name.</param>
/// <param name="Last">The last one's name.</param>
public sealed record WalGap(Timeline Timeline, string First, string Last);

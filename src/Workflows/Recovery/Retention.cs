namespace PgFlow.Workflows.Recovery;

/// <summary>What is to be kept. Where both are given, the window says which branches, and a backup stays that either
/// asks for.</summary>
/// <param name="Keep">So many full backups, with the incremental ones on them, on the way to each promised branch;
/// null: no such rule.</param>
/// <param name="Window">So far back from when the contents were read every time stays reachable; null: no such
/// rule.</param>
public sealed record RetentionPolicy(int? Keep, TimeSpan? Window)
{
    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(
            " or ",
            new[]
            {
                Keep is { } keep ? $"the newest {PgFlowText.Count(keep, "full backup")} of each branch" : null,
                Window is { } window
                    ? $"a recovery to any time of the last {PgFlowText.Count((long)window.TotalDays, "day")}"
                    : null,
            }.OfType<string>()
        );
}

/// <summary>A backup that is still to be taken.</summary>
/// <param name="Node">The node that will be copied.</param>
/// <param name="Timeline">The timeline that it will be on.</param>
/// <param name="Wal">Where that is now.</param>
/// <param name="Incremental">Whether it builds on the newest one of the timeline.</param>
public sealed record ExpectedBackup(NodeName Node, Timeline Timeline, Lsn Wal, bool Incremental)
{
    /// <summary>The same contents with that backup.</summary>
    internal RepositoryContents After(RepositoryContents contents) =>
        contents with
        {
            Backups =
            [
                .. contents.Backups,
                new()
                {
                    Id = "this one",
                    StartedAt = contents.ReadAt,
                    StoppedAt = contents.ReadAt,
                    Node = Node,
                    WalRanges = [new(Timeline, Wal, Wal)],
                    Bytes = 0,
                    Parent = Incremental
                        ? contents.Backups.LastOrDefault(backup => backup.Timeline == Timeline)?.Id
                        : null,
                    SystemIdentifier = "",
                    Major = 0,
                },
            ],
        };
}

/// <summary>A backup or a run of segments that may go.</summary>
/// <param name="What">Its name.</param>
/// <param name="Why">Why nothing that is promised needs it.</param>
public sealed record Removal(string What, string Why);

/// <summary>What a policy lets go. Histories are never part of it.</summary>
public sealed record Retention
{
    /// <summary>The backups, oldest first; <see cref="Removal.What"/> is the ID.</summary>
    public required IReadOnlyList<Removal> Backups { get; init; }

    /// <summary>The WAL, by timeline and position.</summary>
    public required IReadOnlyList<SegmentRun> Segments { get; init; }

    /// <summary>The same for people; <see cref="Removal.What"/> names the first and the last file.</summary>
    public required IReadOnlyList<Removal> Wal { get; init; }

    /// <summary>Bytes in a WAL segment.</summary>
    public required long SegmentSize { get; init; }

    internal bool IsEmpty => Backups.Count == 0 && Segments.Count == 0;

    /// <summary>What may go by <paramref name="policy"/>.</summary>
    /// <remarks>
    /// <para>A branch is promised when it is live, when nobody knows when it was, when there is no window, or when it
    /// was live within the window.</para>
    /// <para>On the way to each promised branch these stay: the newest <c>Keep</c> full backups, or the newest backup
    /// that had ended when the window
    /// began (the branch, if that was later), or the oldest there is; and everything newer. The newest usable one stays
    /// under any policy.
    /// With a backup stay those that it builds on.</para>
    /// <para>WAL stays from the first kept backup on the way to a branch up to that branch's end, promised or not.
    /// Without a policy nothing goes.</para>
    /// </remarks>
    public static Retention Of(RepositoryContents contents, RetentionPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(contents);
        ArgumentNullException.ThrowIfNull(policy);
        if (policy is { Keep: null, Window: null })
        {
            return new()
            {
                Backups = [],
                Segments = [],
                Wal = [],
                SegmentSize = contents.SegmentSize,
            };
        }

        var promised = Promised(contents, policy).ToList();
        var kept = promised
            .SelectMany(branch => KeptFor(contents, policy, branch))
            .SelectMany(backup => contents.ChainOf(backup)!)
            .ToHashSet();
        var expired = contents.Branches.SelectMany(branch => ExpirationSet(contents, branch, kept)).ToList();
        return new()
        {
            Backups =
            [
                .. contents
                    .Backups.Where(backup => !kept.Contains(backup))
                    .Select(backup => new Removal(backup.Id, WhyNot(contents, promised, backup))),
            ],
            Segments = [.. expired.Select(item => item.Run)],
            Wal =
            [
                .. expired.Select(item => new Removal(
                    $"{contents.NameOf(item.Run.Timeline, item.Run.First)} to "
                        + $"{contents.NameOf(item.Run.Timeline, item.Run.Last)}",
                    item.Why
                )),
            ],
            SegmentSize = contents.SegmentSize,
        };
    }

    /// <summary>The same with a backup that is still to come.</summary>
    public static Retention Of(RepositoryContents contents, RetentionPolicy policy, ExpectedBackup? expected) =>
        Of(expected?.After(contents) ?? contents, policy);

    private static IEnumerable<Branch> Promised(RepositoryContents contents, RetentionPolicy policy)
    {
        var begin = contents.ReadAt - policy.Window;
        var ended = LivePeriod
            .Of(contents)
            .Where(period => period.EndedAt < begin)
            .Select(period => period.Branch)
            .ToHashSet();
        return contents.Branches.Where(branch => !ended.Contains(branch));
    }

    private static IEnumerable<Backup> KeptFor(RepositoryContents contents, RetentionPolicy policy, Branch branch)
    {
        var usable = contents.UsableOn(branch.Path()); // newest first
        Lsn?[] needed =
        [
            usable is [var newest, ..] ? newest.End : null,
            policy.Keep is { } keep
                ? OrOldest(
                    usable.Where(backup => backup.Parent is null).Take(Math.Max(1, keep)).LastOrDefault(),
                    usable
                )
                : null,
            policy.Window is { } window
                ? OrOldest(
                    usable.FirstOrDefault(backup => backup.StoppedAt <= BeginOf(contents, branch, window)),
                    usable
                )
                : null,
        ];
        return usable.Where(backup => backup.End >= needed.Min());
    }

    private static Lsn? OrOldest(Backup? chosen, IReadOnlyList<Backup> usable) =>
        chosen?.End ?? (usable is [.., var oldest] ? oldest.End : null);

    private static DateTimeOffset BeginOf(RepositoryContents contents, Branch branch, TimeSpan window) =>
        branch.Opening?.OpenedAt is { } opened && opened > contents.ReadAt - window ? opened : contents.ReadAt - window;

    private static IEnumerable<(SegmentRun Run, string Why)> ExpirationSet(
        RepositoryContents contents,
        Branch branch,
        HashSet<Backup> kept
    )
    {
        var path = branch.Path();
        var first = contents
            .UsableOn(path)
            .Where(kept.Contains)
            .OrderBy(backup => backup.WalRanges[0].Start)
            .FirstOrDefault();
        var begin = first is null ? (ulong?)null : contents.SegmentOf(first.WalRanges[0].Start);
        var why = first is null
            ? $"no kept backup leads to timeline {branch.Timeline}"
            : $"{first.Id} is the first kept backup on the way to timeline {branch.Timeline}";
        return contents
            .Segments.Where(run => run.Timeline == branch.Timeline && (begin is null || run.First < begin))
            .Select(run => (run with { Last = begin <= run.Last ? begin.Value - 1 : run.Last }, why));
    }

    private static string WhyNot(RepositoryContents contents, List<Branch> promised, Backup backup) =>
        contents.ChainOf(backup) is null ? $"it builds on {backup.Parent}, which is gone"
        : promised
            .Where(branch => contents.UsableOn(branch.Path()).Contains(backup))
            .Select(branch => branch.Timeline)
            .ToList()
            is { Count: > 0 } on
            ? $"newer ones are enough for timeline {string.Join(", ", on)}"
        : "it leads to no branch that the policy keeps";
}

namespace PgFlow.Workflows.Recovery;

/// <summary>Turns a target into one branch, one position and one backup. Pure but for the WAL that it has
/// read.</summary>
public static class Resolver
{
    /// <summary>Resolves <paramref name="target"/>.</summary>
    /// <exception cref="PgFlowException">It is not recoverable (<see cref="FailureTypes.Refused"/>); the message says
    /// what can.</exception>
    public static Task<ResolvedTarget> ResolveAsync(RepositoryContents contents, RecoveryTarget target, IWalReader wal)
    {
        ArgumentNullException.ThrowIfNull(contents);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(wal);
        return new TargetSearch(contents, wal).ResolveAsync(target);
    }
}

/// <summary>A position that a target names: reading on from it along <paramref name="Path"/> leads to the end of the
/// branch.</summary>
/// <param name="Path">The way to it and beyond.</param>
/// <param name="End">The end of the last record to keep.</param>
/// <param name="Why">Why this branch.</param>
internal sealed record Position(IReadOnlyList<WalRange> Path, Lsn End, string Why);

/// <summary>First the position is found, then the backup and the WAL that lead there.</summary>
internal sealed class TargetSearch(RepositoryContents contents, IWalReader wal)
{
    public RepositoryContents Contents => contents;

    public IWalReader Wal => wal;

    /// <summary>The times in which the branches were live, oldest first.</summary>
    public IReadOnlyList<LivePeriod> Periods { get; } = LivePeriod.Of(contents);

    public async Task<ResolvedTarget> ResolveAsync(RecoveryTarget target)
    {
        var newTimeline = NextNumber();
        return await ReachAsync(await target.FindAsync(this), newTimeline);
    }

    public void RequirePassing(Timeline? asked, Timeline timeline, Lsn position, string what)
    {
        if (asked is { } number && !BranchOf(number).Path().Reaches(timeline, position))
        {
            throw Failure.Refuse(
                $"{what} lies on timeline {timeline} at {position}, which timeline {number} does not lead "
                    + "through; leave the timeline out"
            );
        }
    }

    public Task<Position> AtEndAsync(Branch branch) =>
        AtEndAsync(branch, $"the end of timeline {branch.Timeline}, {WhyBranch(branch)}");

    public async Task<Position> AtEndAsync(Branch branch, string why) => await EndAsync(branch) with { Why = why };

    public async Task<Position> EndAsync(Branch branch)
    {
        var path = contents.PathThroughCopies(branch);
        if (path[^1].End < Lineage.Endless)
        {
            return new(path, path[^1].End, "");
        }

        var (tip, usable) = (path[^1], contents.UsableOn(path));
        WalSpan? broken = null;
        foreach (var backup in usable)
        {
            var span = SpanFrom(backup, path);
            if (span.Gap is null && backup.End <= span.End)
            {
                // Where to begin looking must be the end of a record; the later, the less there is to read.
                var last = await wal.LastAsync(span.Path);
                Lsn[] known =
                [
                    tip.Start,
                    backup.Timeline == branch.Timeline ? backup.End : default,
                    last?.Timeline == branch.Timeline ? last.End : default,
                ];
                return new(path, await wal.EndOfAsync(branch.Timeline, known.Max()), "");
            }

            broken ??= span.Gap is null ? null : span;
        }

        throw broken is null
            ? Failure.Refuse($"no backup leads to timeline {branch.Timeline}; {Spans()}")
            : Gap(broken, usable);
    }

    // ---- backup and WAL ----

    private async Task<ResolvedTarget> ReachAsync(Position position, Timeline newTimeline)
    {
        var lsn = position.End;
        var timeline = position.Path.At(lsn);
        WalSpan? broken = null;

        // Its own WAL first. Where its last segment was lost with its node, a child that forked there has a copy of the
        // head; at a fork the parent has the same.
        var same = position
            .Path.Where(piece => piece.Start <= lsn && lsn <= piece.End)
            .Select(piece => piece.Timeline)
            .ToList();
        foreach (
            var branch in contents
                .Branches.Where(branch => same.Any(passed => branch.Path().Reaches(passed, lsn)))
                .OrderBy(branch => branch.Timeline == timeline ? 0 : 1)
                .ThenBy(branch => branch.Timeline)
        )
        {
            var path = branch.Path();
            foreach (var backup in contents.UsableOn(path.Until(lsn, contents.SegmentSize)))
            {
                var way = path.From(backup.WalRanges[0].Start);
                var span = contents.SpanOf(way.Until(lsn, contents.SegmentSize));
                if (span.Gap is null)
                {
                    return await ResolvedAsync(position, branch, backup, way, newTimeline);
                }

                broken ??= span;
            }
        }

        var there = Find(timeline);
        throw broken is null
            ? TooEarly(
                there,
                contents.UsableOn(there.Path()),
                $"{lsn} on timeline {timeline}",
                backup => backup.WalRanges[0].Start <= lsn && lsn < backup.End
            )
            : Gap(broken, contents.UsableOn(there.Path()));
    }

    private async Task<ResolvedTarget> ResolvedAsync(
        Position position,
        Branch branch,
        Backup backup,
        IReadOnlyList<WalRange> way,
        Timeline newTimeline
    )
    {
        var (lsn, chain) = (position.End, contents.ChainOf(backup)!);
        var needed = way.Until(lsn, contents.SegmentSize);
        var ends = way.At(lsn) == branch.Timeline && await wal.EndOfAsync(branch.Timeline, lsn) <= lsn;
        var rest = contents.SpanOf(way.From(lsn)).Path;
        return new()
        {
            Timeline = branch.Timeline,
            End = lsn,
            EndOfBranch = ends,
            Backups = [.. chain.Select(part => part.Id)],
            BackupBytes = chain.Sum(part => part.Bytes),
            Wal = needed,
            SegmentSize = contents.SegmentSize,
            NewTimeline = newTimeline,
            LastKept = await wal.LastAsync(needed),
            EarlyRemovals = await wal.OpenRemovalsAsync(needed),
            FirstDropped = ends || rest is [] || rest[^1].End <= lsn ? null : await wal.FirstAsync(rest),
            Why = position.Why,
        };
    }

    public WalSpan SpanFrom(Backup backup, IReadOnlyList<WalRange> path) =>
        contents.SpanOf(path.From(backup.WalRanges[0].Start));

    // ---- branches ----

    private Timeline NextNumber()
    {
        if (TimelineConsistencyChecks.Holes(contents).ToList() is { Count: > 0 } holes)
        {
            throw Failure.Refuse(
                $"the history of timeline {string.Join(", ", holes)} is missing, and PostgreSQL would give that "
                    + "number to the new branch",
                Hint.Run("look", nameof(InspectTimeline), contents.Cluster)
            );
        }

        return new(contents.Branches.Select(branch => branch.Timeline.Number).DefaultIfEmpty(0u).Max() + 1);
    }

    public Branch BranchOf(Timeline? asked) =>
        asked is { } timeline
            ? contents.Find(timeline)
                ?? throw Failure.Refuse(
                    $"there is no timeline {timeline}; "
                        + List(
                            "there are",
                            contents.Branches.Select(branch => branch.Timeline.ToString()),
                            "there is none"
                        )
                )
            : Live();

    private Branch Live()
    {
        var known =
            Periods is [.., var last] ? last.Branch
            : contents.Branches is [var only] ? only
            : null;
        return
            known is not null
            && contents
                .Branches.Where(branch => branch.Opening is null)
                .All(branch => branch.Timeline <= known.Timeline)
            ? known
            : throw Failure.Refuse(
                "which branch is live is not known: the ledger does not tell when timeline "
                    + $"{contents.Branches.Select(branch => branch.Timeline).DefaultIfEmpty(new(1)).Max()} was "
                    + "opened; name one by its number (timeline)"
            );
    }

    public Branch Find(Timeline timeline) =>
        contents.Find(timeline) ?? throw Failure.Refuse($"nothing is known of timeline {timeline}; {Spans()}");

    public string WhyBranch(Branch branch) =>
        Periods is [.., var live] && live.Branch == branch
            ? $"timeline {branch.Timeline} is the live one"
            : $"timeline {branch.Timeline} was asked for";

    // ---- what is recoverable instead ----

    public PgFlowException TooEarly(Branch branch, IReadOnlyList<Backup> usable, string what, Func<Backup, bool> during)
    {
        if (usable is not [.., var oldest])
        {
            return Failure.Refuse($"no backup leads to timeline {branch.Timeline}; {Spans()}");
        }

        var inside = usable.FirstOrDefault(during) is { } backup
            ? $"backup {backup.Id} had begun but not ended, and there is no older one"
            : "there is no backup that ended before";
        return Failure.Refuse(
            $"{what} is not recoverable: {inside}; the earliest on timeline {branch.Timeline} is "
                + $"{Text(oldest.StoppedAt)} ({oldest.End}), the end of backup {oldest.Id}"
        );
    }

    public PgFlowException Gap(WalSpan broken, IReadOnlyList<Backup> usable)
    {
        var (gap, end) = (broken.Gap!, broken.End);
        string[] instead =
        [
            .. usable.Any(backup => backup.End <= end)
                ? [$"positions before {end} on timeline {broken.Path.At(end)}"]
                : Array.Empty<string>(),
            .. usable
                .Where(backup => contents.SegmentOf(backup.WalRanges[0].Start) > gap.Number)
                .TakeLast(1)
                .Select(backup => $"what lies behind backup {Describe(backup)}"),
        ];
        return Failure.Refuse(
            $"WAL is missing: {contents.NameOf(gap.Timeline, gap.Number)} is the first; "
                + $"{List("recoverable instead", instead, "nothing on this branch is recoverable")}; {Spans()}"
        );
    }

    public string Spans() =>
        List(
            "recoverable times",
            TimelineTree
                .From(contents)
                .Branches.Where(branch => branch.Earliest is not null)
                .Select(branch =>
                    $"{Text(branch.Earliest!.Value)} to {Text(branch.Latest!.Value)} (timeline {branch.Timeline})"
                ),
            "no time is recoverable: there is no backup with its WAL"
        );

    public static string List(string what, IEnumerable<string> items, string none) =>
        items.ToList() is { Count: > 0 } some ? $"{what}: {string.Join(", ", some.TakeLast(10))}" : none;

    public static string Describe(Backup backup) =>
        $"{backup.Id} (ended {Text(backup.StoppedAt)}, {backup.End} on timeline {backup.Timeline})";

    public static string Text(DateTimeOffset time) => PgFlowText.Exact(time);
}

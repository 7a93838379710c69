using Temporalio.Exceptions;

namespace PgFlow.Workflows;

/// <summary>Turns a target into one branch, one position and one backup. Pure but for the WAL that it has read.</summary>
public static class Resolver
{
    /// <summary>Resolves <paramref name="target"/>.</summary>
    /// <exception cref="ApplicationFailureException">It can't be had (<see cref="Ends.Refused"/>); the message says what can.</exception>
    public static Task<ResolvedTarget> ResolveAsync(Catalogue catalogue, RecoveryTarget target, IWalReader wal)
    {
        ArgumentNullException.ThrowIfNull(catalogue);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(wal);
        return new TargetSearch(catalogue, wal).ResolveAsync(target);
    }
}

/// <summary>A position that a target names: reading on from it along <paramref name="Path"/> leads to the end of the branch.</summary>
/// <param name="Path">The way to it and beyond.</param>
/// <param name="End">The end of the last record to keep.</param>
/// <param name="Why">Why this branch.</param>
internal sealed record Position(IReadOnlyList<WalRange> Path, Lsn End, string Why);

/// <summary>First the position is found, then the backup and the WAL that lead there.</summary>
internal sealed class TargetSearch(Catalogue catalogue, IWalReader wal)
{
    private readonly IReadOnlyList<Era> _eras = Era.Of(catalogue);

    public async Task<ResolvedTarget> ResolveAsync(RecoveryTarget target)
    {
        var newTimeline = NextNumber();
        var position = target switch
        {
            { Time: { } time } => await AtTimeAsync(time, target.Timeline),
            { Point: { } name } => AtPoint(name, target.Timeline),
            { Lsn: { } lsn } => await AtLsnAsync(lsn, BranchOf(target.Timeline)),
            { Xid: { } xid } => await AtCommitAsync(xid, BranchOf(target.Timeline)),
            { Backup: { } id } => AtBackup(id, target.Timeline),
            _ => await AtEndAsync(BranchOf(target.Timeline)),
        };
        return await ReachAsync(position, newTimeline);
    }

    // ---- time ----

    private async Task<Position> AtTimeAsync(DateTimeOffset time, Timeline? asked)
    {
        if (time > catalogue.ReadAt)
        {
            throw Ends.Refuse($"{Text(time)} is in the future: it is {Text(catalogue.ReadAt)}; for all there is, ask for the latest");
        }

        if (asked is { } timeline)
        {
            var named = BranchOf(timeline);
            var own = _eras.FirstOrDefault(era => era.Branch == named);
            return own?.Next is { } next && time >= next.OpenedAt
                ? throw Ends.Refuse($"timeline {timeline} was left at {Text(own.Left!.Value)}, before {Text(time)}; its end is to be had as the latest on timeline {timeline}, that time without a timeline")
                : own?.Left < time ? await AtEndAsync(named, $"timeline {timeline} was asked for; it ended at {Text(own.Left!.Value)}")
                : await OnBranchAtAsync(named, time, $"timeline {timeline} was asked for");
        }

        var era = EraAt(time);
        var (from, until) = (Text(era.From), era.Left is { } left ? $"to {Text(left)}" : "until now");
        if (era.Left is null || time <= era.Left)
        {
            return await OnBranchAtAsync(era.Branch, time, $"timeline {era.Branch.Timeline} was live at {Text(time)} (from {from} {until})");
        }

        return era.IsContinued
            ? AtOpening(Find(era.Next!.Timeline), $"at {Text(time)} timeline {era.Branch.Timeline} had ended and timeline {era.Next.Timeline}, which continues it, was not open yet (from {Text(era.Next.OpenedAt)})")
            : await AtEndAsync(era.Branch, $"at {Text(time)} nothing was live: timeline {era.Branch.Timeline} ended at {Text(era.Left.Value)}, timeline {era.Next!.Timeline} was opened at {Text(era.Next.OpenedAt)}");
    }

    /// <summary>Branches are numbered in the order of their opening: one without a time lies between its neighbours.</summary>
    private Era EraAt(DateTimeOffset time)
    {
        var era = _eras.LastOrDefault(era => era.From <= time);
        var next = era is null ? _eras is [var first, ..] ? first.Branch.Timeline : null : era.Next?.Timeline;
        var dark = catalogue.Branches
            .Where(branch => branch.Opening is null && !(branch.Timeline < era?.Branch.Timeline) && !(branch.Timeline > next))
            .Select(branch => branch.Timeline).ToList();
        if (era is null)
        {
            throw Ends.Refuse($"no branch is known to have been live at {Text(time)}{(dark.Count > 0 ? $"; {Unknown(dark)}" : "")}; {Spans()}");
        }

        return dark.Count == 0 ? era : throw Ends.Refuse($"which branch was live at {Text(time)} is not known: {Unknown(dark)}; {Spans()}");
    }

    private static string Unknown(List<Timeline> dark) =>
        $"when timeline {string.Join(", ", dark)} was opened is not known, so it can only be chosen by number (timeline {dark[0]})";

    private static Position AtOpening(Branch branch, string why) => new(branch.Path(), branch.Path()[^1].Start, why);

    /// <summary>The first commit or rollback in WAL order with a later time is the first one not replayed, as PostgreSQL itself would decide.</summary>
    private async Task<Position> OnBranchAtAsync(Branch branch, DateTimeOffset time, string why)
    {
        var path = catalogue.PathThroughCopies(branch);
        var usable = catalogue.UsableOn(path);
        Stretch? broken = null;
        foreach (var backup in usable.Where(backup => backup.StoppedAt <= time))
        {
            var stretch = StretchFrom(backup, path);
            if (!stretch.IsEmpty && await wal.FirstAfterAsync(stretch.Path, time) is { } later)
            {
                return new(path, await KeptEndAsync(branch, backup, stretch.Path.Until(later.Lsn, catalogue.SegmentSize), time), why);
            }

            if (stretch.Gap is null)
            {
                return await AtEndAsync(branch, $"{why}; nothing was committed on it later");
            }

            broken ??= stretch;
        }

        throw broken is null ? TooEarly(branch, usable, $"{Text(time)}", backup => backup.StartedAt <= time && time < backup.StoppedAt) : Gap(broken, usable);
    }

    /// <summary>
    /// The end of the last transaction that is kept. What lies between that and the first one dropped belongs to transactions that are dropped, or to none;
    /// and some of it acts before its commit: the files of a dropped database are removed first. Not before the backup's end, nor where the branch begins.
    /// </summary>
    private async Task<Lsn> KeptEndAsync(Branch branch, Backup backup, IReadOnlyList<WalRange> kept, DateTimeOffset time)
    {
        Lsn[] ends = [await wal.LastKeptAsync(kept, time) ?? default, backup.End, branch.Path()[^1].Start];
        return ends.Where(end => end <= kept[^1].End).Max();
    }

    // ---- the other targets ----

    private Position AtPoint(string name, Timeline? asked)
    {
        var point = catalogue.RestorePoints.FirstOrDefault(point => point.Name == name)
            ?? throw Ends.Refuse($"there is no restore point '{name}'; {List("there are", catalogue.RestorePoints.Select(point => $"{point.Name} ({Text(point.At)}, timeline {point.Timeline})"), "there is none")}");
        RequirePassing(asked, point.Timeline, point.Lsn, $"restore point {name}");
        return new(Find(point.Timeline).Path(), point.Lsn, $"restore point {name} was set on timeline {point.Timeline} at {Text(point.At)}");
    }

    private Position AtBackup(string id, Timeline? asked)
    {
        var backup = catalogue.Backups.FirstOrDefault(backup => backup.Id == id)
            ?? throw Ends.Refuse($"there is no backup '{id}'; {List("there are", catalogue.Backups.Select(Describe), "there is none")}");
        RequirePassing(asked, backup.Timeline, backup.End, $"backup {id}");
        return new(Find(backup.Timeline).Path(), backup.End, $"backup {id} ended on timeline {backup.Timeline} at {Text(backup.StoppedAt)}");
    }

    private void RequirePassing(Timeline? asked, Timeline timeline, Lsn position, string what)
    {
        if (asked is { } number && !BranchOf(number).Path().Reaches(timeline, position))
        {
            throw Ends.Refuse($"{what} lies on timeline {timeline} at {position}, which timeline {number} does not lead through; leave the timeline out");
        }
    }

    private async Task<Position> AtLsnAsync(Lsn lsn, Branch branch)
    {
        var path = catalogue.PathThroughCopies(branch);
        var isBeforeGap = catalogue.UsableOn(path).Any(backup => StretchFrom(backup, path) is { Gap: not null } stretch && lsn < stretch.End);
        if (lsn >= path[^1].Start && !isBeforeGap && await EndAsync(branch) is var end && lsn > end.End)
        {
            throw Ends.Refuse($"{lsn} is beyond the end of timeline {branch.Timeline}, which is {end.End}{OtherBranchesAt(lsn, branch)}");
        }

        return new(path, lsn, $"{lsn} lies on timeline {path.At(lsn)}, {WhyBranch(branch)}");
    }

    private string OtherBranchesAt(Lsn lsn, Branch branch) =>
        catalogue.Segments.Where(run => run.Timeline != branch.Timeline && run.First <= catalogue.SegmentOf(lsn) && catalogue.SegmentOf(lsn) <= run.Last).Select(run => run.Timeline).Distinct().ToList() is { Count: > 0 } others
            ? $"; there is WAL of that position on timeline {string.Join(", ", others)}"
            : "";

    /// <summary>Newest WAL first: a number may have been used before, 4 billion transactions ago.</summary>
    private async Task<Position> AtCommitAsync(uint xid, Branch branch)
    {
        var path = catalogue.PathThroughCopies(branch);
        var usable = catalogue.UsableOn(path);
        Lsn? searched = null;
        foreach (var backup in usable)
        {
            var stretch = StretchFrom(backup, path);
            if (stretch.IsEmpty || stretch.Path[0].Start >= searched)
            {
                continue;
            }

            if (await wal.CommitOfAsync(searched is { } behind ? stretch.Path.Until(behind, catalogue.SegmentSize) : stretch.Path, xid) is { } found)
            {
                return found.Committed
                    ? new(path, found.End, $"transaction {xid} committed on timeline {found.Timeline} at {Text(found.At)}, {WhyBranch(branch)}")
                    : throw Ends.Refuse($"transaction {xid} did not commit: it was rolled back at {Text(found.At)}; {found.Lsn} is the position before that");
            }

            searched = stretch.Path[0].Start;
        }

        throw Ends.Refuse(searched is { } start
            ? $"no commit of transaction {xid} is in the WAL of timeline {branch.Timeline} from {start} on; another branch is chosen by its number; {Spans()}"
            : $"no backup leads to timeline {branch.Timeline}; {Spans()}");
    }

    private Task<Position> AtEndAsync(Branch branch) => AtEndAsync(branch, $"the end of timeline {branch.Timeline}, {WhyBranch(branch)}");

    private async Task<Position> AtEndAsync(Branch branch, string why) => await EndAsync(branch) with { Why = why };

    private async Task<Position> EndAsync(Branch branch)
    {
        var path = catalogue.PathThroughCopies(branch);
        if (path[^1].End < Lineage.Endless)
        {
            return new(path, path[^1].End, "");
        }

        var (tip, usable) = (path[^1], catalogue.UsableOn(path));
        Stretch? broken = null;
        foreach (var backup in usable)
        {
            var stretch = StretchFrom(backup, path);
            if (stretch.Gap is null && backup.End <= stretch.End)
            {
                // Where to begin looking must be the end of a record; the later, the less there is to read.
                var last = await wal.LastAsync(stretch.Path);
                Lsn[] known = [tip.Start, backup.Timeline == branch.Timeline ? backup.End : default, last?.Timeline == branch.Timeline ? last.End : default];
                return new(path, await wal.EndOfAsync(branch.Timeline, known.Max()), "");
            }

            broken ??= stretch.Gap is null ? null : stretch;
        }

        throw broken is null ? Ends.Refuse($"no backup leads to timeline {branch.Timeline}; {Spans()}") : Gap(broken, usable);
    }

    // ---- backup and WAL ----

    private async Task<ResolvedTarget> ReachAsync(Position position, Timeline newTimeline)
    {
        var lsn = position.End;
        var timeline = position.Path.At(lsn);
        Stretch? broken = null;

        // Its own WAL first. Where its last segment was lost with its node, a child that forked there has a copy of the head; at a fork the parent has the same.
        var same = position.Path.Where(piece => piece.Start <= lsn && lsn <= piece.End).Select(piece => piece.Timeline).ToList();
        foreach (var branch in catalogue.Branches
            .Where(branch => same.Any(passed => branch.Path().Reaches(passed, lsn)))
            .OrderBy(branch => branch.Timeline == timeline ? 0 : 1).ThenBy(branch => branch.Timeline))
        {
            var path = branch.Path();
            foreach (var backup in catalogue.UsableOn(path.Until(lsn, catalogue.SegmentSize)))
            {
                var way = path.From(backup.WalRanges[0].Start);
                var stretch = catalogue.StretchOf(way.Until(lsn, catalogue.SegmentSize));
                if (stretch.Gap is null)
                {
                    return await ResolvedAsync(position, branch, backup, way, newTimeline);
                }

                broken ??= stretch;
            }
        }

        var there = Find(timeline);
        throw broken is null
            ? TooEarly(there, catalogue.UsableOn(there.Path()), $"{lsn} on timeline {timeline}", backup => backup.WalRanges[0].Start <= lsn && lsn < backup.End)
            : Gap(broken, catalogue.UsableOn(there.Path()));
    }

    private async Task<ResolvedTarget> ResolvedAsync(Position position, Branch branch, Backup backup, IReadOnlyList<WalRange> way, Timeline newTimeline)
    {
        var (lsn, chain) = (position.End, catalogue.ChainOf(backup)!);
        var needed = way.Until(lsn, catalogue.SegmentSize);
        var ends = way.At(lsn) == branch.Timeline && await wal.EndOfAsync(branch.Timeline, lsn) <= lsn;
        var rest = catalogue.StretchOf(way.From(lsn)).Path;
        return new()
        {
            Timeline = branch.Timeline,
            End = lsn,
            EndOfBranch = ends,
            Backups = [.. chain.Select(part => part.Id)],
            BackupBytes = chain.Sum(part => part.Bytes),
            Wal = needed,
            SegmentSize = catalogue.SegmentSize,
            NewTimeline = newTimeline,
            LastKept = await wal.LastAsync(needed),
            EarlyRemovals = await wal.OpenRemovalsAsync(needed),
            FirstDropped = ends || rest is [] || rest[^1].End <= lsn ? null : await wal.FirstAsync(rest),
            Why = position.Why,
        };
    }

    private Stretch StretchFrom(Backup backup, IReadOnlyList<WalRange> path) => catalogue.StretchOf(path.From(backup.WalRanges[0].Start));

    // ---- branches ----

    private Timeline NextNumber()
    {
        if (TimelineFindings.Holes(catalogue).ToList() is { Count: > 0 } holes)
        {
            throw Ends.Refuse(
                $"the history of timeline {string.Join(", ", holes)} is missing, and PostgreSQL would give that number to the new branch; look with: pgflow timeline {catalogue.Cluster} --check");
        }

        return new(catalogue.Branches.Select(branch => branch.Timeline.Number).DefaultIfEmpty(0u).Max() + 1);
    }

    private Branch BranchOf(Timeline? asked) => asked is { } timeline
        ? catalogue.Find(timeline) ?? throw Ends.Refuse($"there is no timeline {timeline}; {List("there are", catalogue.Branches.Select(branch => branch.Timeline.ToString()), "there is none")}")
        : Live();

    private Branch Live()
    {
        var known = _eras is [.., var last] ? last.Branch : catalogue.Branches is [var only] ? only : null;
        return known is not null && catalogue.Branches.Where(branch => branch.Opening is null).All(branch => branch.Timeline <= known.Timeline)
            ? known
            : throw Ends.Refuse($"which branch is live is not known: the ledger does not tell when timeline {catalogue.Branches.Select(branch => branch.Timeline).DefaultIfEmpty(new(1)).Max()} was opened; name one by its number (timeline)");
    }

    private Branch Find(Timeline timeline) => catalogue.Find(timeline) ?? throw Ends.Refuse($"nothing is known of timeline {timeline}; {Spans()}");

    private string WhyBranch(Branch branch) => _eras is [.., var live] && live.Branch == branch ? $"timeline {branch.Timeline} is the live one" : $"timeline {branch.Timeline} was asked for";

    // ---- what can be had instead ----

    private ApplicationFailureException TooEarly(Branch branch, IReadOnlyList<Backup> usable, string what, Func<Backup, bool> during)
    {
        if (usable is not [.., var oldest])
        {
            return Ends.Refuse($"no backup leads to timeline {branch.Timeline}; {Spans()}");
        }

        var inside = usable.FirstOrDefault(during) is { } backup ? $"backup {backup.Id} had begun but not ended, and there is no older one" : "there is no backup that ended before";
        return Ends.Refuse($"{what} can't be had: {inside}; the earliest on timeline {branch.Timeline} is {Text(oldest.StoppedAt)} ({oldest.End}), the end of backup {oldest.Id}");
    }

    private ApplicationFailureException Gap(Stretch broken, IReadOnlyList<Backup> usable)
    {
        var (gap, end) = (broken.Gap!, broken.End);
        string[] instead =
        [
            .. usable.Any(backup => backup.End <= end) ? [$"positions before {end} on timeline {broken.Path.At(end)}"] : Array.Empty<string>(),
            .. usable.Where(backup => catalogue.SegmentOf(backup.WalRanges[0].Start) > gap.Number).TakeLast(1).Select(backup => $"what lies behind backup {Describe(backup)}"),
        ];
        return Ends.Refuse($"WAL is missing: {catalogue.NameOf(gap.Timeline, gap.Number)} is the first; {List("what can be had", instead, "nothing can be had on this branch")}; {Spans()}");
    }

    private string Spans() => List(
        "times that can be had",
        TimelineTree.From(catalogue).Branches.Where(branch => branch.Earliest is not null).Select(branch => $"{Text(branch.Earliest!.Value)} to {Text(branch.Latest!.Value)} (timeline {branch.Timeline})"),
        "no time can be had: there is no backup with its WAL");

    private static string List(string what, IEnumerable<string> items, string none) => items.ToList() is { Count: > 0 } some ? $"{what}: {string.Join(", ", some.TakeLast(10))}" : none;

    private static string Describe(Backup backup) => $"{backup.Id} (ended {Text(backup.StoppedAt)}, {backup.End} on timeline {backup.Timeline})";

    private static string Text(DateTimeOffset time) => PgFlowText.Exact(time);
}

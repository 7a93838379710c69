namespace PgFlow.Workflows.Recovery;

/// <summary>What a repository's backups and segments allow.</summary>
internal static class WalAvailability
{
    public static Branch? Find(this RepositoryContents contents, Timeline timeline) =>
        contents.Branches.FirstOrDefault(branch => branch.Timeline == timeline);

    /// <summary>A backup with those that it builds on, full one first; null where one of them is missing.</summary>
    public static IReadOnlyList<Backup>? ChainOf(this RepositoryContents contents, Backup backup)
    {
        var chain = new List<Backup> { backup };
        while (chain[0].Parent is { } parent)
        {
            if (contents.Backups.FirstOrDefault(other => other.Id == parent) is not { } found || chain.Contains(found))
            {
                return null;
            }

            chain.Insert(0, found);
        }

        return chain;
    }

    /// <summary>The backups with which a recovery along the path can begin, newest first: all their WAL, and that of
    /// those they build on, lies on it.</summary>
    public static IReadOnlyList<Backup> UsableOn(this RepositoryContents contents, IReadOnlyList<WalRange> path) =>
        [
            .. contents
                .Backups.Where(backup => contents.ChainOf(backup)?.All(part => part.WalRanges.All(path.Covers)) is true)
                .OrderByDescending(backup => backup.End)
                .ThenByDescending(backup => backup.StoppedAt),
        ];

    /// <summary>The number of the segment that holds a position.</summary>
    public static ulong SegmentOf(this RepositoryContents contents, Lsn position) =>
        position.Value / (ulong)contents.SegmentSize;

    public static string NameOf(this RepositoryContents contents, Timeline timeline, ulong number) =>
        WalSegments.Name(timeline, number, contents.SegmentSize);

    public static bool Has(this RepositoryContents contents, Timeline timeline, ulong number) =>
        contents.Segments.Any(run => run.Timeline == timeline && run.First <= number && number <= run.Last);

    /// <summary>Whether anything is left of what a timeline wrote. Of the timelines that a clone has from its source
    /// nothing is.</summary>
    public static bool HasAnyOf(this RepositoryContents contents, Timeline timeline) =>
        contents.Segments.Any(run => run.Timeline == timeline)
        || contents.Backups.Any(backup => backup.Timeline == timeline);

    /// <summary>How far the WAL along a path goes, and the segment that is missing then; none where the branch merely
    /// ends.</summary>
    public static WalSpan SpanOf(this RepositoryContents contents, IReadOnlyList<WalRange> path)
    {
        foreach (var (timeline, number) in WalSegments.Along(path, contents.SegmentSize))
        {
            if (!contents.Has(timeline, number))
            {
                var there = path.Until(
                    new(Math.Max(path[0].Start.Value, number * (ulong)contents.SegmentSize)),
                    contents.SegmentSize
                );
                return new(there, contents.IsEnd(path, timeline, number) ? null : new(timeline, number));
            }
        }

        return new(path, null);
    }

    /// <summary>
    /// The way to the branch's tip. Where the WAL that is left of it does not even reach the fork of a child, its end
    /// was lost with its node,
    /// and the way goes through the child's first segment, which begins with a copy, up to the fork.
    /// </summary>
    public static IReadOnlyList<WalRange> PathThroughCopies(this RepositoryContents contents, Branch branch)
    {
        var path = branch.Path();
        var segments = contents.Segments.Where(run => run.Timeline == branch.Timeline).ToList();
        var own =
            segments.Count == 0
                ? path[^1].Start
                : new Lsn((segments.Max(run => run.Last) + 1) * (ulong)contents.SegmentSize);
        var copy = contents
            .Branches.Select(other =>
                (
                    Path: other.Path(),
                    Fork: other
                        .Path()
                        .FirstOrDefault(piece => piece.Timeline == branch.Timeline && piece.End < Lineage.Endless)
                        ?.End
                )
            )
            .Where(other =>
                other.Fork > own
                && contents.Has(
                    FileOf(contents, other.Path, contents.SegmentOf(other.Fork.Value)),
                    contents.SegmentOf(other.Fork.Value)
                )
            )
            .OrderByDescending(other => other.Fork)
            .FirstOrDefault();
        return copy.Path is null ? path : copy.Path.Until(copy.Fork!.Value, contents.SegmentSize);
    }

    /// <summary>The branch's own last WAL, back to its beginning or to the last gap; nothing where none is
    /// left.</summary>
    public static IReadOnlyList<WalRange> TailOf(this RepositoryContents contents, Branch branch)
    {
        var (path, at) = (contents.PathThroughCopies(branch), branch.Path()[^1].Start);
        while (
            path[^1].End < Lineage.Endless
            || contents.Segments.Any(run => run.Timeline == branch.Timeline && run.Last >= contents.SegmentOf(at))
        )
        {
            var span = contents.SpanOf(path.From(at));
            if (span.Gap is not { } gap)
            {
                return span.Path;
            }

            at = new((gap.Number + 1) * (ulong)contents.SegmentSize);
        }

        return [];
    }

    /// <summary>Whose file is read for a segment.</summary>
    private static Timeline FileOf(RepositoryContents contents, IReadOnlyList<WalRange> path, ulong number) =>
        path.Last(piece => contents.SegmentOf(piece.Start) <= number).Timeline;

    /// <summary>A branch ends where its segments do, unless its first is missing or another lies behind.</summary>
    private static bool IsEnd(
        this RepositoryContents contents,
        IReadOnlyList<WalRange> path,
        Timeline timeline,
        ulong number
    ) =>
        path[^1] is { } tip
        && tip.End == Lineage.Endless
        && tip.Timeline == timeline
        && contents.SegmentOf(tip.Start) < number
        && !contents.Segments.Any(run => run.Timeline == timeline && run.Last > number);
}

/// <summary>The part of a path of which there is WAL without a gap.</summary>
/// <param name="Path">The part.</param>
/// <param name="Gap">The segment that is missing; null where nothing is.</param>
internal sealed record WalSpan(IReadOnlyList<WalRange> Path, Segment? Gap)
{
    public Lsn End => Path[^1].End;

    /// <summary>Its very first segment is the missing one.</summary>
    public bool IsEmpty => End <= Path[0].Start;
}

/// <summary>One file of WAL.</summary>
internal sealed record Segment(Timeline Timeline, ulong Number);

namespace PgFlow.Workflows;

/// <summary>What a catalogue's backups and segments allow.</summary>
internal static class Reach
{
    public static Branch? Find(this Catalogue catalogue, Timeline timeline) =>
        catalogue.Branches.FirstOrDefault(branch => branch.Timeline == timeline);

    /// <summary>A backup with those that it builds on, full one first; null where one of them is missing.</summary>
    public static IReadOnlyList<Backup>? ChainOf(this Catalogue catalogue, Backup backup)
    {
        var chain = new List<Backup> { backup };
        while (chain[0].Parent is { } parent)
        {
            if (catalogue.Backups.FirstOrDefault(other => other.Id == parent) is not { } found || chain.Contains(found))
            {
                return null;
            }

            chain.Insert(0, found);
        }

        return chain;
    }

    /// <summary>The backups with which a recovery along the path can begin, newest first: all their WAL, and that of
    /// those they build on, lies on it.</summary>
    public static IReadOnlyList<Backup> UsableOn(this Catalogue catalogue, IReadOnlyList<WalRange> path) =>
        [
            .. catalogue
                .Backups.Where(backup =>
                    catalogue.ChainOf(backup)?.All(part => part.WalRanges.All(path.Covers)) is true
                )
                .OrderByDescending(backup => backup.End)
                .ThenByDescending(backup => backup.StoppedAt),
        ];

    /// <summary>The number of the segment that holds a position.</summary>
    public static ulong SegmentOf(this Catalogue catalogue, Lsn position) =>
        position.Value / (ulong)catalogue.SegmentSize;

    public static string NameOf(this Catalogue catalogue, Timeline timeline, ulong number) =>
        WalSegments.Name(timeline, number, catalogue.SegmentSize);

    public static bool Has(this Catalogue catalogue, Timeline timeline, ulong number) =>
        catalogue.Segments.Any(run => run.Timeline == timeline && run.First <= number && number <= run.Last);

    /// <summary>Whether anything is left of what a timeline wrote. Of the timelines that a clone has from its source
    /// nothing is.</summary>
    public static bool HasAnyOf(this Catalogue catalogue, Timeline timeline) =>
        catalogue.Segments.Any(run => run.Timeline == timeline)
        || catalogue.Backups.Any(backup => backup.Timeline == timeline);

    /// <summary>How far the WAL along a path goes, and the segment that is missing then; none where the branch merely
    /// ends.</summary>
    public static WalSpan StretchOf(this Catalogue catalogue, IReadOnlyList<WalRange> path)
    {
        foreach (var (timeline, number) in WalSegments.Along(path, catalogue.SegmentSize))
        {
            if (!catalogue.Has(timeline, number))
            {
                var there = path.Until(
                    new(Math.Max(path[0].Start.Value, number * (ulong)catalogue.SegmentSize)),
                    catalogue.SegmentSize
                );
                return new(there, catalogue.IsEnd(path, timeline, number) ? null : new(timeline, number));
            }
        }

        return new(path, null);
    }

    /// <summary>
    /// The way to the branch's tip. Where the WAL that is left of it does not even reach the fork of a child, its end
    /// was lost with its node,
    /// and the way goes through the child's first segment, which begins with a copy, up to the fork.
    /// </summary>
    public static IReadOnlyList<WalRange> PathThroughCopies(this Catalogue catalogue, Branch branch)
    {
        var path = branch.Path();
        var segments = catalogue.Segments.Where(run => run.Timeline == branch.Timeline).ToList();
        var own =
            segments.Count == 0
                ? path[^1].Start
                : new Lsn((segments.Max(run => run.Last) + 1) * (ulong)catalogue.SegmentSize);
        var copy = catalogue
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
                && catalogue.Has(
                    FileOf(catalogue, other.Path, catalogue.SegmentOf(other.Fork.Value)),
                    catalogue.SegmentOf(other.Fork.Value)
                )
            )
            .OrderByDescending(other => other.Fork)
            .FirstOrDefault();
        return copy.Path is null ? path : copy.Path.Until(copy.Fork!.Value, catalogue.SegmentSize);
    }

    /// <summary>The branch's own last WAL, back to its beginning or to the last gap; nothing where none is
    /// left.</summary>
    public static IReadOnlyList<WalRange> TailOf(this Catalogue catalogue, Branch branch)
    {
        var (path, at) = (catalogue.PathThroughCopies(branch), branch.Path()[^1].Start);
        while (
            path[^1].End < Lineage.Endless
            || catalogue.Segments.Any(run => run.Timeline == branch.Timeline && run.Last >= catalogue.SegmentOf(at))
        )
        {
            var stretch = catalogue.StretchOf(path.From(at));
            if (stretch.Gap is not { } gap)
            {
                return stretch.Path;
            }

            at = new((gap.Number + 1) * (ulong)catalogue.SegmentSize);
        }

        return [];
    }

    /// <summary>Whose file is read for a segment.</summary>
    private static Timeline FileOf(Catalogue catalogue, IReadOnlyList<WalRange> path, ulong number) =>
        path.Last(piece => catalogue.SegmentOf(piece.Start) <= number).Timeline;

    /// <summary>A branch ends where its segments do, unless its first is missing or another lies behind.</summary>
    private static bool IsEnd(
        this Catalogue catalogue,
        IReadOnlyList<WalRange> path,
        Timeline timeline,
        ulong number
    ) =>
        path[^1] is { } tip
        && tip.End == Lineage.Endless
        && tip.Timeline == timeline
        && catalogue.SegmentOf(tip.Start) < number
        && !catalogue.Segments.Any(run => run.Timeline == timeline && run.Last > number);
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

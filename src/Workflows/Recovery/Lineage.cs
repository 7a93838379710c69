namespace PgFlow.Workflows.Recovery;

/// <summary>Paths of timelines through the WAL, oldest piece first, each beginning where the one before ends.</summary>
internal static class Lineage
{
    /// <summary>The end of a piece that nothing has ended yet.</summary>
    public static readonly Lsn Endless = new(ulong.MaxValue);

    /// <summary>The way to a branch's tip. Ancestors that a history names but that PostgreSQL would never read from are
    /// not on it.</summary>
    public static IReadOnlyList<WalRange> Path(this Branch branch)
    {
        var (path, begin) = (new List<WalRange>(), default(Lsn));
        foreach (var ancestor in branch.History.Ancestors.Select(ancestor => ancestor.Timeline))
        {
            var end = branch.History.EndOf(ancestor)!.Value;
            if (end > begin)
            {
                path.Add(new(ancestor, begin, end));
                begin = end;
            }
        }

        return [.. path, new(branch.Timeline, begin, Endless)];
    }

    /// <summary>The timeline of the record that begins at a position; a fork's own position is the child's.</summary>
    public static Timeline At(this IReadOnlyList<WalRange> path, Lsn position) =>
        (path.FirstOrDefault(piece => position < piece.End) ?? path[^1]).Timeline;

    /// <summary>The path behind <paramref name="start"/>.</summary>
    public static IReadOnlyList<WalRange> From(this IReadOnlyList<WalRange> path, Lsn start) =>
        [
            .. path.Where(piece => piece.End > start || piece == path[^1])
                .Select(piece => piece.Start < start ? piece with { Start = start } : piece),
        ];

    /// <summary>The path up to <paramref name="end"/>.</summary>
    /// <remarks>What forks later in the same segment stays as an empty piece: PostgreSQL reads that segment from its
    /// file, which begins with a copy.</remarks>
    public static IReadOnlyList<WalRange> Until(this IReadOnlyList<WalRange> path, Lsn end, long segmentSize)
    {
        var last = new Lsn(((end.Value == 0 ? 0 : end.Value - 1) / (ulong)segmentSize + 1) * (ulong)segmentSize);
        return
        [
            .. path.Where(piece => piece.Start <= end || piece.Start < last)
                .Select(piece => piece with { Start = Earlier(piece.Start, end), End = Earlier(piece.End, end) }),
        ];
    }

    /// <summary>Whether a piece of WAL is part of the path.</summary>
    public static bool Covers(this IReadOnlyList<WalRange> path, WalRange range) =>
        path.Any(piece => piece.Timeline == range.Timeline && piece.Start <= range.Start && range.End <= piece.End);

    /// <summary>Whether a position of a timeline can be come to on the path; where the timeline was left
    /// included.</summary>
    public static bool Reaches(this IReadOnlyList<WalRange> path, Timeline timeline, Lsn position) =>
        path.Covers(new(timeline, position, position));

    private static Lsn Earlier(Lsn one, Lsn other) => one < other ? one : other;
}

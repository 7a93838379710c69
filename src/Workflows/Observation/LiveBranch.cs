namespace PgFlow.Workflows.Observation;

/// <summary>The branch that clients wrote to last. Only a node whose WAL is part of it can take over.</summary>
/// <param name="Line">The branch and its ancestors.</param>
/// <param name="Doubt">Why that is not certain; null where it is.</param>
internal sealed record LiveBranch(TimelineHistory Line, string? Doubt = null)
{
    /// <summary>What the lost primary and the standbys agree on; null where they do not, or where it can't be
    /// read.</summary>
    /// <remarks>Equal numbers are no agreement: two promotions can take the same one.</remarks>
    public static LiveBranch? AgreedBy(IReadOnlyCollection<NodeState> lost, IReadOnlyCollection<NodeState> standbys)
    {
        NodeState[] nodes = [.. lost, .. standbys];
        var lines = nodes.Select(node => node.History).OfType<TimelineHistory>().ToList();
        return lost.Count > 0 && TimelinesOf(nodes) is [{ } timeline] && lines.All(line => line.IsSame(lines[0]))
            ? new(lines.FirstOrDefault() ?? new(timeline, []))
            : null;
    }

    /// <summary>What the ledger says; else, with doubt, what the lost primary was on, or all standbys are. Null where
    /// nobody can tell.</summary>
    public static LiveBranch? By(
        ArchiveState archive,
        IReadOnlyCollection<NodeState> lost,
        IReadOnlyCollection<NodeState> standbys
    )
    {
        if (archive.LiveLine is { } line)
        {
            return new(line);
        }

        var silence = archive.Unreadable is { } why
            ? $"the ledger can't be read ({why})"
            : "the ledger does not say which timeline is live";
        return (TimelinesOf(lost), TimelinesOf(standbys)) switch
        {
            ([{ } timeline], _) => new(
                LineOf(timeline),
                $"{silence}: timeline {timeline} of the lost primary counts as the live one"
            ),
            ([] or [null], [{ } timeline]) => new(
                LineOf(timeline),
                $"{silence}: timeline {timeline}, which all standbys are on, counts as the live one"
            ),
            _ => null,
        };

        TimelineHistory LineOf(Timeline timeline) =>
            lost.Concat(standbys).Select(node => node.History).FirstOrDefault(history => history?.Tip == timeline)
            ?? new(timeline, []);
    }

    /// <summary>Why a node's WAL is not part of the branch; null where it is, or where nobody knows.</summary>
    public string? ReasonAgainst(NodeState node)
    {
        if (
            node.Timeline is not { } timeline
            || (timeline == Line.Tip && !(HasAncestors && node.History?.IsSame(Line) is false))
        )
        {
            return null;
        }

        if (timeline == Line.Tip)
        {
            return $"{node.Id} is on another timeline {timeline} than the live one: "
                + "two promotions took the same number";
        }

        // What a standby has replayed lies on its timeline; what it has received may lie on the next one already.
        return Line.EndOf(timeline) is { } end && !((node.Replayed ?? node.Wal) > end)
            ? null
            : $"{node.Id} is on timeline {timeline}, which is not part of the live one, {Line.Tip}";
    }

    private bool HasAncestors => Line.Ancestors.Count > 0;

    private static Timeline?[] TimelinesOf(IReadOnlyCollection<NodeState> nodes) =>
        [.. nodes.Select(node => node.Timeline).Distinct()];
}

namespace PgFlow.Workflows.Procedures;

/// <summary>The settings of which a standby needs as much as its primary has: raised on the standbys first, lowered on
/// the primary first.</summary>
internal static class Capacities
{
    /// <summary>That every standby can follow, in one of these orders.</summary>
    /// <returns>What the primary will have less of.</returns>
    public static IReadOnlyList<string> RequireFollowing(
        IEnumerable<NodeState> standbys,
        IReadOnlyList<NodeSetup> setups,
        NodeSetup leader,
        NodeTarget target
    )
    {
        var (lowered, raised) = (Changed(less: true), Changed(less: false));
        var unable =
            from setup in setups
            from theirs in leader.Rows
            let own = setup.Find(theirs.Name)
            where Setting.Capacities.Contains(theirs.Name) && own?.After(target) < theirs.After(target)
            select $"{setup.Node} could not follow: its {theirs.Name} would be {own.After(target)}, "
                + $"{leader.Node}'s {theirs.After(target)}";
        string[] against =
        [
            .. unable,
            .. lowered.Count > 0 ? standbys.Where(node => node.ApplyDelay.Length > 0).Select(TooLate) : [],
            .. lowered.Count > 0 && raised.Count > 0
                ?
                [
                    $"{string.Join(", ", raised)} must be raised on the standbys first, and "
                        + $"{string.Join(", ", lowered)} lowered on the primary first: set one after the other",
                ]
                : Array.Empty<string>(),
        ];
        return Failure.RefuseFor(against) is { } refusal ? throw refusal : lowered;

        string TooLate(NodeState node) =>
            $"{node.Id} can't have less of {string.Join(", ", lowered)} before it has replayed that {leader.Node} has, "
            + $"{node.ApplyDelay} later by its setting recovery_min_apply_delay";

        List<string> Changed(bool less) =>
            [
                .. leader
                    .Rows.Where(row => Setting.Capacities.Contains(row.Name))
                    .Where(row => less ? row.After(target) < row.Now : row.After(target) > row.Now)
                    .Select(row => row.Name),
            ];
    }
}

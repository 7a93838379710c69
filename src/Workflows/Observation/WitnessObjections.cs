namespace PgFlow.Workflows.Observation;

/// <summary>What keeps the witness from a failover although the primary is down: looked for directly before it acts, by
/// all that can be learnt of the cluster.</summary>
internal static class WitnessObjections
{
    /// <summary>A cluster that loses its primary again so soon has another trouble, which the next failover would only
    /// carry on.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMinutes(10);

    /// <summary>All that stands against it; nothing where it may act.</summary>
    /// <param name="verdict">That the primary is down.</param>
    /// <param name="state">The cluster as it is now.</param>
    /// <param name="mostLoss">How many bytes of WAL may be lost.</param>
    /// <param name="now">When that is.</param>
    /// <param name="last">When the witness has started a failover before.</param>
    /// <param name="room">What is known of the volumes' room; null where that is no question.</param>
    public static IReadOnlyList<string> To(
        WitnessVerdict verdict,
        ClusterState state,
        long mostLoss,
        DateTimeOffset now,
        DateTimeOffset? last,
        ArchiveState? room
    ) =>
        [
            .. last is { } before && now - before < Rest
                ?
                [
                    $"the last automatic failover was less than {Rest.TotalMinutes:0} min ago "
                        + $"({PgFlowText.Exact(before)})",
                ]
                : Array.Empty<string>(),
            .. room?.Unreadable is { } why
                ? [$"nobody can tell whether a volume is full: {why}"]
                : room?.Full.Select(space =>
                    $"the disk is full: {space.Volume}'s volume has {PgFlowText.Bytes(space.Free)} left"
                )
                    ?? [],
            .. OfNodes(verdict, state, mostLoss),
        ];

    /// <summary>What the new primary would lack, of what the old one was seen to have; null where nobody
    /// knows.</summary>
    public static long? LossOf(WitnessVerdict verdict, ClusterState state) =>
        LossOf(verdict, state, PlanOf(state).Plan);

    private static long? LossOf(WitnessVerdict verdict, ClusterState state, FailoverPlan? plan) =>
        plan?.Likely.End is { } has && verdict.Seen is { } seen
            ? Later(seen.Wal, state.Find(seen.Node)?.Wal).BytesSince(has)
            : null;

    /// <summary>A primary that nobody looked at for a moment may have written more: its pg_control says so.</summary>
    private static Lsn Later(Lsn seen, Lsn? own) => own > seen ? own.Value : seen;

    private static IEnumerable<string> OfNodes(WitnessVerdict verdict, ClusterState state, long mostLoss)
    {
        if (state.Primaries.Count > 0)
        {
            return [$"{Checks.Names(state.Primaries)} accepts writes"];
        }

        var (plan, refusal) = PlanOf(state);
        return refusal is not null
            ? [refusal]
            : [.. DriftOf(verdict, state), .. LossAbove(mostLoss, LossOf(verdict, state, plan))];
    }

    /// <summary>What the failover itself would do, or why it would refuse.</summary>
    private static (FailoverPlan? Plan, string? Refusal) PlanOf(ClusterState state)
    {
        try
        {
            return (FailoverPlan.AsAgreed(new() { Cluster = state.Cluster }, state), null);
        }
        catch (PgFlowException e) when (e.Type is FailureTypes.Refused)
        {
            return (null, e.Message);
        }
    }

    /// <summary>Where the cluster is not as its members and its settings say: somebody is at work there.</summary>
    private static IEnumerable<string> DriftOf(WitnessVerdict verdict, ClusterState state)
    {
        var members = Membership.Of(state.Nodes);
        if (verdict.Primary is not { } name || state.Find(name) is not { } primary)
        {
            yield return "the primary is no node of the cluster any more";
        }
        else if (primary.Role is not NodeRole.Stopped && !verdict.EndsByItself)
        {
            yield return $"{primary.Id} is {Checks.Describe(primary)}";
        }
        else if (primary.RestartPolicy != ExpectedNode.RestartPolicy)
        {
            yield return $"{primary.Id} is fenced, or was stopped by a procedure (restart policy "
                + $"{primary.RestartPolicy})";
        }

        foreach (var node in state.Nodes.Where(node => node.Role is not NodeRole.Missing))
        {
            if (!members.Contains(node.Id.Name))
            {
                yield return $"{node.Id} is there and is no member of the cluster";
            }
            else if (node is { Role: NodeRole.Standby, Members: { Count: > 0 } own } && !own.SequenceEqual(members))
            {
                yield return $"{node.Id} has other members in its settings ({string.Join(", ", own)})";
            }
        }
    }

    private static IEnumerable<string> LossAbove(long most, long? loss) =>
        loss switch
        {
            null => ["nobody can tell how much would be lost: no position of the primary is known"],
            { } bytes when bytes > most =>
            [
                $"{PgFlowText.Bytes(bytes)} of WAL would be lost, more than the {PgFlowText.Bytes(most)} that may be",
            ],
            _ => [],
        };
}

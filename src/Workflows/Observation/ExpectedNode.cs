namespace PgFlow.Workflows.Observation;

/// <summary>What a node should be while <see cref="Primary"/> is the primary. The one place that says so: status, plans
/// and tests compare against it.</summary>
/// <param name="Id">The node.</param>
/// <param name="Primary">The primary; the node itself where it should be that.</param>
/// <param name="Members">All nodes of the cluster.</param>
internal sealed record ExpectedNode(NodeId Id, NodeState Primary, IReadOnlyList<NodeState> Members)
{
    /// <summary>Docker restarts a node after a crash or a reboot, unless somebody stopped it.</summary>
    public const string RestartPolicy = "unless-stopped";

    /// <summary>What a primary or a running standby holds on the external network.</summary>
    public EndpointRole Endpoint => IsPrimary ? EndpointRole.ReadWrite : EndpointRole.ReadOnly;

    private bool IsPrimary => Id == Primary.Id;

    /// <summary>In what <paramref name="node"/> differs from that; what only follows from another deviation is left
    /// out.</summary>
    public IEnumerable<Finding> DeviationsOf(NodeState node)
    {
        var role = IsPrimary ? [] : Checks.CandidateBlockers(node, Primary).ToList();
        var absent = role.Exists(reason =>
            reason.Code is FindingCode.NotAStandby or FindingCode.NotStreaming or FindingCode.ContainerMissing
        );
        return [.. role, .. absent ? [] : PlaceOf(node)];
    }

    /// <summary>Whether these deviations are such as RepairCluster puts right.</summary>
    public static bool CanRepair(Finding finding) => finding.Hint?.Procedure is nameof(RepairCluster);

    /// <summary>Of whom one should confirm each commit: who streams, and who is asked already.</summary>
    /// <remarks>What keeps one who is asked from streaming is a finding of its own.</remarks>
    public static IEnumerable<NodeId> ConfirmersOf(NodeState primary, IEnumerable<NodeState> members)
    {
        var followersAreKnown = primary is { Role: NodeRole.Primary, Unread: [] };
        bool Streams(NodeState node) => !followersAreKnown || !Checks.ReplicationIssues(node, primary).Any();
        return members
            .Where(node => node.Id != primary.Id && (primary.Confirmers.Contains(node.Id.Name) || Streams(node)))
            .Select(node => node.Id);
    }

    /// <summary>How the primary asks for confirmations otherwise than it should; null where it does not.</summary>
    private string? ConfirmationOf(NodeState primary)
    {
        if (primary.Unread.Count > 0 || primary.Drift.Any(drift => drift.Name == "synchronous_standby_names"))
        {
            return null; // nobody knows, or it is for another finding
        }

        var asked = primary.SynchronousStandbyNames;
        var expected = ClusterIntent.Of(Members).Primary(Id, ConfirmersOf(primary, Members)).SynchronousStandbyNames;
        return asked == expected ? null : $"it is '{asked}', expected '{expected}'";
    }

    /// <summary>Where a node stands that serves: whether it is restarted, and who reaches it.</summary>
    private IEnumerable<Finding> PlaceOf(NodeState node)
    {
        if (node.RestartPolicy != RestartPolicy)
        {
            yield return new(FindingCode.NotRestarted, Id, node.RestartPolicy, Hint.Repair(Id.Cluster));
        }

        if (!node.OnInternalNetwork)
        {
            yield return new(FindingCode.OffInternalNetwork, Id, Hint: Hint.Repair(Id.Cluster));
        }

        if (!IsPrimary && node.Endpoint is EndpointRole.None)
        {
            yield return new(FindingCode.OffReadOnlyEndpoint, Id, $"{Id.Cluster}-ro", Hint.Repair(Id.Cluster));
        }

        if (node is { RefusesClients: true, Endpoint: not EndpointRole.None })
        {
            yield return new(FindingCode.ClientsRefused, Id, Hint: Hint.Repair(Id.Cluster));
        }

        if (IsPrimary && ConfirmationOf(node) is { } confirmation)
        {
            yield return new(FindingCode.SynchronousStandbysDiffer, Id, confirmation, Hint.Repair(Id.Cluster));
        }

        foreach (
            var other in IsPrimary
                ? Members.Where(other =>
                    other.Id != Id && node.Slots.All(slot => slot.Name != other.Id.Name.ToString())
                )
                : []
        )
        {
            yield return new(FindingCode.SlotMissing, Id, other.Id.ToString(), Hint.Repair(Id.Cluster));
        }
    }
}

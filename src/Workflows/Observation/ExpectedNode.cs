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
        var absent =
            !IsPrimary
            && (node.Role is not NodeRole.Standby || role.Exists(reason => reason.Code is FindingCode.NotStreaming));
        return [.. role, .. absent ? [] : PlaceOf(node)];
    }

    /// <summary>Whether these deviations are such as RepairCluster puts right.</summary>
    public static bool CanRepair(Finding finding) => finding.Hint?.Procedure is nameof(RepairCluster);

    /// <summary>How the primary asks for confirmations otherwise than it should, or than it was meant to; none where
    /// nobody knows, or where it is for another finding.</summary>
    private IEnumerable<Finding> ConfirmationsOf(NodeState primary)
    {
        if (primary.Unread.Count > 0 || primary.Drift.Any(drift => drift.Name == "synchronous_standby_names"))
        {
            yield break;
        }

        var (intent, asked) = (ClusterIntent.Of(Members), primary.SynchronousStandbyNames);
        List<NodeName> streaming =
        [
            .. Members
                .Where(node => node.Role is not (NodeRole.Stopped or NodeRole.Missing))
                .Select(node => node.Id.Name)
                .Intersect(primary.Streaming),
        ];
        var expected = primary.Demand.Next(intent.Quorum, streaming).ToString();
        if (primary.EarlierStandbyNames is { } earlier)
        {
            yield return new(FindingCode.ConfirmationsUnproven, Id, $"'{earlier}'", Hint.Repair(Id.Cluster));
        }

        if (asked != expected)
        {
            yield return new(
                FindingCode.SynchronousStandbysDiffer,
                Id,
                $"it is '{asked}', expected '{expected}'",
                Hint.Repair(Id.Cluster)
            );
        }

        var demand = primary.Demand;
        if (demand.Nodes.Count == demand.Names.Count && !demand.IsMetBy(streaming)) // others may confirm unseen
        {
            yield return new(
                FindingCode.CommitsWait,
                Id,
                $"synchronous_standby_names is '{asked}', streaming: "
                    + (streaming.Count == 0 ? "none" : string.Join(", ", streaming)),
                Hint.Synchronous("let them wait only for those that stream", Id.Cluster, streaming.Count)
            );
        }
        else if (asked == expected && demand.Confirmations < intent.Within(Members.Count).Quorum)
        {
            yield return new(FindingCode.FewerConfirm, Id, FewerThan(intent, demand.Confirmations));
        }
    }

    /// <summary>For how many standbys commits wait, instead of those that they are meant to wait for.</summary>
    public static string FewerThan(ClusterIntent intent, int confirmations) =>
        (confirmations == 0 ? "no standby" : PgFlowText.Count(confirmations, "standby"))
        + FormattableString.Invariant($" instead of {intent.Quorum}");

    /// <summary>A standby that was out of reach when the number was changed would go on with the old one as the
    /// primary.</summary>
    private IEnumerable<Finding> QuorumOf(NodeState node)
    {
        var meant = ClusterIntent.Of(Members).Quorum;
        if (node.Quorum is { } own && own != meant)
        {
            yield return new(
                FindingCode.QuorumDiffers,
                Id,
                $"{own} instead of {meant}",
                Hint.Synchronous("write it there", Id.Cluster, meant)
            );
        }
    }

    /// <summary>Whether a node has other nodes in its settings than the cluster is meant to have.</summary>
    public static bool IsOutdated(NodeState node, ClusterIntent intent) =>
        node.Members.Count > 0 && !node.Members.SequenceEqual(intent.Members);

    /// <summary>A standby that was out of reach when a node was added or removed would miss it, or forget it, as the
    /// primary; the primary forgets one that runs again after its removal.</summary>
    private IEnumerable<Finding> MembersOf(NodeState node)
    {
        if (IsOutdated(node, ClusterIntent.Of(Members)))
        {
            yield return new(
                FindingCode.MembersDiffer,
                Id,
                $"{string.Join(", ", node.Members)} instead of {string.Join(", ", Membership.Names(Members))}",
                Hint.Repair(Id.Cluster)
            );
        }
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

        foreach (var finding in (IsPrimary ? ConfirmationsOf(node) : QuorumOf(node)).Concat(MembersOf(node)))
        {
            yield return finding;
        }

        foreach (
            var other in IsPrimary
                ? Members.Where(other =>
                    other.Id != Id && node.Slots.All(slot => slot.Name != other.Id.Name.ToString())
                )
                : []
        )
        {
            yield return new(FindingCode.SlotMissing, Id, other.Id.ToString(), Hint.Repair(Id.Cluster))
            {
                Subject = $"{other.Id}",
            };
        }
    }
}

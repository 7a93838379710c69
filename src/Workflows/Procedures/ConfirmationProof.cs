namespace PgFlow.Workflows.Procedures;

/// <summary>Whether the standbys that were read have every commit that a lost primary had acknowledged.</summary>
/// <param name="Demands">All that it may have demanded when it acknowledged its last commits.</param>
/// <param name="Primary">Who that was, as far as it is known.</param>
internal sealed record ConfirmationProof(IReadOnlyList<Demand> Demands, string Primary)
{
    /// <summary>What has to be proven of a cluster whose <paramref name="lost"/> nodes, or one without a container,
    /// may have been its primary: of each of them, where it is not known who was the last.</summary>
    public static ConfirmationProof Of(ClusterState state, IReadOnlyList<NodeState> lost, ClusterIntent intent)
    {
        List<NodeState> former = [.. lost.Union(state.Missing.Where(node => node.StandbySignal is not true))];
        if (former.Count == 0) // an earlier attempt has fenced it; what its file demands tells it from a standby
        {
            former =
            [
                .. state.Nodes.Where(node =>
                    node.Role is not NodeRole.Standby && node.Demands.Any(demand => !demand.IsNone)
                ),
            ];
        }

        List<NodeState> last = [.. former.Where(node => node.Endpoint is EndpointRole.ReadWrite)];
        if (last.Count == 0)
        {
            last = former;
        }

        var demands =
            intent.Quorum > 0
                ? last.SelectMany(node => node.Demands is { Count: > 0 } known ? known : [AnyBut(node)])
                : last.SelectMany(node => node.Demands).Where(demand => !demand.IsNone);
        return new(
            [.. demands.DistinctBy(demand => demand.ToString())],
            string.Join(" or ", last.Select(node => node.Id))
        );

        // nobody knows what it demanded: each of the others may be the only one that confirmed a commit
        Demand AnyBut(NodeState node) => Demand.Of(1, state.Nodes.Except([node]).Select(other => other.Id.Name));
    }

    /// <summary>Why that is hopeless, whatever is read.</summary>
    public IEnumerable<string> Hopeless =>
        Demands.Any(demand => demand.IsNone)
            ?
            [
                $"{Primary} may have acknowledged its last commits without confirmation (its "
                    + "synchronous_standby_names was empty): those that no standby received would be lost",
            ]
            : [];

    /// <summary>Whether one standby has all of it, for certain.</summary>
    public bool IsGivenBy(NodeId node) =>
        Demands.All(demand => !demand.IsNone && demand.MissingFrom([node.Name]).Count == 0);

    /// <summary>What may be lost.</summary>
    public IReadOnlyList<Risk> RisksOf(IReadOnlyList<Candidate> compared)
    {
        var read = compared.Where(node => node.End is not null).Select(node => node.Node.Name).ToList();
        return
        [
            .. Hopeless.Select(text => new Risk(text, [])),
            .. Demands
                .Select(demand => (demand.Number, Missing: demand.MissingFrom(read)))
                .Where(demand => demand.Missing.Count > 0)
                .Select(demand => new Risk(TextOf(demand.Number, demand.Missing, compared), demand.Missing)),
        ];
    }

    private static string TextOf(int number, IReadOnlyList<string> missing, IReadOnlyList<Candidate> compared)
    {
        var who =
            missing.Contains(Demand.Anybody) ? "somebody else"
            : missing.Count == number ? string.Join(" and ", missing)
            : $"{number} of {string.Join(", ", missing)}";
        var why = string.Join(", ", missing.Select(name => $"{name}: {WhyOf(name, compared)}"));
        return $"commits that only {who} confirmed may be lost: their WAL can't be read ({why})";
    }

    private static string WhyOf(string name, IReadOnlyList<Candidate> compared) =>
        name is Demand.Anybody
            ? "whoever followed could confirm"
            : compared
                .FirstOrDefault(node => name.Equals(node.Node.ToString(), StringComparison.OrdinalIgnoreCase))
                ?.Unknown
                ?? "it is no standby of the live branch";
}

/// <summary>What may be lost.</summary>
/// <param name="Text">What, in a sentence.</param>
/// <param name="Unread">The standbys that would tell, if they could be read.</param>
internal sealed record Risk(string Text, IReadOnlyList<string> Unread);

namespace PgFlow.Workflows.Procedures;

/// <summary>Whether the standbys that were read have every commit that a lost primary had acknowledged.</summary>
/// <param name="Demands">What it demanded, where it demanded anything: all that it may have demanded last.</param>
/// <param name="Unconfirmed">The primary of a synchronous cluster that acknowledged its last commits without any
/// confirmation; null where there is none.</param>
internal sealed record ConfirmationProof(IReadOnlyList<Demand> Demands, NodeId? Unconfirmed)
{
    /// <summary>What has to be proven of a cluster whose <paramref name="lost"/> nodes, or one without a container,
    /// may have been its primary.</summary>
    public static ConfirmationProof Of(ClusterState state, IReadOnlyList<NodeState> lost, ClusterIntent intent)
    {
        var gone = state.Missing.Where(node => node.StandbySignal is not true);
        List<NodeState> former = [.. lost.Concat(gone).Distinct()];
        var demands = former.SelectMany(node => node.Demands).Where(demand => !demand.IsNone).ToList();
        var only = former is [var one] ? one : null;
        var last = former.Find(node => node.Endpoint is EndpointRole.ReadWrite) ?? only;
        return intent.Quorum == 0 ? new(demands, null)
            : last?.Demands.Any(demand => demand.IsNone) is true ? new(demands, last.Id)
            : demands.Count > 0 ? new(demands, null)
            : new([AnyOf(state.Nodes.Except(only is null ? lost : former))], null);
    }

    /// <summary>Nobody knows what was demanded: each of them may be the only one that confirmed a commit.</summary>
    private static Demand AnyOf(IEnumerable<NodeState> nodes) => new(1, [.. nodes.Select(node => node.Id.ToString())]);

    /// <summary>Why that is hopeless, whatever is read.</summary>
    public IEnumerable<string> Hopeless =>
        Unconfirmed is { } primary
            ?
            [
                $"{primary} acknowledged its last commits without confirmation (its synchronous_standby_names was "
                    + "empty): those that no standby received would be lost",
            ]
            : [];

    /// <summary>Whether one standby has all of it, for certain.</summary>
    public bool IsGivenBy(NodeId node) =>
        Unconfirmed is null && Demands.All(demand => demand.MissingFrom([node.Name]).Count == 0);

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

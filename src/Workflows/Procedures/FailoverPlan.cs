namespace PgFlow.Workflows.Procedures;

/// <summary>Who is lost and who may take over.</summary>
internal sealed record FailoverPlan : Plan
{
    public required IReadOnlyList<FencedNode> Lost { get; init; }

    /// <summary>The running standbys on the live branch.</summary>
    public required IReadOnlyList<NodeId> Survivors { get; init; }

    /// <summary>The survivors, and standbys that do not run but may have more.</summary>
    public required IReadOnlyList<NodeId> Compared { get; init; }

    public required IReadOnlyList<NodeId> AllNodes { get; init; }

    /// <summary>The survivor that holds the virtual IP, though no primary; who is fenced gives it up by that.</summary>
    public required NodeId? EndpointHolder { get; init; }

    /// <summary>Who would win by what was observed.</summary>
    public required Candidate Likely { get; init; }

    public required Contest Contest { get; init; }

    /// <summary>The same, whatever may be lost.</summary>
    public required Hint Insist { get; init; }

    public required ClusterIntent Intent { get; init; }

    internal override object Decision =>
        new
        {
            Lost = Lost.Select(lost => lost.Id),
            Likely = Likely.Node,
            Likely.Timeline,
            Survivors,
            Compared,
            Intent,
        };

    /// <summary>Whether anybody but the likely winner may have what it lacks, or nobody knows what it has.</summary>
    internal bool IsContested =>
        Compared.Count > 1 || Contest.Live?.Tip != Likely.Timeline || !Contest.Proof.IsGivenBy(Likely.Node);

    internal string LostNames =>
        Lost.Count == 0 ? "No node needs to be" : string.Join(", ", Lost.Select(lost => lost.Id));

    /// <summary>Who takes over, by what each standby has.</summary>
    public Verdict Decide(IReadOnlyList<Candidate> compared) => Contest.Decide(compared, Insist);

    /// <summary>Decides, or refuses; where the nodes do not agree on the live branch, the ledger tells.</summary>
    public static async Task<FailoverPlan> FromAsync(FailoverInput input, ClusterState state) =>
        From(
            input,
            state,
            LiveBranch.AgreedBy(LostOf(state), state.Standbys)
                ?? (
                    state.Standbys.Count == 0
                        ? null
                        : LiveBranch.By(await Repositories.GlanceAsync(state.Cluster), LostOf(state), state.Standbys)
                )
        );

    /// <summary>Decides, or refuses, by what the nodes alone say: no repository is read.</summary>
    public static FailoverPlan AsAgreed(FailoverInput input, ClusterState state) =>
        From(input, state, LiveBranch.AgreedBy(LostOf(state), state.Standbys));

    /// <summary>Decides, or refuses with all that stands against it.</summary>
    public static FailoverPlan From(FailoverInput input, ClusterState state, LiveBranch? live)
    {
        state.RequireExisting();
        var asked = input.To is { } to ? state.RequireNode(to) : null;
        if (asked is { Role: NodeRole.Primary })
        {
            throw Failure.Refuse($"{asked.Id} is the primary already");
        }

        var lost = LostOf(state);
        var strays = live is null
            ? []
            : state.Nodes.Where(node => !lost.Contains(node) && live.ReasonAgainst(node) is not null).ToList();
        // A person may insist on a node that no rule would take.
        var survivors = state.Standbys.Where(node => !strays.Contains(node) || (input.Force && node == asked)).ToList();
        var absent = state.Nodes.Except(survivors).Except(lost).ToList();
        var likely = asked ?? survivors.OrderByDescending(node => node.Wal).FirstOrDefault();
        var intent = ClusterIntent.Of(state);
        var proof = ConfirmationProof.Of(state, lost, intent);
        string[] hopeless = survivors.Count == 0 ? [] : [.. proof.Hopeless];
        string[] against =
        [
            .. asked is { Role: not NodeRole.Standby }
                ? [$"{asked.Id} is no running standby ({Checks.Describe(asked)})"]
                : Array.Empty<string>(),
            .. survivors.Count == 0 ? [WhyNobody(state, strays, live)] : Array.Empty<string>(),
            .. asked is not null && strays.Contains(asked) && !input.Force
                ? [$"{live!.ReasonAgainst(asked)}: {asked.Id} can't go on with it"]
                : Array.Empty<string>(),
            .. live is null && survivors.Count > 0 && !input.Force ? [WhyUnknown(state)] : Array.Empty<string>(),
            .. input.Force ? [] : state.Primaries.Select(node => $"{node.Id} is healthy and accepts writes"),
            .. input.Force ? [] : hopeless,
            .. survivors.Where(node => node.ReplayPaused).Select(Checks.PauseOf).Said(),
            .. Checks.ConfigurationDrift(survivors).Said(),
        ];
        var insist = Hint.Start("go on all the same", input with { Force = true });
        Hint[] ways =
        [
            .. state.Primaries.Count > 0 ? [Hint.Switchover(state.Cluster)] : Array.Empty<Hint>(),
            .. state.Primaries.Count + hopeless.Length > 0
            || (asked is not null && (live is null || strays.Contains(asked)))
                ? [insist]
                : Array.Empty<Hint>(),
            .. asked is not null
                ? []
                : Choices(
                    input,
                    survivors.Count == 0 ? strays
                        : live is null ? survivors
                        : []
                ),
        ];
        if (Failure.RefuseFor(against, input.Force ? [] : ways) is { } refusal)
        {
            throw refusal;
        }

        var compared = survivors.Concat(absent.Where(node => MayHaveMore(node, live))).ToList();
        return new()
        {
            Summary =
                $"{likely!.Id} becomes the primary of {state.Cluster}; "
                + $"{(lost.Count == 0 ? "no node needs to be fenced" : $"{Checks.Names(lost)} fenced")}",
            Facts =
            [
                $"lost: {string.Join("; ", lost.Select(node => $"{node.Id}, {Checks.Describe(node)}"))}",
                $"standbys that answer: {Checks.Names(survivors)}",
            ],
            Warnings =
            [
                .. live is { Doubt: { } doubt }
                    ? [new(FindingCode.LiveTimelineDoubtful, Detail: doubt)]
                    : Array.Empty<Finding>(),
                .. state.Primaries.Select(node => new Finding(FindingCode.CommitsMayBeLost, node.Id)),
                .. Checks.ChangedRoles([likely]),
                .. absent.Select(node => Absent(node, live)),
                .. asked is not null && strays.Contains(asked)
                    ? [new(FindingCode.LiveBranchDropped, asked.Id, live!.ReasonAgainst(asked))]
                    : Array.Empty<Finding>(),
                .. Checks.SummarizersOf(likely),
            ],
            Lost = [.. lost.Select(FencedNode.Of)],
            Survivors = [.. survivors.Select(node => node.Id)],
            Compared = [.. compared.Select(node => node.Id)],
            EndpointHolder = survivors.FirstOrDefault(node => node == state.EndpointHolder)?.Id,
            AllNodes = [.. state.Nodes.Select(node => node.Id)],
            Likely = new(likely.Id, likely.Timeline!.Value, likely.Wal) { ReplayPaused = likely.ReplayPaused },
            Contest = new(live?.Line, asked?.Id, proof, input.Force),
            Insist = insist,
            Intent = intent,
        };
    }

    /// <summary>A person may know which of them has the live branch.</summary>
    private static IEnumerable<Hint> Choices(FailoverInput input, IEnumerable<NodeState> standbys) =>
        standbys
            .Where(node => node.Role is NodeRole.Standby)
            .Select(node => Hint.Start($"take {node.Id} all the same", input with { To = node.Id.Name, Force = true }));

    /// <summary>A node that is not proven to be a standby may still be, or restart as, a primary.</summary>
    private static List<NodeState> LostOf(ClusterState state) => [.. state.Nodes.Where(MayBePrimary)];

    private static string WhyNobody(ClusterState state, IReadOnlyList<NodeState> strays, LiveBranch? live) =>
        state.Standbys.Count == 0
            ? "no standby answers: "
                + $"{string.Join("; ", state.Nodes.Select(node => $"{node.Id} is {Checks.Describe(node)}"))}"
            : "no standby has the live branch: "
                + $"{string.Join("; ", strays.Select(node => live!.ReasonAgainst(node)))}";

    private static string WhyUnknown(ClusterState state) =>
        $"nobody can tell which branch is live ({string.Join(", ", state.Nodes.Select(TimelineOf))})";

    private static string TimelineOf(NodeState node) =>
        node.Timeline is { } timeline ? $"{node.Id} is on timeline {timeline}" : $"{node.Id} does not say";

    private static Finding Absent(NodeState node, LiveBranch? live) =>
        live?.ReasonAgainst(node) is { } why
            ? new(FindingCode.NoCandidate, node.Id, why, Hint.Afterwards(node))
            : new(FindingCode.NotTakingPart, node.Id, Checks.Describe(node), Hint.Afterwards(node));

    /// <summary>A standby that does not run may have WAL that no running one has.</summary>
    private static bool MayHaveMore(NodeState node, LiveBranch? live) =>
        node.Role is not (NodeRole.Standby or NodeRole.Missing)
        && (node.Timeline is null || live is null || node.Timeline == live.Line.Tip);

    private static bool MayBePrimary(NodeState node) =>
        node.Role switch
        {
            NodeRole.Primary => true,
            NodeRole.Standby or NodeRole.Missing => false,
            NodeRole.Stopped => !node.LacksData
                && (node.StandbySignal is not true || node.Endpoint is EndpointRole.ReadWrite),
            _ => node.Endpoint is EndpointRole.ReadWrite || node.StandbySignal is not true,
        };
}

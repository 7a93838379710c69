using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Observation;

/// <summary>What the witness makes of what it sees.</summary>
public enum WitnessFinding
{
    /// <summary>One node accepts writes, and holds the virtual IP.</summary>
    Well,

    /// <summary>The primary accepts writes, and commits wait for confirmations that nobody gives.</summary>
    Stalled,

    /// <summary>The primary is down by both signs: its host's, and the standbys' that streamed from it.</summary>
    Down,

    /// <summary>The primary's server starts again by itself, or recovers from a crash.</summary>
    Recovering,

    /// <summary>The primary's container is not known to be down, and nobody can write to it.</summary>
    Unreachable,

    /// <summary>The primary's host says that it is down, and the second sign says otherwise, or is missing.</summary>
    Unconfirmed,

    /// <summary>Nothing can be seen: the witness itself is cut off.</summary>
    Blind,

    /// <summary>Nobody can say who the primary should be: no node or a standby holds the virtual IP, or several nodes
    /// accept writes.</summary>
    Unclear,

    /// <summary>Not all is well, and a procedure holds the cluster: it is left to that.</summary>
    Busy,
}

/// <summary>A verdict of the witness, with what it rests on.</summary>
/// <param name="Finding">The verdict.</param>
/// <param name="Primary">The node that it is about; null where nobody can say.</param>
/// <param name="Evidence">What was seen.</param>
public sealed record WitnessVerdict(WitnessFinding Finding, NodeName? Primary, IReadOnlyList<string> Evidence)
{
    /// <summary>The primary when it was last well.</summary>
    public PrimarySeen? Seen { get; init; }

    /// <summary>Whether the server ended by itself, or can't start: a full disk would be a reason.</summary>
    public bool EndsByItself { get; init; }

    /// <summary>How many standbys each commit waits for; of a primary that accepts writes.</summary>
    public int? Demanded { get; init; }

    /// <summary>How many stream from it, and could confirm.</summary>
    public int? Streaming { get; init; }

    /// <summary>Whether it rests on answers that were late alone.</summary>
    internal bool SaysNothing { get; init; }

    /// <summary>In one sentence.</summary>
    [JsonIgnore]
    public string Sentence => Evidence.Count == 0 ? Beginning : $"{Beginning}: {string.Join("; ", Evidence)}";

    private string Beginning =>
        Finding switch
        {
            WitnessFinding.Well => $"{Primary} accepts writes",
            WitnessFinding.Stalled => $"commits on {Primary} wait for confirmations that nobody gives",
            WitnessFinding.Down => $"{Primary} is down by both signs",
            WitnessFinding.Recovering => $"{Primary} comes back by itself",
            WitnessFinding.Unreachable => $"{Primary} can't be reached",
            WitnessFinding.Unconfirmed => $"{Primary} may be down",
            WitnessFinding.Blind => "nothing can be seen",
            WitnessFinding.Busy => "a procedure holds the cluster",
            _ => "nobody can say which node should be the primary",
        };

    /// <summary>Whether nobody has to hear of this one who knows the other: the same, whatever else was seen.</summary>
    internal bool IsSameAs(WitnessVerdict? other) =>
        other is not null && (Finding, Primary) == (other.Finding, other.Primary);

    /// <summary>What a single look says.</summary>
    /// <param name="look">The look.</param>
    /// <param name="seen">The primary when it was last well.</param>
    /// <param name="isStuck">Whether the primary's start makes no progress.</param>
    internal static WitnessVerdict Of(Look look, PrimarySeen? seen, bool isStuck = false)
    {
        var verdict = OfNodes(look, seen, isStuck);
        if (look.Docker is DockerAnswer.Late && verdict.Finding is not WitnessFinding.Well)
        {
            verdict = verdict with { SaysNothing = true };
        }

        return verdict.Finding is not (WitnessFinding.Well or WitnessFinding.Blind) && look.HeldBy is { } holder
            ? verdict with
            {
                Finding = WitnessFinding.Busy,
                Evidence = [holder, verdict.Sentence],
            }
            : verdict;
    }

    private static WitnessVerdict OfNodes(Look look, PrimarySeen? seen, bool isStuck)
    {
        NodeLook[] writing = [.. look.Nodes.Where(node => node.Server is ServerSign.Writes)];
        NodeLook[] holding = [.. look.Nodes.Where(node => node.HoldsEndpoint)];
        return (writing, holding) switch
        {
            ([{ HoldsEndpoint: true, Wal: { } wal } primary], _) => OfWriting(primary) with
            {
                Seen = new(primary.Name, look.At, wal, [.. StreamingFrom(primary, look).Select(node => node.Name)]),
            },
            ([], _) when IsBlind(look) => new(WitnessFinding.Blind, seen?.Node, [.. WhyBlind(look)]) { Seen = seen },
            ([], [var primary]) => OfLost(primary, look, seen, isStuck) with { Seen = seen },
            _ => new(
                WitnessFinding.Unclear,
                null,
                [
                    writing.Length == 0 ? "no node accepts writes" : $"{Names(writing)} accepts writes",
                    holding.Length == 0 ? "no node holds the virtual IP" : $"{Names(holding)} holds the virtual IP",
                ]
            )
            {
                Seen = seen,
            },
        };
    }

    private static WitnessVerdict OfWriting(NodeLook primary)
    {
        var (demand, streaming) = (primary.Demand, primary.StreamTo);
        var verdict = demand.IsMetBy(streaming)
            ? new WitnessVerdict(WitnessFinding.Well, primary.Name, [])
            : new(WitnessFinding.Stalled, primary.Name, [$"{demand} is demanded", StreamTo(streaming)]);
        return verdict with { Demanded = demand.Confirmations, Streaming = streaming.Count };
    }

    private static string StreamTo(IReadOnlyList<NodeName> nodes) =>
        nodes.Count == 0 ? "no standby streams" : $"{string.Join(", ", nodes)} streams";

    /// <summary>Neither its host nor any server: or only such containers as run, of which no server answers.</summary>
    private static bool IsBlind(Look look) =>
        look.Docker is DockerAnswer.Given
            ? look.Nodes.Count > 1
                && look.Nodes.All(node => node is { Server: ServerSign.Silent, Container: ContainerSign.Up })
            : look.Nodes.All(node => node.Server is ServerSign.Silent);

    private static IEnumerable<string> WhyBlind(Look look) =>
        look.Docker is DockerAnswer.Given
            ? look.Nodes.Select(node => $"{node.Name} does not answer ({node.Detail})")
            : ["neither Docker nor any node answers"];

    /// <summary>The node that holds the virtual IP accepts no writes, and nobody else does.</summary>
    private static WitnessVerdict OfLost(NodeLook primary, Look look, PrimarySeen? seen, bool isStuck) =>
        primary switch
        {
            { Server: ServerSign.Follows } => new(
                WitnessFinding.Unclear,
                null,
                [$"{primary.Name} holds the virtual IP and is a standby"]
            ),
            { Server: ServerSign.Starting } or { Container: ContainerSign.Restarting } when !isStuck => new(
                WitnessFinding.Recovering,
                primary.Name,
                [Said(primary)]
            ),
            { Server: ServerSign.Starting } or { Container: ContainerSign.Restarting or ContainerSign.Down } =>
                OfSecondSign(primary, look, seen) with
                {
                    EndsByItself = primary.Container is not ContainerSign.Down,
                },
            _ => new(
                WitnessFinding.Unreachable,
                primary.Name,
                [Said(primary), .. Streams(primary, look).DefaultIfEmpty("no standby streams from it")]
            ),
        };

    /// <summary>The host has said that the primary is down: what do those say that streamed from it?</summary>
    private static WitnessVerdict OfSecondSign(NodeLook primary, Look look, PrimarySeen? seen)
    {
        if (seen?.Node != primary.Name)
        {
            return new(
                WitnessFinding.Unconfirmed,
                primary.Name,
                [Said(primary), "the witness has never seen it well, and knows of nobody who streamed from it"]
            );
        }

        List<string> streams = [.. Streams(primary, look)];
        NodeLook[] asked =
        [
            .. look.Nodes.Where(node => seen.Streaming.Contains(node.Name) && node.Server is ServerSign.Follows),
        ];
        return new(
            streams.Count == 0 && asked.Length > 0 ? WitnessFinding.Down : WitnessFinding.Unconfirmed,
            primary.Name,
            [
                Said(primary),
                .. streams,
                .. streams.Count > 0 ? []
                : asked.Length > 0 ? [$"{Names(asked)} streamed from it until now"]
                : (string[])["no standby that streamed from it can be asked"],
            ]
        )
        {
            SaysNothing = streams.Count == 0 && asked.Length == 0,
        };
    }

    private static IEnumerable<NodeLook> StreamingFrom(NodeLook primary, Look look) =>
        look.Nodes.Where(node => node.Server is ServerSign.Follows && node.StreamsFrom == primary.Address);

    private static IEnumerable<string> Streams(NodeLook primary, Look look) =>
        StreamingFrom(primary, look).Select(node => $"{node.Name} still streams from it");

    private static string Said(NodeLook node) =>
        (node.Container, node.Server) switch
        {
            (ContainerSign.Down, _) => $"its container has ended ({node.Detail})",
            (ContainerSign.Restarting, _) => $"Docker starts its container again ({node.Detail})",
            (ContainerSign.Paused, _) => "somebody has paused its container",
            (_, ServerSign.Starting) => $"PostgreSQL starts, recovers or stops ({node.Detail})",
            (_, ServerSign.Refuses) => $"PostgreSQL is there and refuses PgFlow ({node.Detail})",
            (ContainerSign.Up, _) => $"its container runs, and PostgreSQL does not answer ({node.Detail})",
            _ => $"Docker does not say whether its container runs, and PostgreSQL does not answer ({node.Detail})",
        };

    private static string Names(IEnumerable<NodeLook> nodes) => string.Join(", ", nodes.Select(node => node.Name));
}

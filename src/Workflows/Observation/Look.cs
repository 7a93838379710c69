namespace PgFlow.Workflows.Observation;

/// <summary>One look of the witness at a cluster.</summary>
/// <param name="At">When.</param>
/// <param name="Docker">Whether the nodes' host could be asked.</param>
/// <param name="Nodes">What it and the nodes said.</param>
/// <param name="HeldBy">The procedure that holds the cluster; asked for only where not all is well.</param>
internal sealed record Look(
    DateTimeOffset At,
    DockerAnswer Docker,
    IReadOnlyList<NodeLook> Nodes,
    string? HeldBy = null
);

/// <summary>Whether Docker could be asked.</summary>
internal enum DockerAnswer
{
    /// <summary>It has answered.</summary>
    Given,

    /// <summary>Not within the time of a look: a busy host.</summary>
    Late,

    /// <summary>It refuses the question: its daemon does not run, or ends, or begins.</summary>
    Away,
}

/// <summary>What a look has found of a node.</summary>
/// <param name="Name">The node.</param>
/// <param name="Address">Its address on the internal network.</param>
/// <param name="Container">What Docker says.</param>
/// <param name="Server">What PostgreSQL says.</param>
/// <param name="Detail">Docker's own words on the container, or PostgreSQL's on a failed login.</param>
internal sealed record NodeLook(
    NodeName Name,
    string Address,
    ContainerSign Container,
    ServerSign Server,
    string Detail = ""
)
{
    /// <summary>Whether it holds the virtual IP.</summary>
    public bool HoldsEndpoint { get; init; }

    /// <summary>Whether nobody can have written to it just now.</summary>
    public bool WritesNothing =>
        Container is ContainerSign.Down or ContainerSign.Restarting || Server is ServerSign.Starting;

    /// <summary>How far its WAL reaches: written, or received.</summary>
    public Lsn? Wal { get; init; }

    /// <summary>The address from which its walreceiver streams.</summary>
    public string? StreamsFrom { get; init; }

    /// <summary>Of whom its commits demand confirmation.</summary>
    public Demand Demand { get; init; } = Demand.None;

    /// <summary>The nodes to which it streams, by the names that they give themselves.</summary>
    public IReadOnlyList<NodeName> StreamTo { get; init; } = [];

    /// <summary>How far its start has got, as texts: one that was not seen before is progress. Null where nobody could
    /// say.</summary>
    public IReadOnlyList<string>? Startup { get; init; } = [];
}

/// <summary>What Docker says of a container.</summary>
internal enum ContainerSign
{
    /// <summary>It runs.</summary>
    Up,

    /// <summary>Somebody has paused it.</summary>
    Paused,

    /// <summary>Docker is about to start it again by itself.</summary>
    Restarting,

    /// <summary>It has ended, and Docker does not start it again.</summary>
    Down,

    /// <summary>Docker did not say.</summary>
    Unknown,
}

/// <summary>What PostgreSQL says.</summary>
internal enum ServerSign
{
    /// <summary>It accepts writes.</summary>
    Writes,

    /// <summary>It is in recovery, as a standby.</summary>
    Follows,

    /// <summary>It lets nobody in for the moment: it starts, recovers from a crash, or stops.</summary>
    Starting,

    /// <summary>It is there, and refuses PgFlow's login.</summary>
    Refuses,

    /// <summary>It does not answer.</summary>
    Silent,
}

/// <summary>The primary when it was last well.</summary>
/// <param name="Node">Which node that was.</param>
/// <param name="At">When.</param>
/// <param name="Wal">How far it had written.</param>
/// <param name="Streaming">Who streamed from it: only of these it means anything that they don't.</param>
public sealed record PrimarySeen(NodeName Node, DateTimeOffset At, Lsn Wal, IReadOnlyList<NodeName> Streaming)
{
    /// <summary>Until when it is known that it has written no more.</summary>
    public DateTimeOffset LookedAt { get; init; } = At;
}

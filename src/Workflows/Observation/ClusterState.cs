using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Observation;

/// <summary>A cluster as it was found, by asking Docker, every node's PostgreSQL and every stopped node's
/// pg_control.</summary>
public sealed record ClusterState
{
    /// <summary>The cluster.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>What it was made as, with its primary's image; null when there is no such cluster.</summary>
    public ClusterSpec? Spec { get; init; }

    /// <summary>Its nodes, by number: all that it is meant to have, whether they are there or not, and who runs
    /// besides.</summary>
    public IReadOnlyList<NodeState> Nodes { get; init; } = [];

    /// <summary>What there is of it outside PostgreSQL, and what is missing.</summary>
    public IReadOnlyList<Resource> Resources { get; init; } = [];

    /// <summary>Who is told of its procedures, as the worker is configured that looked: known without a further
    /// question, for which a failover would have to wait.</summary>
    public IReadOnlyList<Receiver> Receivers { get; init; } = [];

    /// <summary>Whether there is such a cluster.</summary>
    [JsonIgnore]
    public bool Exists => Spec is not null;

    /// <summary>The nodes that accept writes; more than one is a split brain.</summary>
    [JsonIgnore]
    public IReadOnlyList<NodeState> Primaries => [.. Nodes.Where(node => node.Role is NodeRole.Primary)];

    /// <summary>The nodes that have no container.</summary>
    [JsonIgnore]
    public IReadOnlyList<NodeState> Missing => [.. Nodes.Where(node => node.Role is NodeRole.Missing)];

    /// <summary>The nodes that follow and answer.</summary>
    [JsonIgnore]
    public IReadOnlyList<NodeState> Standbys => [.. Nodes.Where(node => node.Role is NodeRole.Standby)];

    /// <summary>The node that holds the virtual IP, running or not.</summary>
    [JsonIgnore]
    public NodeState? EndpointHolder => Nodes.FirstOrDefault(node => node.Endpoint is EndpointRole.ReadWrite);

    /// <summary>The node called <paramref name="name"/>; null when there is none.</summary>
    public NodeState? Find(NodeName name) => Nodes.FirstOrDefault(node => node.Id.Name == name);
}

/// <summary>What a node is right now.</summary>
public enum NodeRole
{
    /// <summary>Runs and accepts writes.</summary>
    Primary,

    /// <summary>Runs in recovery.</summary>
    Standby,

    /// <summary>Its container does not run.</summary>
    Stopped,

    /// <summary>Its container runs or hangs, and PostgreSQL can't be asked.</summary>
    Unreachable,

    /// <summary>It has no container; what its volume holds is observed as far as it is there.</summary>
    Missing,
}

/// <summary>What a node holds on the external network.</summary>
public enum EndpointRole
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The virtual IP.</summary>
    ReadWrite,

    /// <summary>An address of its own under the standbys' alias.</summary>
    ReadOnly,
}

/// <summary>A node as it was found.</summary>
public sealed record NodeState
{
    /// <summary>The node.</summary>
    public required NodeId Id { get; init; }

    /// <summary>What it is.</summary>
    public required NodeRole Role { get; init; }

    /// <summary>Docker's word for its container's state.</summary>
    public required string Container { get; init; }

    /// <summary>Docker's word for its restart policy: <c>unless-stopped</c>, or <c>no</c> while it is fenced.</summary>
    public required string RestartPolicy { get; init; }

    /// <summary>Its fixed address on the internal network.</summary>
    public required string Address { get; init; }

    /// <summary>The ID of its container's image.</summary>
    public string? Image { get; init; }

    /// <summary>Settings that have another value in its files than it uses until its restart.</summary>
    public IReadOnlyList<string> PendingRestart { get; init; } = [];

    /// <summary>Whether its volume is there.</summary>
    public bool HasVolume { get; init; } = true;

    /// <summary>Whether it is on the internal network.</summary>
    public bool OnInternalNetwork { get; init; } = true;

    /// <summary>What it holds on the external network.</summary>
    public EndpointRole Endpoint { get; init; }

    /// <summary>What is wrong with PgFlow's login: why an unreachable node can't be asked, or what another one's role
    /// was learnt in spite of.</summary>
    public LoginProblem? Login { get; init; }

    /// <summary>What could not be learnt of it, and why.</summary>
    public IReadOnlyList<string> Unread { get; init; } = [];

    /// <summary>The cluster's identity as the node has it; a text, since it exceeds what JavaScript can
    /// count.</summary>
    public string? SystemIdentifier { get; init; }

    /// <summary>The timeline that it writes, replays or was stopped on.</summary>
    public Timeline? Timeline { get; init; }

    /// <summary>That timeline's ancestors, by the node's own file; null where it can't be read.</summary>
    public TimelineHistory? History { get; init; }

    /// <summary>How far its WAL reaches: written, received, or the last checkpoint of a stopped node.</summary>
    public Lsn? Wal { get; init; }

    /// <summary>How far a standby has replayed.</summary>
    public Lsn? Replayed { get; init; }

    /// <summary>Whether replay was paused by hand.</summary>
    public bool ReplayPaused { get; init; }

    /// <summary>How much later it replays on purpose (recovery_min_apply_delay); empty where it does not.</summary>
    public string ApplyDelay { get; init; } = "";

    /// <summary>Why a standby has stopped to replay by itself, or ended: settings that its WAL was written with more
    /// of.</summary>
    public IReadOnlyList<LowSetting> TooLow { get; init; } = [];

    /// <summary>What pg_control of a stopped node says.</summary>
    public ControlState? Control { get; init; }

    /// <summary>Whether a stopped node would start as a standby.</summary>
    public bool? StandbySignal { get; init; }

    /// <summary>The standbys that a primary sends to.</summary>
    public IReadOnlyList<Follower> Followers { get; init; } = [];

    /// <summary>The replication slots.</summary>
    public IReadOnlyList<Slot> Slots { get; init; } = [];

    /// <summary>The node's archiver.</summary>
    public ArchiverState? Archiver { get; init; }

    /// <summary>What synchronous_standby_names says.</summary>
    public string SynchronousStandbyNames { get; init; } = "";

    /// <summary>What it was, where not all that was acknowledged then is proven to be where it says now: several values
    /// are separated by semicolons; null where there is none.</summary>
    public string? EarlierStandbyNames { get; init; }

    /// <summary>The nodes that stream from it.</summary>
    internal IEnumerable<NodeName> Streaming =>
        Followers.Where(follower => follower.State == "streaming").Select(follower => NodeName.Parse(follower.Node));

    /// <summary>What it demands as a primary, by <see cref="SynchronousStandbyNames"/>.</summary>
    internal Demand Demand => Demand.Parse(SynchronousStandbyNames).Without(Id.Name);

    /// <summary>All that it may have demanded when it accepted its last commit; none where that is not known.</summary>
    internal IReadOnlyList<Demand> Demands =>
        [
            .. Quorum is null && Demand.IsNone ? Array.Empty<Demand>() : [Demand],
            .. EarlierStandbyNames?.Split(';').Select(one => Demand.Parse(one).Without(Id.Name)) ?? [],
        ];

    /// <summary>How many standbys are to confirm each commit, as it has it in its settings for when it is the primary;
    /// null where that is not known.</summary>
    public int? Quorum { get; init; }

    /// <summary>Whether the cluster is meant to be read-only.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>The nodes that the cluster is meant to have, as it has them in its settings; none where that is not
    /// known.</summary>
    public IReadOnlyList<NodeName> Members { get; init; } = [];

    /// <summary>Whether a stopped node has no database yet: what made it ended half-way.</summary>
    internal bool LacksData => this is { Role: NodeRole.Stopped, Control: null, Unread: [] };

    /// <summary>Whether its settings can be written now.</summary>
    internal bool TakesSettings =>
        Role is NodeRole.Standby or NodeRole.Primary || this is { Role: NodeRole.Stopped, Control: not null };

    /// <summary>Whether its WAL summarizer waits after an error, to run into the next.</summary>
    /// <remarks>Not in its first 30 s: a standby that comes over a fork runs into one error, and gets on after 10
    /// s.</remarks>
    public bool SummarizerFails { get; init; }

    /// <summary>Whether it writes whole pages into the WAL after a checkpoint; where a primary does not, no standby of
    /// it can be copied.</summary>
    public bool FullPageWrites { get; init; } = true;

    /// <summary>Whether it refuses clients, as it should only while it is on no endpoint.</summary>
    public bool RefusesClients { get; init; }

    /// <summary>The last thing that it said before it ended by itself; null where it did not.</summary>
    public string? LastWords { get; init; }

    /// <summary>The tablespaces that lie outside its data directory, where it runs.</summary>
    public IReadOnlyList<string> TablespaceNames { get; init; } = [];

    /// <summary>What is not as PgFlow's secrets say about its own roles.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>Settings that PgFlow owns and another file overrides.</summary>
    public IReadOnlyList<OverriddenSetting> Drift { get; init; } = [];
}

/// <summary>A setting that PgFlow owns and another file overrides.</summary>
/// <param name="Name">The setting.</param>
/// <param name="File">Where it is set.</param>
public sealed record OverriddenSetting(string Name, string File);

/// <summary>The states of pg_control (<c>DBState</c> in <c>catalog/pg_control.h</c>), in its order.</summary>
public enum ControlState
{
    /// <summary>Starting up.</summary>
    StartUp,

    /// <summary>Cleanly shut down.</summary>
    ShutDown,

    /// <summary>Cleanly shut down in recovery.</summary>
    ShutDownInRecovery,

    /// <summary>Shutting down.</summary>
    ShuttingDown,

    /// <summary>In crash recovery.</summary>
    InCrashRecovery,

    /// <summary>In archive recovery.</summary>
    InArchiveRecovery,

    /// <summary>In production.</summary>
    InProduction,
}

/// <summary>A row of pg_stat_replication.</summary>
/// <param name="Node">The standby.</param>
/// <param name="State">Its state; <c>streaming</c> when all is well.</param>
/// <param name="Replayed">How far it has replayed.</param>
/// <param name="LagBytes">How much of the primary's WAL it has not replayed.</param>
/// <param name="Sync">Its part in synchronous replication.</param>
/// <param name="SilentSeconds">How long ago it last answered.</param>
/// <param name="LagSeconds">How long the newest WAL took from its flush on the primary until it was replayed; null
/// where nothing was written for a while (<c>replay_lag</c>).</param>
public sealed record Follower(
    string Node,
    string State,
    Lsn? Replayed,
    long LagBytes,
    string Sync,
    double SilentSeconds,
    double? LagSeconds = null
);

/// <summary>A setting of a standby that its primary has more of, so that it can't replay.</summary>
/// <param name="Name">The setting.</param>
/// <param name="Value">What the standby has.</param>
/// <param name="Wanted">What it must have.</param>
public sealed record LowSetting(string Name, int Value, int Wanted);

/// <summary>A replication slot.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Active">Whether somebody reads from it.</param>
/// <param name="Status">wal_status: <c>reserved</c>, <c>extended</c>, <c>unreserved</c>, <c>lost</c>.</param>
/// <param name="Logical">Whether it belongs to a database.</param>
/// <param name="Failover">Whether PostgreSQL (17 and later) copies it to the standbys.</param>
/// <param name="Synced">Whether it is such a copy.</param>
public sealed record Slot(
    string Name,
    bool Active,
    string? Status,
    bool Logical = false,
    bool Failover = false,
    bool Synced = false
)
{
    /// <summary>Whether PgFlow made it, for a standby; all others belong to somebody else.</summary>
    [JsonIgnore]
    public bool IsOurs => !Logical && NodeName.TryParse(Name, null, out _);
}

/// <summary>A row of pg_stat_archiver, and what waits.</summary>
/// <param name="LastArchived">The last file archived.</param>
/// <param name="LastFailed">The last file that could not be, where that is newer.</param>
/// <param name="Waiting">How many files wait.</param>
/// <param name="Failures">How many attempts failed since the statistics begin.</param>
/// <param name="WaitingSeconds">How long the first of them has waited.</param>
/// <param name="UnarchivedBytes">How much of a primary's WAL is in no archive, the unfinished segment included.</param>
public sealed record ArchiverState(
    string? LastArchived,
    string? LastFailed,
    int Waiting,
    long Failures = 0,
    double WaitingSeconds = 0,
    long? UnarchivedBytes = null
);

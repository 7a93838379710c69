namespace PgFlow.Workflows.Observation;

/// <summary>A way in which a cluster is not what it should be, or what a person should weigh of a plan. Data only:
/// <see cref="FindingText"/> says it to people.</summary>
/// <param name="Code">What kind of deviation; programs rely on it.</param>
/// <param name="Node">The node that it is about; null where it is about the cluster.</param>
/// <param name="Detail">What was found, where the code alone does not say it.</param>
/// <param name="Hint">What to do about it.</param>
public sealed record Finding(FindingCode Code, NodeId? Node = null, string? Detail = null, Hint? Hint = null)
{
    /// <summary>What of the node or the cluster it is about, where there may be several: a volume, a slot, a setting.
    /// The same whatever the detail's numbers are.</summary>
    public string? Subject { get; init; }
}

/// <summary>The kinds of finding.</summary>
public enum FindingCode
{
    /// <summary>No node accepts writes.</summary>
    NoPrimary,

    /// <summary>Several nodes accept writes; the detail names them.</summary>
    SplitBrain,

    /// <summary>A node of a cluster without a single primary does not run or does not answer.</summary>
    NodeUnavailable,

    /// <summary>A node lets PgFlow in, but late.</summary>
    LoginSlow,

    /// <summary>A node refuses PgFlow's login and was asked by the reserved way.</summary>
    LoginRefused,

    /// <summary>PgFlow's own roles are not what its secrets say; the detail names them.</summary>
    RolesChanged,

    /// <summary>Something of a node could not be read.</summary>
    Unreadable,

    /// <summary>Another node than the primary, or none, holds the virtual IP; the detail says which.</summary>
    EndpointMisplaced,

    /// <summary>A node is no running standby of the primary.</summary>
    NotAStandby,

    /// <summary>A standby does not stream; the detail is the primary.</summary>
    NotStreaming,

    /// <summary>Somebody paused a standby's replay.</summary>
    ReplayPaused,

    /// <summary>A standby replays later on purpose; the detail says how much.</summary>
    ReplayDelayed,

    /// <summary>A standby has stopped to replay since the primary has more of a setting; the detail says
    /// which.</summary>
    CapacityTooLow,

    /// <summary>A node has another system identifier than the primary.</summary>
    ForeignSystem,

    /// <summary>A standby is behind the primary.</summary>
    StandbyLags,

    /// <summary>A slot does not keep the WAL any more that its standby needs.</summary>
    SlotLost,

    /// <summary>Tablespaces lie outside the data directory.</summary>
    TablespacesOutside,

    /// <summary>Another file overrides a setting that PgFlow owns.</summary>
    SettingOverridden,

    /// <summary>A node can't archive.</summary>
    ArchiverFails,

    /// <summary>A node archives too slowly.</summary>
    ArchiverLags,

    /// <summary>A node's WAL summarizer runs into errors: PostgreSQL keeps all WAL that it has not read.</summary>
    SummarizerFails,

    /// <summary>The repository can't be read.</summary>
    RepositoryUnreadable,

    /// <summary>No backup leads to the live timeline.</summary>
    NoBackup,

    /// <summary>The ledger does not say which timeline is live.</summary>
    LiveTimelineUnknown,

    /// <summary>WAL behind the last backup is missing.</summary>
    WalMissing,

    /// <summary>Settings of a node have another value in its files than it uses until its restart; the detail names
    /// them.</summary>
    RestartPending,

    /// <summary>A node's container is of another image than the primary's; the detail is the primary.</summary>
    ImageDiffers,

    /// <summary>Docker does not restart a running node by itself.</summary>
    NotRestarted,

    /// <summary>A node is not on the internal network.</summary>
    OffInternalNetwork,

    /// <summary>A streaming standby is not on the read-only endpoint.</summary>
    OffReadOnlyEndpoint,

    /// <summary>A procedure that ended half-way has left a node refusing clients.</summary>
    ClientsRefused,

    /// <summary>A volume has no room for more WAL; the detail says which.</summary>
    VolumeFull,

    /// <summary>A volume has less than 5 %, and less than 10 GB, left; the detail says which.</summary>
    VolumeLow,

    /// <summary>No recovery of a backup was proven for long; the detail says since when.</summary>
    BackupUnverified,

    /// <summary>The primary keeps no WAL for a node.</summary>
    SlotMissing,

    /// <summary>The primary does not ask for confirmations as the cluster is meant to; the detail says how it
    /// does.</summary>
    SynchronousStandbysDiffer,

    /// <summary>Commits wait for ever: fewer standbys stream than must confirm; the detail says which.</summary>
    CommitsWait,

    /// <summary>Not all that was acknowledged before synchronous_standby_names was changed is proven to be on those
    /// that it names now; the detail says what it was.</summary>
    ConfirmationsUnproven,

    /// <summary>Commits wait for fewer standbys than they are meant to, since no more can confirm; the detail says for
    /// how many. Of a plan: until it has ended.</summary>
    FewerConfirm,

    /// <summary>A standby has another number of confirmations in its settings than the primary; the detail says
    /// which.</summary>
    QuorumDiffers,

    /// <summary>A node has other nodes in its settings than the cluster is meant to have; the detail says
    /// which.</summary>
    MembersDiffer,

    /// <summary>A container or a volume of a node that the cluster is not meant to have: its removal ended
    /// half-way.</summary>
    NodeLeftBehind,

    /// <summary>A node has no container; the detail says what its volume holds.</summary>
    ContainerMissing,

    /// <summary>A network or a volume of the cluster is not there.</summary>
    ResourceMissing,

    /// <summary>Something that is not PgFlow's has a name of the cluster's, or uses a node's volume.</summary>
    ResourceForeign,

    /// <summary>Of a plan: which timeline is live is not certain; the detail says why.</summary>
    LiveTimelineDoubtful,

    /// <summary>Of a plan: what the node commits until it is fenced may be lost.</summary>
    CommitsMayBeLost,

    /// <summary>Of a plan: the node is left as it is; the detail says why.</summary>
    NotTakingPart,

    /// <summary>Of a plan: the node's branch is not the live one; the detail says why.</summary>
    NoCandidate,

    /// <summary>Of a plan: what the node does not have of the live branch is dropped; the detail says why.</summary>
    LiveBranchDropped,

    /// <summary>Of a plan: what a node that accepts writes has beyond the primary, the detail, is dropped.</summary>
    WritesDropped,

    /// <summary>Of a plan: the node stays down until the archive has taken what it kept.</summary>
    StaysDown,

    /// <summary>Of a plan: a slot does not go along, or goes with its node's data; the detail says which.</summary>
    SlotLeftBehind,

    /// <summary>Of a plan: archive, backups and ledger are gone.</summary>
    RepositoryGone,

    /// <summary>Of a plan: clients are cut off from the node, and the detail is the timeline that keeps what they
    /// wrote.</summary>
    ClientsCutOff,

    /// <summary>Of a plan: what a recovery does not bring back as it was.</summary>
    NotRecovered,

    /// <summary>Of a plan: files that the target's position has lost already; the detail says which.</summary>
    RemovedEarly,

    /// <summary>Of a plan: what the WAL does not tell; the detail.</summary>
    StaysUnknown,

    /// <summary>Of a plan: a backup or WAL is removed; the detail says which and why.</summary>
    Expires,

    /// <summary>Of a plan: the detail says how many more are removed than it names.</summary>
    MoreExpires,

    /// <summary>Of a plan: the primary bears the load of a backup; the detail says why.</summary>
    PrimaryBearsLoad,

    /// <summary>Of a plan: clients can't write while the node is restarted where it is; the detail says why no other
    /// takes over.</summary>
    Outage,

    /// <summary>Of a plan: the name of the nodes' image has none, or another one by now; the detail says
    /// which.</summary>
    ImageMoved,

    /// <summary>Of a plan: the node goes, and what its volume holds with it.</summary>
    NodeRemoved,

    /// <summary>Of a plan: no standby is left that could become the primary.</summary>
    NoStandbyLeft,

    /// <summary>Of a plan: one node alone has nobody to confirm.</summary>
    NobodyConfirms,

    /// <summary>Of a plan: nothing brings back what it removes.</summary>
    Irreversible,

    /// <summary>Of a plan: the detail is not PgFlow's and is not removed.</summary>
    ForeignStays,

    /// <summary>Of a plan: roles and passwords are those of the detail, the source of a clone.</summary>
    RolesOfSource,

    /// <summary>Of a repository: a timeline's history file is missing; the detail says which.</summary>
    HistoryMissing,

    /// <summary>Of a repository: a branch is not in the ledger, and the live one does not come from it; the detail says
    /// which.</summary>
    BranchUnknown,

    /// <summary>Of a repository: nobody knows when a branch was opened; the detail says which.</summary>
    OpeningUnknown,

    /// <summary>Of a repository: a history contradicts itself; the detail says how.</summary>
    HistoryContradicts,

    /// <summary>Of a repository: clocks and numbers do not agree on which branch is newer; the detail says
    /// how.</summary>
    ClocksDisagree,

    /// <summary>Of a repository: a backup lacks what it builds on; the detail says which.</summary>
    BackupUnusable,
}

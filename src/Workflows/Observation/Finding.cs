using System.Text.Json.Nodes;

namespace PgFlow.Workflows.Observation;

/// <summary>A way in which a cluster is not what it should be. Data only: <see cref="FindingText"/> says it to
/// people.</summary>
/// <param name="Code">What kind of deviation; programs rely on it.</param>
/// <param name="Node">The node that it is about; null where it is about the cluster.</param>
/// <param name="Detail">What was found, where the code alone does not say it.</param>
/// <param name="Hint">What to do about it.</param>
public sealed record Finding(FindingCode Code, NodeId? Node = null, string? Detail = null, Hint? Hint = null);

/// <summary>What to do about a finding: a procedure with its input, or a person's own work.</summary>
/// <param name="Text">The purpose of the procedure, or the advice where there is none.</param>
/// <param name="Procedure">The workflow type; the CLI shows its command, the Web UI takes it with
/// <paramref name="Input"/>.</param>
/// <param name="Input">The procedure's input.</param>
public sealed record Hint(string Text, string? Procedure = null, JsonObject? Input = null)
{
    /// <summary>A procedure for a cluster, or for one of its nodes.</summary>
    public static Hint Run(string text, string procedure, ClusterName cluster, NodeName? node = null)
    {
        var input = new JsonObject { ["cluster"] = cluster.ToString() };
        if (node is { } name)
        {
            input["node"] = name.ToString();
        }

        return new(text, procedure, input);
    }

    /// <summary>Whatever can be put right without a decision.</summary>
    internal static Hint Repair(ClusterName cluster) => Run("put it right", nameof(RepairCluster), cluster);

    /// <summary>Failback of a node; whoever reads it chooses the node where none is given.</summary>
    internal static Hint Rejoin(ClusterName cluster, NodeName? node = null) =>
        Run(node is null ? "fence the wrong one" : "bring it back", nameof(Failback), cluster, node);
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

    /// <summary>The primary keeps no WAL for a node.</summary>
    SlotMissing,

    /// <summary>The primary does not ask for confirmations as the cluster is meant to; the detail says how it
    /// does.</summary>
    SynchronousStandbysDiffer,

    /// <summary>A node has no container; the detail says what its volume holds.</summary>
    ContainerMissing,

    /// <summary>A network or a volume of the cluster is not there.</summary>
    ResourceMissing,

    /// <summary>Something that is not PgFlow's has a name of the cluster's, or uses a node's volume.</summary>
    ResourceForeign,
}

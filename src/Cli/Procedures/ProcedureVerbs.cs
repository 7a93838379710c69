using PgFlow.Workflows;

namespace PgFlow.Cli;

/// <summary>The verbs that start a procedure: each is a row.</summary>
internal static class ProcedureVerbs
{
    private static Field Force(string meaning) => Field.Flag("--force", $"{meaning}; recorded, and never the same as --yes");

    private static Field To => Field.Node("--to", "The node that becomes the primary; the best one where none is named");

    private static Field StopWithin =>
        Field.Number("--stop-within-seconds", "How long the primary's fast stop may take before all is undone (default 90)", "S");

    public static Field[] Target =>
    [
        Field.Text("--to-time", "TIME", "Everything committed up to this time: ISO 8601 with an offset or Z, as 2026-11-24T10:05:00Z"),
        Field.Text("--to-point", "NAME", "A restore point"),
        Field.Text("--to-lsn", "LSN", "Every record that begins before this position"),
        Field.Text("--to-xid", "XID", "Everything up to this transaction's commit, and it"),
        Field.Text("--to-backup", "ID", "The end of this backup"),
        Field.Flag("--latest", "All there is on the branch"),
        Field.Number("--timeline", "The branch; where none is given, the one that was live then"),
    ];

    private static Field[] Place =>
    [
        Field.Text("--vip", "IP", "The virtual IP; needed with --external-network"),
        Field.Text("--subnet", "CIDR", "The internal network's subnet; a free one where none is given"),
        Field.Text("--external-network", "NAME", "An existing network for clients; one of its own where none is given"),
    ];

    public static IReadOnlyList<ProcedureVerb> All { get; } =
    [
        new("init", nameof(InitCluster), "Make a cluster: networks, volumes, primary, standbys, archive, endpoint",
            [
                Field.Number("--nodes", "How many nodes: one primary, the others standbys (default 2)"),
                Field.Text("--image", "IMAGE", "Any image that has PostgreSQL 13 to 18 (default postgres:17)"),
                Field.Choice<ArchiveMode>("--archive", "Where WAL goes: into the cluster's repository, or into each node's volume"),
                Field.Flag("--sync", "A commit waits for one standby"),
                .. Place,
            ]),
        new("destroy", nameof(DestroyCluster), "Remove a cluster with its data, its archive and its ledger") { TypeTheName = true },
        new("switchover", nameof(Switchover), "Make another node the primary while all are healthy",
            [To, Force("Go on although a standby does not answer"), StopWithin]),
        new("failover", nameof(Failover), "Make a standby the primary after the primary was lost", To, Force("Fail over although the primary is healthy")),
        new("failback", nameof(Failback), "Bring an old primary or a diverged standby (the only missing node where none is named) back as a standby",
            Field.Node("NODE", "The node that comes back; the only one that is missing where none is named", Need.Optional)),
        new("repair", nameof(RepairCluster), "Make again what is missing of a cluster (networks, volumes, containers), and put every node back in its place",
            Field.Node("--primary", "The node whose data is the cluster's, where no primary runs and several nodes hold a primary's data")),
        new("remake", nameof(RemakeStandby), "Give a standby a fresh copy of the primary", Field.Node("NODE", "The standby", Need.Required)),
        new("backup", nameof(TakeBackup), "Take a base backup, and prove that the archive has the WAL for it",
            Field.Flag("--incremental", "Only what has changed since the newest backup (PostgreSQL 17)"),
            Field.Node("--node", "The node that is copied; a standby where none is named"),
            Field.Text("--annotation", "TEXT", "A note that stays with the backup"),
            Field.Number("--keep", "Afterwards remove what is not needed for the newest N full backups of each branch"),
            Field.Number("--keep-days", "Afterwards remove what is not needed to go back to every time of the last D days", "D"))
        {
            CanRepeat = true,
        },
        new("verify", nameof(VerifyBackup), "Prove that a backup can be recovered: recover it in a container without network, and check every table and B-tree",
            Field.Argument("BACKUP", "The backup, to its own end; the newest, to the latest, where none is named", Need.Optional))
        {
            CanRepeat = true,
        },
        new("restore-point", nameof(CreateRestorePoint), "Give the position of now a name to go back to", Field.Argument("NAME", "The name; used once in a cluster", Need.Required)),
        new("recover", nameof(RecoverCluster), "Bring a cluster back to a position in its past, on the branch that was live then; its standbys are made anew",
            [.. Target, Field.Flag("--inspect", "Stop read-only at the target; then approve, move or reject it"), StopWithin]),
        new("clone", nameof(CloneCluster), "Make a new cluster from a position in another's past; the other one is only read",
            [.. Target, Field.Number("--nodes", "How many nodes; as many as FROM has where none is given"), .. Place])
        {
            Before = [Field.From("The cluster that is cloned")],
        },
    ];
}

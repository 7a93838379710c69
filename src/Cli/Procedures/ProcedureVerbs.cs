using PgFlow.Workflows;

namespace PgFlow.Cli;

/// <summary>The verbs that start a procedure: each is a row.</summary>
internal static class ProcedureVerbs
{
    private static Field Force(string meaning) => Field.Flag("--force", $"{meaning}; recorded, and never the same as --yes");

    private static Field To => Field.Node("--to", "The node that becomes the primary; the best one where none is named");

    public static IReadOnlyList<ProcedureVerb> All { get; } =
    [
        new("init", nameof(InitCluster), "Make a cluster: networks, volumes, primary, standbys, archive, endpoint",
            Field.Number("--nodes", "How many nodes: one primary, the others standbys (default 2)"),
            Field.Text("--image", "IMAGE", "Any image that has PostgreSQL 13 to 18 (default postgres:17)"),
            Field.Choice<ArchiveMode>("--archive", "Where WAL goes: into the cluster's repository, or into each node's volume"),
            Field.Flag("--sync", "A commit waits for one standby"),
            Field.Text("--vip", "IP", "The virtual IP; needed with --external-network"),
            Field.Text("--subnet", "CIDR", "The internal network's subnet; a free one where none is given"),
            Field.Text("--external-network", "NAME", "An existing network for clients; one of its own where none is given")),
        new("destroy", nameof(DestroyCluster), "Remove a cluster with its data, its archive and its ledger") { TypeTheName = true },
        new("switchover", nameof(Switchover), "Make another node the primary while all are healthy", To, Force("Go on although a standby does not answer")),
        new("failover", nameof(Failover), "Make a standby the primary after the primary was lost", To, Force("Fail over although the primary is healthy")),
        new("failback", nameof(Failback), "Bring an old primary or a diverged standby (the only missing node where none is named) back as a standby",
            Field.Node("NODE", "The node that comes back; the only one that is missing where none is named", Need.Optional)),
        new("remake", nameof(RemakeStandby), "Give a standby a fresh copy of the primary", Field.Node("NODE", "The standby", Need.Required)),
    ];
}

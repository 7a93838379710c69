using System.Net;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What InitCluster takes.</summary>
public sealed record InitClusterInput : ProcedureInput
{
    /// <summary>The most nodes that a cluster has.</summary>
    public const int MostNodes = 9;

    /// <summary>The names that its nodes can have.</summary>
    internal static IReadOnlyList<NodeName> AllNames { get; } = [.. Enumerable.Range(1, MostNodes).Select(NodeName.Of)];

    /// <summary>What is to be given where the address for clients is missing.</summary>
    internal const string FreeAddress = "with an external network of yours give a free address on it";

    /// <summary>How many nodes: one primary, the others standbys.</summary>
    [Flag("How many nodes: one primary, the others standbys (default 2)")]
    public int Nodes { get; init; } = 2;

    /// <summary>Any image that has PostgreSQL 13 to 18.</summary>
    [Flag("Any image that has PostgreSQL 13 to 18 (default postgres:17)", Value = "IMAGE")]
    public string Image { get; init; } = "postgres:17";

    /// <summary>Where complete WAL segments go.</summary>
    [Flag("Where WAL goes: into the cluster's repository, or into each node's volume")]
    public ArchiveMode Archive { get; init; } = ArchiveMode.External;

    /// <summary>A commit waits for one standby.</summary>
    [Flag("A commit waits for one standby; the same as --quorum 1")]
    public bool Sync { get; init; }

    /// <summary>How many standbys confirm each commit.</summary>
    [Flag("How many standbys confirm each commit: 0 is asynchronous (default)")]
    public int? Quorum { get; init; }

    /// <summary>What these two say.</summary>
    internal int Confirmations => Quorum ?? (Sync ? 1 : 0);

    /// <summary>The virtual IP; needed with an external network that exists already.</summary>
    [Flag("The virtual IP; needed with --external-network", Value = "IP")]
    public string? Vip { get; init; }

    /// <summary>The internal network's subnet, an IPv4 /24 or larger; a free private one where none is given.</summary>
    [Flag("The internal network's subnet; a free one where none is given", Value = "CIDR")]
    public string? Subnet { get; init; }

    /// <summary>An existing network for clients; one of its own where none is given.</summary>
    [Flag("An existing network for clients; one of its own where none is given", Value = "NAME")]
    public string? ExternalNetwork { get; init; }

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() =>
        [
            .. string.IsNullOrWhiteSpace(Image)
                ? [new("image", "is empty; give an image that has PostgreSQL 13 to 18, as postgres:17")]
                : Unfit("image", Image, 255),
            .. CheckPlace(Nodes, Vip, Subnet),
            .. CheckQuorum(),
            .. Missing("vip", Vip is null && ExternalNetwork is not null, FreeAddress),
            .. ExternalNetwork is null && Vip is not null && IsAddress(Vip) && LastOf(Vip) is < 2 or > 127
                ? [new("vip", $"{Vip} is not from 2 to 127 in its /24, which becomes the external network")]
                : Array.Empty<InputProblem>(),
        ];

    private IEnumerable<InputProblem> CheckQuorum() =>
        Quorum switch
        {
            { } quorum when quorum < 0 || (quorum >= Nodes && Nodes is > 0 and <= MostNodes) =>
            [
                new("quorum", $"{quorum} is not from 0 to {Nodes - 1}: one of {Nodes} nodes is the primary"),
            ],
            0 when Sync => [new("quorum", "0 is asynchronous, and sync was given too")],
            _ => [],
        };

    private static int LastOf(string address) => IPAddress.Parse(address).GetAddressBytes()[3];

    /// <summary>What is wrong with the size and the networks of a cluster that is to be made.</summary>
    internal static IEnumerable<InputProblem> CheckPlace(int nodes, string? vip, string? subnet)
    {
        if (nodes is < 1 or > MostNodes)
        {
            yield return new("nodes", $"{nodes} is not from 1 to {MostNodes}");
        }

        if (vip is not null && !IsAddress(vip))
        {
            yield return new("vip", $"'{vip}' is no IPv4 address");
        }

        if (
            subnet is not null
            && !(
                IPNetwork.TryParse(subnet, out var network)
                && IsAddress(network.BaseAddress.ToString())
                && network.PrefixLength is >= 8 and <= 24
            )
        )
        {
            yield return new("subnet", $"'{subnet}' is no IPv4 network of /8 to /24, as 10.77.1.0/24");
        }
    }

    private static bool IsAddress(string text) =>
        text.Count(sign => sign == '.') == 3
        && IPAddress.TryParse(text, out var address)
        && address.AddressFamily is System.Net.Sockets.AddressFamily.InterNetwork;
}

/// <summary>Makes a cluster: networks, volumes, a primary, standbys, archive, endpoint.</summary>
[Workflow]
public sealed class InitCluster : Procedure<InitClusterInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(InitClusterInput? input = null) =>
        RunAsync(
            input,
            InitClusterPlan.From,
            async plan =>
            {
                var (cluster, primary, standbys) = (plan.Input.Cluster, plan.Primary, plan.Standbys);
                var (intent, openedAt) = (plan.Intent, Now);

                var postgres = await ResultStep(
                    "inspect-image",
                    $"{plan.Input.Image} has PostgreSQL",
                    () => Clusters.InspectImageAsync(cluster, plan.Input.Image)
                );
                var networks = await ResultStep(
                    "create-networks",
                    "Internal and external network",
                    async () =>
                    {
                        var made = await Clusters.CreateNetworksAsync(
                            new(cluster, plan.Input.Subnet, plan.Input.ExternalNetwork, plan.Input.Vip)
                        );
                        Notes.AddRange(made.Notes);
                        return made;
                    },
                    undo: () => Clusters.TakeBackAsync(cluster, plan.Nodes)
                );
                await Step(
                    "create-nodes",
                    "Volumes, secrets, containers",
                    () => Clusters.CreateNodesAsync(plan.Spec(postgres.Value, networks.Value), plan.Nodes)
                );

                await Step("initialize", $"{primary} has a new database", () => Clusters.InitializeAsync(primary));
                await Step(
                    "start-primary",
                    $"{primary} runs",
                    async () =>
                    {
                        await Nodes.ConfigureAsync(intent.Primary(primary));
                        await Nodes.StartAsync(primary);
                        await Nodes.SetSlotsAsync(primary, [.. standbys.Select(node => node.Name)]);
                    }
                );
                await Step("prove-archive", "The archive takes its WAL", () => Archives.ProveAsync(primary));
                await Step(
                    "record-timeline",
                    "Timeline 1 is recorded in the ledger",
                    async () =>
                    {
                        await Ledger.OpenTimelineAsync(
                            new(
                                primary,
                                new(1),
                                Parent: null,
                                default,
                                openedAt,
                                Workflow.Info.WorkflowId,
                                nameof(InitCluster)
                            )
                        );
                        PublishPrimary(primary, new(1));
                    }
                );
                await InParallel(
                    standbys,
                    node =>
                        Step(
                            $"copy/{node.Name}",
                            $"{node} is a copy of {primary}",
                            () => Replication.CloneAsync(node, primary)
                        )
                );
                await InParallel(
                    standbys,
                    node =>
                        Step(
                            $"follow/{node.Name}",
                            $"{node} follows {primary}",
                            () => Replication.AttachAsync(node, primary, new(1), intent)
                        )
                );
                await Step(
                    "synchronous-standbys",
                    $"synchronous_standby_names on {primary} matches the cluster's configuration",
                    () => Nodes.DemandConfirmationsAsync(intent.Primary(primary))
                );
                await Step("move-endpoint", $"Endpoint on {primary}", () => Endpoints.TakeAsync(primary));
                await RequiredStep(
                    "prove-endpoint",
                    $"A commit through the endpoint arrives on {primary}",
                    () => Endpoints.ProveAsync(primary)
                );
                await Step(
                    "backup",
                    "A first base backup",
                    () => BaseBackups.TakeAsync(primary, primary, "made with the cluster")
                );
                Conclude($"cluster {cluster} is there: {primary} and {PgFlowText.Count(standbys.Count, "standby")}");
            }
        );
}

/// <summary>What is to be made.</summary>
internal sealed record InitClusterPlan : Plan
{
    public required InitClusterInput Input { get; init; }

    internal override object Decision =>
        new
        {
            Input.Nodes,
            Input.Image,
            Input.Archive,
            Input.Confirmations,
            Input.Vip,
            Input.Subnet,
            Input.ExternalNetwork,
        };

    internal NodeId Primary => new(Input.Cluster, NodeName.Of(1));

    internal IReadOnlyList<NodeId> Standbys => [.. Nodes.Skip(1)];

    internal IEnumerable<NodeId> Nodes => NodeId.First(Input.Cluster, Input.Nodes);

    internal ClusterIntent Intent =>
        new(Input.Confirmations, ReadOnly: false) { Members = [.. Nodes.Select(node => node.Name)] };

    internal ClusterSpec Spec(PostgresInstallation postgres, CreatedNetworks networks) =>
        new(
            Input.Cluster,
            Input.Image,
            postgres,
            Input.Archive,
            networks.Subnet,
            networks.ExternalNetwork,
            networks.Vip
        );

    /// <summary>Decides; a cluster that is there already is left as it is, or refused with the difference.</summary>
    public static InitClusterPlan From(InitClusterInput input, ClusterState state)
    {
        var plan = new InitClusterPlan
        {
            Summary =
                $"cluster {input.Cluster}: a primary and {PgFlowText.Count(input.Nodes - 1, "standby")} from "
                + $"{input.Image}",
            Facts =
            [
                $"archive {PgFlowText.Word(input.Archive)}, "
                    + (
                        input.Confirmations == 0
                            ? "asynchronous replication"
                            : $"each commit waits for {PgFlowText.Count(input.Confirmations, "standby")}"
                    ),
                $"endpoint {input.Cluster}-rw at {input.Vip ?? "a free address"} on "
                    + $"{input.ExternalNetwork ?? $"pgflow-{input.Cluster}-external"}",
            ],
            Warnings = input.Confirmations > 0 && input.Nodes == 1 ? [new(FindingCode.NobodyConfirms)] : [],
            Input = input,
        };
        if (state.Spec is not { } spec || state.Missing.Count > 0)
        {
            state.RequireVacant();
            return plan;
        }

        string[] differences =
        [
            .. Differs("nodes", state.Nodes.Count, input.Nodes),
            .. Differs("image", spec.Image, input.Image),
            .. Differs("archive", spec.Archive, input.Archive),
            .. input.Sync || input.Quorum is not null
                ? Differs("quorum", ClusterIntent.Of(state).Quorum, input.Confirmations)
                : [],
            .. Differs("vip", spec.Vip, input.Vip ?? spec.Vip),
            .. Differs("subnet", spec.Subnet, input.Subnet ?? spec.Subnet),
            .. Differs("externalNetwork", spec.ExternalNetwork, input.ExternalNetwork ?? spec.ExternalNetwork),
        ];
        return differences.Length > 0
            ? throw Failure.Refuse(
                $"there is a cluster {input.Cluster} already, and it differs: {string.Join("; ", differences)}"
            )
            : plan with
            {
                NothingToDo = true,
                Summary = Checks.NothingToDo($"cluster {input.Cluster} is there already, as asked for"),
                Warnings = [.. Checks.LeftIn(state)],
            };
    }

    private static IEnumerable<string> Differs<T>(string field, T there, T asked) =>
        Equals(there, asked) ? [] : [$"{field} is {there}, not {asked}"];
}

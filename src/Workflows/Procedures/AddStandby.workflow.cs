using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What AddStandby takes.</summary>
public sealed record AddStandbyInput : ProcedureInput
{
    /// <summary>The new node; the first name that is free where none is given.</summary>
    [Flag("The new node; the first name that is free where none is given", Place = FlagPlace.BehindOptional)]
    public NodeName? Node { get; init; }

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() =>
        Node is { Number: > InitClusterInput.MostNodes }
            ? [new("node", $"{Node} is not from p1 to p{InitClusterInput.MostNodes}")]
            : [];
}

/// <summary>Gives a cluster one more node: a standby that is a copy of the primary.</summary>
[Workflow]
public sealed class AddStandby : Procedure<AddStandbyInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(AddStandbyInput? input = null) =>
        RunAsync(
            input,
            AddStandbyPlan.From,
            async plan =>
            {
                var (node, primary, spec) = (plan.Node, plan.Primary, plan.Spec);

                await Step(
                    "inspect-image",
                    $"{spec.Image} has PostgreSQL as the other nodes have it",
                    async () => RequireSame(await Clusters.InspectImageAsync(node.Cluster, spec.Image), spec)
                );
                // First: whoever ends this half-way leaves a node that is missed, and that a repair makes.
                await Step(
                    "record-members",
                    $"The cluster's nodes are {string.Join(", ", plan.Intent.Members)}, in the settings of each",
                    () => RememberAsync(plan.Present, plan.Intent.Members),
                    undo: () => RememberAsync(plan.Present, plan.Before.Members)
                );
                await Step(
                    "create-node",
                    $"{node} has a volume and a container",
                    () => Clusters.CreateNodeAsync(node, spec),
                    undo: () => Clusters.TakeBackNodeAsync(node)
                );
                await Step(
                    "prepare-primary",
                    $"{primary} keeps WAL for {node} and has PgFlow's own roles",
                    async () =>
                    {
                        await Nodes.SetSlotsAsync(primary, [.. plan.Others, node.Name]);
                        await Clusters.SetRolesAsync(primary);
                    },
                    undo: () => Nodes.SetSlotsAsync(primary, plan.Others)
                );
                await Step("copy", $"{node} is a copy of {primary}", () => Replication.CloneAsync(node, primary));
                await Step(
                    "follow",
                    $"{node} follows {primary}",
                    () => Replication.AttachAsync(node, primary, plan.Timeline, plan.Intent),
                    undo: () => NodeRoles.FenceAsync(node) // its clients learn of it before it is removed
                );
                if (plan.Intent.Quorum > 0)
                {
                    await Step(
                        "synchronous-standbys",
                        $"synchronous_standby_names on {primary} matches the cluster's configuration",
                        () => Nodes.DemandConfirmationsAsync(plan.Intent.Primary(primary)),
                        undo: () =>
                            Nodes.DemandConfirmationsAsync(
                                plan.Before.Primary(primary),
                                [node.Name],
                                plan.Confirmations
                            )
                    );
                }

                PointOfNoReturn(); // a cancel that came with the last call takes back all, too
                Conclude($"{node} follows {primary}: {node.Cluster} has {PgFlowText.Count(plan.Nodes, "node")}");
            }
        );

    /// <summary>In the settings of the primary first: they count.</summary>
    internal static async Task RememberAsync(IReadOnlyList<NodeId> nodes, IReadOnlyList<NodeName> members)
    {
        await Nodes.RememberMembersAsync(nodes[0], members);
        await InParallel(nodes.Skip(1), node => Nodes.RememberMembersAsync(node, members));
    }

    private static void RequireSame(PostgresInstallation found, ClusterSpec spec)
    {
        if (found != spec.Postgres)
        {
            throw Failure.Refuse(
                $"image: {spec.Image} is another one than the cluster's nodes were made of: it has PostgreSQL "
                    + $"{found.Major} in {found.Bin} for user {found.Uid}, they have {spec.Postgres.Major} in "
                    + $"{spec.Postgres.Bin} for user {spec.Postgres.Uid}",
                new Hint("give the image that they were made of its name again")
            );
        }
    }
}

/// <summary>Who joins whom.</summary>
internal sealed record AddStandbyPlan : Plan
{
    public required NodeId Node { get; init; }

    public required NodeId Primary { get; init; }

    /// <summary>The primary's branch.</summary>
    public required Timeline Timeline { get; init; }

    public required ClusterSpec Spec { get; init; }

    /// <summary>For whom the primary keeps WAL already.</summary>
    public required IReadOnlyList<NodeName> Others { get; init; }

    /// <summary>The nodes whose settings can be written, the primary first; the others learn of it when they come
    /// back.</summary>
    public required IReadOnlyList<NodeId> Present { get; init; }

    /// <summary>What the cluster is meant to be with the node.</summary>
    public required ClusterIntent Intent { get; init; }

    /// <summary>What it is meant to be today.</summary>
    public required ClusterIntent Before { get; init; }

    /// <summary>How many standbys confirm each commit today.</summary>
    public required int Confirmations { get; init; }

    internal int Nodes => Intent.Members.Count;

    internal override object Decision =>
        new
        {
            Node,
            Primary,
            Timeline,
            Spec,
            Others,
            Present,
            Intent,
        };

    /// <summary>Decides, or refuses.</summary>
    public static AddStandbyPlan From(AddStandbyInput input, ClusterState state)
    {
        var primary = state.RequireExisting().RequireNoTablespaces().RequirePrimary().RequireOwnConfirmations();
        var node = NodeOf(input, state);
        var there = state.Find(node.Name);
        if (there is null)
        {
            RequireFree(node, state);
        }

        var standbys = state.Nodes.Where(other => other.Id != node && other != primary).ToList();
        var before = ClusterIntent.Of(state.Nodes, primary);
        var intent = before with { Members = [.. before.Members.Append(node.Name).Distinct().Order()] };
        return new()
        {
            Summary = there is null
                ? $"{node} becomes a standby of {primary.Id}: {state.Cluster} has "
                    + PgFlowText.Count(intent.Members.Count, "node")
                : Checks.NothingToDo($"{node} is a node of {state.Cluster} already", there, state),
            NothingToDo = there is not null,
            Facts = [$"primary {primary.Id} on timeline {primary.Timeline}; {node} is made from {state.Spec!.Image}"],
            Node = node,
            Primary = primary.Id,
            Timeline = primary.Timeline!.Value,
            Spec = state.Spec,
            Others = [.. standbys.Select(other => other.Id.Name)],
            Present = [primary.Id, .. standbys.Where(other => other.TakesSettings).Select(other => other.Id)],
            Intent = intent,
            Before = before,
            Confirmations = primary.Demand.Confirmations,
        };
    }

    private static NodeId NodeOf(AddStandbyInput input, ClusterState state) =>
        input.Node is { } name ? new(state.Cluster, name)
        : Free(state) is [var first, ..] ? first
        : throw Failure.Refuse($"every name from p1 to p{InitClusterInput.MostNodes} is taken on {state.Cluster}");

    private static List<NodeId> Free(ClusterState state) =>
        [
            .. InitClusterInput
                .AllNames.Where(name => state.Find(name) is null)
                .Select(name => new NodeId(state.Cluster, name))
                .Where(node => !Membership.IsThere(node, state)),
        ];

    /// <summary>No other node waits to be made, and nothing is there under the node's name.</summary>
    private static void RequireFree(NodeId node, ClusterState state)
    {
        if (state.Nodes.FirstOrDefault(other => other.Role is NodeRole.Missing || other.LacksData) is { } missing)
        {
            throw Failure.Refuse(
                $"{missing.Id} is to be a node of {state.Cluster}, and is {Checks.Describe(missing)}",
                Hint.Repair(state.Cluster),
                Hint.RemoveNode(missing.Id)
            );
        }

        if (Membership.IsThere(node, state))
        {
            throw Failure.Refuse(
                $"there is a container or a volume {node.Container} already",
                Membership.LeftoversOf(state).Contains(node)
                    ? Hint.RemoveNode(node)
                    : new Hint("it is not PgFlow's: remove or rename it, or choose another name")
            );
        }
    }
}

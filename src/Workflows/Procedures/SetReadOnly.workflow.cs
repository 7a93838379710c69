using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>Whether a cluster is meant to be read-only, in PostgreSQL's words.</summary>
public enum ReadOnlyMode
{
    /// <summary>No transaction may write.</summary>
    On,

    /// <summary>Transactions may write.</summary>
    Off,
}

/// <summary>What SetReadOnly takes.</summary>
public sealed record SetReadOnlyInput : ProcedureInput
{
    /// <summary>On or off.</summary>
    [Flag("on or off", Place = FlagPlace.Behind)]
    public ReadOnlyMode? Mode { get; init; }

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() => Missing("mode", Mode is null, "say on or off");
}

/// <summary>Lets no transaction of a cluster write (default_transaction_read_only), or lets them again, whoever is the
/// primary.</summary>
[Workflow]
public sealed class SetReadOnly : Procedure<SetReadOnlyInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(SetReadOnlyInput? input = null) =>
        RunAsync(
            input,
            SetReadOnlyPlan.From,
            async plan =>
            {
                var (primary, word) = (plan.Primary, PgFlowText.Word(plan.Mode));
                await InParallel(
                    plan.Nodes,
                    node =>
                        Step(
                            $"configure/{node.Id.Name}",
                            $"default_transaction_read_only is {word} in {node.Id}'s settings",
                            () => Nodes.SetReadOnlyAsync(node.Id, plan.IsReadOnly),
                            undo: () => Nodes.SetReadOnlyAsync(node.Id, node.WasReadOnly)
                        )
                );
                if (plan.IsReadOnly)
                {
                    await Step(
                        "end-sessions",
                        $"Sessions on {primary} from before are ended: one may have set it itself",
                        () => Endpoints.EndSessionsAsync(primary)
                    );
                }

                await RequiredStep(
                    "prove-read-only",
                    $"A transaction through the endpoint {(plan.IsReadOnly ? "may not write" : "may write")}",
                    async () =>
                        Notes.AddRange(
                            (await Endpoints.ProveReadOnlyAsync(primary, plan.IsReadOnly)).Select(exception =>
                                $"{exception} sets default_transaction_read_only for itself: that goes before the "
                                + "cluster's"
                            )
                        )
                );
                Conclude($"{primary.Cluster} is {(plan.IsReadOnly ? "read-only" : "writable")}");
            }
        );
}

/// <summary>Whose settings are changed.</summary>
internal sealed record SetReadOnlyPlan : Plan
{
    public required NodeId Primary { get; init; }

    public required ReadOnlyMode Mode { get; init; }

    /// <summary>All whose settings can be written, running or not: any of them may be the primary later.</summary>
    public required IReadOnlyList<ConfiguredNode> Nodes { get; init; }

    internal bool IsReadOnly => Mode is ReadOnlyMode.On;

    internal override object Decision =>
        new
        {
            Primary,
            Mode,
            Nodes,
        };

    /// <summary>Decides, or refuses with all that stands against it.</summary>
    public static SetReadOnlyPlan From(SetReadOnlyInput input, ClusterState state)
    {
        var primary = state.RequireExisting().RequirePrimary();
        var nodes = state.Nodes.Where(node => node.Role is not (NodeRole.Missing or NodeRole.Unreachable)).ToList();
        var plan = new SetReadOnlyPlan
        {
            Summary =
                input.Mode is ReadOnlyMode.On
                    ? $"no transaction in {state.Cluster} may write; all sessions on {primary.Id} end"
                    : $"transactions in {state.Cluster} may write",
            Facts =
            [
                $"primary {primary.Id}, {(primary.ReadOnly ? "read-only" : "writable")}; settings of "
                    + $"{Checks.Names(nodes)}",
            ],
            Warnings =
            [
                .. state
                    .Nodes.Except(nodes)
                    .Select(node => new Finding(
                        FindingCode.NotTakingPart,
                        node.Id,
                        Checks.Describe(node),
                        Hint.Afterwards(node)
                    )),
            ],
            Primary = primary.Id,
            Mode = input.Mode!.Value,
            Nodes = [.. nodes.Select(node => new ConfiguredNode(node.Id, node.ReadOnly))],
        };
        return Failure.RefuseFor([.. Checks.ConfigurationDrift(nodes.Select(OnlyReadOnly)).Said()]) is { } refusal
                ? throw refusal
            : plan.Nodes.All(node => node.WasReadOnly == plan.IsReadOnly)
                ? plan with
                {
                    NothingToDo = true,
                    Summary = Checks.NothingToDo(
                        $"{state.Cluster} is {(plan.IsReadOnly ? "read-only" : "writable")} already"
                    ),
                }
            : plan;
    }

    private static NodeState OnlyReadOnly(NodeState node) =>
        node with
        {
            Drift = [.. node.Drift.Where(drift => drift.Name == "default_transaction_read_only")],
        };
}

/// <summary>A node whose settings are changed.</summary>
/// <param name="Id">The node.</param>
/// <param name="WasReadOnly">What they said before.</param>
internal sealed record ConfiguredNode(NodeId Id, bool WasReadOnly);

using Temporalio.Workflows;

namespace PgFlow.Workflows;

/// <summary>What Failover takes.</summary>
public sealed record FailoverInput : ProcedureInput
{
    /// <summary>The node that becomes the primary; the one that has got furthest where none is named.</summary>
    public NodeName? To { get; init; }

    /// <summary>Fail over although the primary is healthy.</summary>
    public bool Force { get; init; }
}

/// <summary>Makes a standby the primary after the primary was lost.</summary>
[Workflow]
public sealed class Failover : Procedure<FailoverInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(FailoverInput? input = null) => RunAsync(input, FailoverPlan.From, async plan =>
    {
        // Fence first: with the network cut first, standbys would wait a minute for a sender that is gone.
        await VitalStep($"{plan.LostNames} fenced: writes nothing, can't come back as a primary; standbys leave the endpoint",
            () => Workflow.WhenAllAsync([.. plan.Lost.Select(lost => Nodes.FenceAsync(lost.Node)), .. plan.Survivors.Select(Endpoints.LeaveAsync)]),
            undo: async () =>
            {
                await InParallel(plan.Lost, lost => Nodes.UnfenceAsync(lost.Node, lost.WasRunning));
                await InParallel(plan.Lost.Where(lost => lost.HeldEndpoint), lost => Endpoints.MoveAsync(lost.Node));
                await InParallel(plan.Survivors, Endpoints.OfferReadOnlyAsync);
            });
        var leftAt = Now;
        var winner = plan.Survivors.Count == 1 ? plan.Likely : plan.Winner(await VitalStep("The standbys' WAL compared", () => Nodes.CompareAsync(plan.Survivors)));
        var followers = plan.Survivors.Where(node => node != winner.Node).ToList();

        await Step("The winner has the settings of a primary and the virtual IP",
            () => Workflow.WhenAllAsync(
                plan.Intent.Synchronous ? Nodes.ConfigureAsync(plan.Intent.Primary(winner.Node, followers)) : Task.CompletedTask,
                Endpoints.MoveAsync(winner.Node)),
            undo: () => Endpoints.LeaveAsync(winner.Node));

        PointOfNoReturn();
        var openedAt = Now;
        var promotion = await VitalStep("The winner is promoted", () => Nodes.PromoteAsync(winner.Node, winner.Timeline));
        await VitalStep("A commit through the endpoint arrives on it", () => Endpoints.ProveAsync(winner.Node));
        await OpenedAsync(promotion, leftAt, openedAt);

        await Step("It has slots and settings of a primary", async () =>
        {
            await Nodes.SetSlotsAsync(winner.Node, [.. plan.AllNodes.Where(node => node != winner.Node).Select(node => node.Name)]);
            await Nodes.ConfigureAsync(plan.Intent.Primary(winner.Node, followers));
        });
        await Step("Complete segments that the archive lacks are in it", () => Archives.CompleteAsync(winner.Node));
        await Step("Checkpoint, so that pg_rewind sees the new timeline", () => Nodes.CheckpointAsync(winner.Node));
        await InParallel(followers, node => Step($"{node} follows {winner.Node}", () => Follow.Async(node, winner.Node, plan.Intent)));
        await InParallel(plan.Lost, lost => Step($"What {lost.Node} had and {winner.Node} has not", async () =>
        {
            Notes.Add(await Archives.MeasureLossAsync(lost.Node, promotion!) switch
            {
                null => $"{lost.Node} had written more than {winner.Node} ever received; how much can't be told, since it had removed the beginning of it",
                { Bytes: 0 } => $"nothing was lost: {winner.Node} had all of {lost.Node}'s WAL",
                var loss => $"{lost.Node} had written {PgFlowText.Bytes(loss.Bytes)} with {PgFlowText.Count(loss.Transactions, "commit")} that {winner.Node} never received; they are in {lost.Node}'s volume until it is rewound",
            });
        }));
        Done = $"{winner.Node} is the primary of {winner.Node.Cluster}";
        if (promotion is not null)
        {
            Notes.AddRange(plan.Lost.Select(lost => $"{lost.Node} is fenced; bring it back with: pgflow failback {lost.Node.Cluster} {lost.Node}"));
        }
    });
}

/// <summary>Who is lost and who may take over.</summary>
internal sealed record FailoverPlan : Plan
{
    public required IReadOnlyList<LostNode> Lost { get; init; }

    public required IReadOnlyList<NodeId> Survivors { get; init; }

    public required IReadOnlyList<NodeId> AllNodes { get; init; }

    public required NodeId? Asked { get; init; }

    /// <summary>Who would win by what was observed.</summary>
    public required Candidate Likely { get; init; }

    public required ClusterIntent Intent { get; init; }

    internal string LostNames => Lost.Count == 0 ? "No node needs to be" : string.Join(", ", Lost.Select(lost => lost.Node));

    /// <summary>Decides, or refuses with all that stands against it.</summary>
    public static FailoverPlan From(FailoverInput input, ClusterState state)
    {
        state.RequireExisting();
        var asked = input.To is { } to ? state.RequireNode(to) : null;
        if (asked is { Role: NodeRole.Primary })
        {
            throw Ends.Refuse($"{asked.Id} is the primary already");
        }

        var survivors = state.Standbys;
        var lost = state.Nodes.Where(node => MayBePrimary(node, state)).ToList();
        var likely = asked ?? survivors.OrderByDescending(node => node.Timeline).ThenByDescending(node => node.Wal).FirstOrDefault();
        string[] against =
        [
            .. asked is { Role: not NodeRole.Standby } ? [$"{asked.Id} is no running standby ({Checks.Describe(asked)})"] : Array.Empty<string>(),
            .. survivors.Count == 0 ? [$"no standby answers: {string.Join("; ", state.Nodes.Select(node => $"{node.Id} is {Checks.Describe(node)}"))}"] : Array.Empty<string>(),
            .. input.Force ? [] : state.Primaries.Select(node => $"{node.Id} is healthy and accepts writes: change the primary with pgflow switchover {state.Cluster}, or fence it all the same with --force"),
            .. survivors.Where(node => node.ReplayPaused).Select(node => $"replay is paused on {node.Id}: its promotion would hang; resume it with: SELECT pg_wal_replay_resume()"),
            .. Checks.DriftOf(survivors).Said(),
        ];
        if (Ends.RefuseFor(against) is { } refusal)
        {
            throw refusal;
        }

        var hung = state.Nodes.Except(survivors).Except(lost).ToList();
        return new()
        {
            Summary = $"{likely!.Id} becomes the primary of {state.Cluster}; {(lost.Count == 0 ? "no node needs to be fenced" : $"{Checks.Names(lost)} fenced")}",
            Facts = [$"lost: {string.Join("; ", lost.Select(node => $"{node.Id}, {Checks.Describe(node)}"))}", $"standbys that answer: {Checks.Names(survivors)}"],
            Warnings =
            [
                .. state.Primaries.Select(node => $"{node.Id} is healthy: what it commits until it is fenced may be lost"),
                .. hung.Select(node => $"{node.Id} does not take part ({Checks.Describe(node)}); afterwards: pgflow failback {state.Cluster} {node.Id}"),
            ],
            Lost = [.. lost.Select(node => new LostNode(node.Id, node.Container is "running", node.Endpoint is EndpointRole.ReadWrite))],
            Survivors = [.. survivors.Select(node => node.Id)],
            AllNodes = [.. state.Nodes.Select(node => node.Id)],
            Asked = asked?.Id,
            Likely = new(likely.Id, likely.Timeline!.Value, likely.Wal ?? default, likely.ReplayPaused),
            Intent = ClusterIntent.Of(state),
        };
    }

    /// <summary>The survivor that has got furthest; the one asked for only if it has lost nothing against the others.</summary>
    internal Candidate Winner(IReadOnlyList<Candidate>? compared)
    {
        if (compared is null)
        {
            return Likely; // a dry run
        }

        var best = compared.OrderByDescending(node => node.Timeline).ThenByDescending(node => node.Received).ThenBy(node => node.Node.Name).FirstOrDefault()
            ?? throw Ends.Refuse("no standby answers any more");
        if (Asked is not { } asked)
        {
            return best;
        }

        var wanted = compared.FirstOrDefault(node => node.Node == asked) ?? throw Ends.Refuse($"{asked} does not answer any more");
        return wanted.Timeline == best.Timeline && wanted.Received == best.Received
            ? wanted
            : throw Ends.Refuse($"{best.Node} has {PgFlowText.Bytes(best.Received.BytesSince(wanted.Received))} more than {asked}; without a named node it is taken");
    }

    /// <summary>A node that is not proven to be a standby may still be, or come back as, a primary.</summary>
    private static bool MayBePrimary(NodeState node, ClusterState state) => node.Role switch
    {
        NodeRole.Primary => true,
        NodeRole.Standby => false,
        NodeRole.Stopped => node.StandbySignal is not true || node.Endpoint is EndpointRole.ReadWrite,
        _ => node.Endpoint is EndpointRole.ReadWrite || node.StandbySignal is not true,
    };
}

/// <summary>A node that must be fenced.</summary>
/// <param name="Node">The node.</param>
/// <param name="WasRunning">Whether its container ran.</param>
/// <param name="HeldEndpoint">Whether it held the virtual IP.</param>
internal sealed record LostNode(NodeId Node, bool WasRunning, bool HeldEndpoint);

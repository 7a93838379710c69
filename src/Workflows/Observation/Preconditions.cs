namespace PgFlow.Workflows.Observation;

/// <summary>What more than one procedure demands of a cluster before it begins; else it is refused.</summary>
internal static class Preconditions
{
    public static ClusterState RequireExisting(this ClusterState state) =>
        state.Exists ? state
        : state.Resources.Where(resource => resource.State is ResourceState.Labelled).ToList() is [_, ..] left
            ? throw Failure.Refuse(
                $"no node of {state.Cluster} is left, but {string.Join(", ", left)}",
                Hint.Destroy(state.Cluster)
            )
        : throw Failure.Refuse(
            $"there is no cluster {state.Cluster}",
            Hint.Run("make it", nameof(InitCluster), state.Cluster)
        );

    /// <summary>Nothing is there under the names and labels of a cluster that is to be made: it would be taken over,
    /// and an undo could not tell it apart.</summary>
    public static void RequireVacant(this ClusterState state)
    {
        var there = state.Resources.Where(resource => resource.State is not ResourceState.Missing).ToList();
        if (there.Count == 0 && !state.Exists)
        {
            return;
        }

        var foreign = there.Where(resource => resource.State is ResourceState.Foreign).ToList();
        throw Failure.Refuse(
            $"something of {state.Cluster} is there already: {string.Join(", ", there)}; nothing was touched",
            [
                .. state.Exists && foreign.Count == 0
                    ? [Hint.Run("run the cluster again from it", nameof(RepairCluster), state.Cluster)]
                    : Array.Empty<Hint>(),
                .. there.Count > foreign.Count ? [Hint.Destroy(state.Cluster)] : Array.Empty<Hint>(),
                .. foreign.Count > 0
                    ? [new($"remove or rename what is not PgFlow's ({string.Join(", ", foreign)})")]
                    : Array.Empty<Hint>(),
                new("choose another name"),
            ]
        );
    }

    public static NodeState RequireNode(this ClusterState state, NodeName name) =>
        state.Find(name) switch
        {
            { Role: NodeRole.Missing } node => throw Failure.Refuse(
                $"{node.Id} is {Checks.Describe(node)}",
                Hint.Repair(state.Cluster)
            ),
            { } node => node,
            null => throw Failure.Refuse($"{state.Cluster} has no node {name}; it has {Checks.Names(state.Nodes)}"),
        };

    /// <summary>The one node that accepts writes.</summary>
    public static NodeState RequirePrimary(this ClusterState state) =>
        state.Primaries switch
        {
            [var primary] => primary,
            [] => throw Failure.Refuse($"no node of {state.Cluster} accepts writes", Hint.Failover(state.Cluster)),
            _ => throw Failure.Refuse(
                $"{Checks.Names(state.Primaries)} both accept writes",
                Hint.Rejoin(state.Cluster)
            ),
        };

    /// <summary>The primary that <paramref name="node"/> is to follow. Two writable nodes are what a person may ask to
    /// end: the one named is the wrong one.</summary>
    public static NodeState RequirePrimaryBeside(this ClusterState state, NodeState? node) =>
        state.Primaries.Count > 1 && node is { Role: NodeRole.Primary }
            ? (state with { Nodes = [.. state.Nodes.Where(other => other != node)] }).RequirePrimary()
            : state.RequirePrimary();

    /// <summary>Data directories can be copied whole, and no replay can overwrite what lies outside of them.</summary>
    public static ClusterState RequireNoTablespaces(this ClusterState state) =>
        Checks.TablespacesOf(state) is { } why ? throw Failure.Refuse(why) : state;

    /// <summary>Refuses what can't be proven because another file than PgFlow's decides who confirms.</summary>
    public static NodeState RequireOwnConfirmations(this NodeState primary) =>
        Failure.RefuseFor([.. Checks.ConfirmationDrift(primary).Said()]) is { } refusal ? throw refusal : primary;
}

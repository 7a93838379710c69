using Temporalio.Workflows;

namespace PgFlow.Workflows;

/// <summary>What InspectCluster takes.</summary>
public sealed record InspectClusterInput : ProcedureInput;

/// <summary>Looks at a cluster and says what is wrong with it. Takes no lease and changes nothing.</summary>
[Workflow]
public sealed class InspectCluster : Procedure
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public async Task<Inspection> RunAsync(InspectClusterInput? input = null)
    {
        var state = await Clusters.ObserveAsync(BeginLook(input ?? new()));
        Show(state.Exists ? Outcome.Succeeded : Outcome.Refused);
        return Inspection.Of(state.RequireExisting());
    }
}

/// <summary>A cluster and what is wrong with it.</summary>
/// <param name="Healthy">Nothing is wrong.</param>
/// <param name="Findings">What is wrong, each with the mend.</param>
/// <param name="State">The cluster.</param>
public sealed record Inspection(bool Healthy, IReadOnlyList<string> Findings, ClusterState State)
{
    /// <summary>Judges what was observed.</summary>
    public static Inspection Of(ClusterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        string[] findings = [.. FindingsOf(state)];
        return new(findings.Length == 0, findings, state);
    }

    private static IEnumerable<string> FindingsOf(ClusterState state)
    {
        if (state.Primaries is not [var primary])
        {
            yield return state.Primaries.Count == 0
                ? $"no node accepts writes; make one the primary: pgflow failover {state.Cluster}"
                : $"SPLIT BRAIN: {Checks.Names(state.Primaries)} all accept writes, the virtual IP is on {Holder(state)}; fence the wrong one: pgflow failback {state.Cluster} NODE";
            foreach (var node in state.Nodes.Where(node => node.Role is NodeRole.Stopped or NodeRole.Silent))
            {
                yield return $"{node.Id} is {Checks.Describe(node)}";
            }
        }
        else
        {
            if (state.EndpointHolder?.Id != primary.Id)
            {
                yield return $"the virtual IP is on {Holder(state)}, not on the primary {primary.Id}";
            }

            foreach (var node in state.Nodes.Where(node => node != primary))
            {
                var missing = Checks.ReasonsToLeaveOut(node, primary).ToList();
                foreach (var reason in Checks.ReasonsAgainst(node, primary))
                {
                    yield return missing.Contains(reason) ? $"{reason}; bring it back: pgflow failback {state.Cluster} {node.Id}" : reason;
                }
            }
        }

        foreach (var (node, slot) in state.Primaries.SelectMany(node => node.Slots.Where(slot => slot.Status is "lost" or "unreserved").Select(slot => (node, slot))))
        {
            yield return $"slot {slot.Name} on {node.Id} is {slot.Status}: its standby needs the archive or a remake";
        }

        foreach (var node in state.Primaries.Where(node => node.Archiver is { LastFailed: not null }))
        {
            yield return $"{node.Id} can't archive {node.Archiver!.LastFailed}; see its log: docker logs {node.Id.Container}";
        }

        foreach (var drift in Checks.DriftOf(state.Nodes))
        {
            yield return drift;
        }
    }

    private static string Holder(ClusterState state) => state.EndpointHolder?.Id.ToString() ?? "no node";
}

using Temporalio.Exceptions;
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
        var cluster = BeginLook(input ?? new());
        var (looking, reading) = (Clusters.ObserveAsync(cluster), ReadArchiveAsync(cluster));
        var (state, archive) = (await looking, await reading);
        Show(state.Exists ? Outcome.Succeeded : Outcome.Refused);
        return Inspection.Of(state.RequireExisting(), archive);
    }

    /// <summary>A repository that can't be read keeps nobody from seeing the nodes.</summary>
    private static async Task<ArchiveState> ReadArchiveAsync(ClusterName cluster)
    {
        try
        {
            return await Catalogues.InspectAsync(cluster);
        }
        catch (ActivityFailureException e)
        {
            return new() { Unreadable = Ends.Why(e) };
        }
    }
}

/// <summary>A cluster and what is wrong with it.</summary>
/// <param name="Healthy">Nothing is wrong.</param>
/// <param name="Findings">What is wrong, each with the mend.</param>
/// <param name="State">The cluster.</param>
/// <param name="Archive">What its repository has for a recovery.</param>
public sealed record Inspection(bool Healthy, IReadOnlyList<string> Findings, ClusterState State, ArchiveState? Archive = null)
{
    /// <summary>How long a segment may wait for the archiver.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Judges what was observed.</summary>
    public static Inspection Of(ClusterState state, ArchiveState archive)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(archive);
        string[] findings = [.. FindingsOf(state), .. state.Primaries.SelectMany(ArchiverFindingsOf), .. FindingsOf(archive, state.Cluster)];
        return new(findings.Length == 0, findings, state, archive);
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

        if (Checks.TablespacesOf(state) is { } tablespaces)
        {
            yield return tablespaces;
        }

        foreach (var drift in Checks.DriftOf(state.Nodes))
        {
            yield return drift;
        }
    }

    private static IEnumerable<string> ArchiverFindingsOf(NodeState node) => node.Archiver switch
    {
        { LastFailed: { } failed } archiver => [$"{node.Id} can't archive {failed} ({PgFlowText.Count(archiver.Failures, "failed attempt")}; {PgFlowText.Waiting(archiver)}); see its log: docker logs {node.Id.Container}"],
        { } archiver when archiver.WaitingSeconds > Patience.TotalSeconds => [$"{node.Id}'s archiver lags: {PgFlowText.Waiting(archiver)}; see its log: docker logs {node.Id.Container}"],
        _ => [],
    };

    private static IEnumerable<string> FindingsOf(ArchiveState archive, ClusterName cluster)
    {
        if (archive.Unreadable is { } why)
        {
            yield return $"the repository can't be read: {why}";
        }
        else if (archive.Backup is not { } backup)
        {
            yield return archive.Live is { } live
                ? $"no backup leads to timeline {live}, the live one: it can't be recovered; take one: pgflow backup {cluster}"
                : $"which timeline is live is in no ledger, so nobody knows whether it can be recovered; look with: pgflow timeline {cluster} --check";
        }
        else if (archive.Missing is { } segment)
        {
            yield return $"WAL is missing: {segment}, and with it what follows the last backup {backup.Id}; take another: pgflow backup {cluster}";
        }
    }

    private static string Holder(ClusterState state) => state.EndpointHolder?.Id.ToString() ?? "no node";
}

using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What DestroyCluster takes.</summary>
public sealed record DestroyClusterInput : ProcedureInput
{
    /// <summary>It waits for approval unless its input says otherwise: nothing brings a cluster back.</summary>
    public DestroyClusterInput() => Approve = true;
}

/// <summary>Removes a cluster with its data, its archive and its ledger. Nothing brings it back.</summary>
[Workflow]
public sealed class DestroyCluster : Procedure<DestroyClusterInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(DestroyClusterInput? input = null) =>
        RunAsync(
            input,
            DestroyClusterPlan.From,
            async plan =>
            {
                await Step("end-backup", "No backup is under way", () => Leases.EndBackupAsync(plan.Cluster));

                PointOfNoReturn();
                await Step(
                    "remove",
                    "Containers, volumes, networks, secrets are gone",
                    () => Clusters.RemoveAsync(plan.Cluster, plan.Nodes)
                );
                await Step(
                    "end-schedules",
                    "Nothing starts by itself or waits for it any more",
                    async () => Notes.AddRange(await Leases.EndSchedulesAsync(plan.Cluster))
                );
                Conclude(
                    plan.Nodes.Count > 0
                        ? $"cluster {plan.Cluster} is gone with its data, its archive and its ledger"
                        : $"there was no node of {plan.Cluster}; nothing is left of it",
                    plan.Foreign.Select(resource => $"{resource} stays: it is not PgFlow's")
                );
            }
        );
}

/// <summary>What is removed.</summary>
internal sealed record DestroyClusterPlan : Plan
{
    public required ClusterName Cluster { get; init; }

    public required IReadOnlyList<NodeId> Nodes { get; init; }

    /// <summary>What is removed besides.</summary>
    public required IReadOnlyList<Resource> Left { get; init; }

    /// <summary>What has one of its names and does not carry its label: it stays.</summary>
    public required IReadOnlyList<Resource> Foreign { get; init; }

    internal override object Decision =>
        new
        {
            Cluster,
            Nodes,
            Left,
            Foreign,
        };

    /// <summary>Decides. What is left of a cluster whose making failed is removed too, so an empty observation is no
    /// reason to stop.</summary>
    public static DestroyClusterPlan From(DestroyClusterInput input, ClusterState state)
    {
        if (
            state.Resources.Where(resource => resource is { State: ResourceState.Foreign, Uses: not null }).ToList() is
            { Count: > 0 } users
        )
        {
            throw Failure.Refuse(
                $"{string.Join(", ", users.Select(user => $"{user} uses volume {user.Uses}"))}: remove it "
                    + "first; nothing was removed"
            );
        }

        var foreign = state.Resources.Where(resource => resource.State is ResourceState.Foreign).ToList();
        var left = state.Resources.Where(resource => resource.State is ResourceState.Labelled).ToList();
        return new()
        {
            Summary = $"cluster {input.Cluster} is removed with its data, its archive and its ledger",
            Facts =
            [
                state.Exists
                    ? $"nodes: {string.Join(", ", state.Nodes.Select(node => $"{node.Id} ({Checks.Describe(node)})"))}"
                    : "no node is there",
                .. left.Count > 0 ? [$"removed: {string.Join(", ", left)}"] : Array.Empty<string>(),
            ],
            Warnings =
            [
                new(FindingCode.Irreversible),
                .. foreign.Select(resource => new Finding(FindingCode.ForeignStays, Detail: resource.ToString())),
            ],
            Cluster = input.Cluster,
            Nodes = [.. state.Nodes.Select(node => node.Id)],
            Left = left,
            Foreign = foreign,
        };
    }
}

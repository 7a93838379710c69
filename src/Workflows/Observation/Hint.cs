using System.Text.Json;
using System.Text.Json.Nodes;

namespace PgFlow.Workflows.Observation;

/// <summary>What to do: start a procedure, act on one that runs, or a person's own work. Whoever shows it makes a
/// command or an input of it.</summary>
/// <param name="Text">What for, or the advice where that is all.</param>
/// <param name="Procedure">The workflow type to start with <paramref name="Input"/>.</param>
/// <param name="Input">What the procedure takes, or the argument of <paramref name="Action"/>; null stands where the
/// reader chooses.</param>
/// <param name="WorkflowId">The workflow that <paramref name="Action"/> is about.</param>
/// <param name="Action">What to do with a procedure that runs.</param>
public sealed record Hint(
    string Text,
    string? Procedure = null,
    JsonObject? Input = null,
    string? WorkflowId = null,
    WorkflowAction? Action = null
)
{
    /// <summary>A procedure with what of <paramref name="input"/> is not as it is by itself; whoever starts it is
    /// another person, perhaps, who decides anew why and how.</summary>
    internal static Hint Start(string text, ProcedureInput input)
    {
        var type = input.GetType();
        var given = Fields(input);
        foreach (var field in (string[])["by", "reason", "dryRun", "approve", "approveWithinSeconds"])
        {
            given.Remove(field);
        }

        foreach (var (field, value) in Fields((ProcedureInput)Activator.CreateInstance(type)!))
        {
            if (JsonNode.DeepEquals(given[field], value))
            {
                given.Remove(field);
            }
        }

        return new(text, ProcedureList.All.First(entry => entry.Input == type).Name, given);

        JsonObject Fields(ProcedureInput of) =>
            JsonSerializer.SerializeToNode(of, type, PgFlowJson.Options)!.AsObject();
    }

    /// <summary>What a person does with a procedure that runs.</summary>
    internal static Hint On(string text, string workflowId, WorkflowAction action, JsonObject? argument = null) =>
        new(text, Input: argument, WorkflowId: workflowId, Action: action);

    /// <summary>A person's decision on a blocked step, or on the only one.</summary>
    internal static Hint Resolve(string text, string workflowId, ResolveAction action, int? step = null)
    {
        var argument = new JsonObject { ["action"] = PgFlowText.Word(action) };
        if (step is not null)
        {
            argument["step"] = step;
        }

        return On(text, workflowId, WorkflowAction.Resolve, argument);
    }

    /// <summary>What a cluster is now.</summary>
    internal static Hint Look(ClusterName cluster) => Run("look at the cluster", nameof(InspectCluster), cluster);

    /// <summary>A procedure for a cluster, or for one of its nodes, which the input has as
    /// <paramref name="field"/>.</summary>
    public static Hint Run(
        string text,
        string procedure,
        ClusterName cluster,
        NodeName? node = null,
        string field = "node"
    )
    {
        var input = new JsonObject { ["cluster"] = cluster.ToString() };
        if (node is { } name)
        {
            input[field] = name.ToString();
        }

        return new(text, procedure, input);
    }

    /// <summary>Whatever can be put right without a decision.</summary>
    internal static Hint Repair(ClusterName cluster) => Run("put it right", nameof(RepairCluster), cluster);

    /// <summary>A standby takes over: whom a failover chooses, or <paramref name="to"/>.</summary>
    internal static Hint Failover(ClusterName cluster, NodeName? to = null) =>
        Run("make a node the primary", nameof(Failover), cluster, to, "to");

    /// <summary>The primary's role is given to another node.</summary>
    internal static Hint Switchover(ClusterName cluster) =>
        Run("make another node the primary", nameof(Switchover), cluster);

    /// <summary>Failback of a node; whoever reads it chooses the node where none is given.</summary>
    internal static Hint Rejoin(ClusterName cluster, NodeName? node = null) =>
        node is null
            ? new("fence the wrong one", nameof(Failback), new() { ["cluster"] = cluster.ToString(), ["node"] = null })
            : Run("bring it back", nameof(Failback), cluster, node);

    /// <summary>Commits wait for so many standbys.</summary>
    internal static Hint Synchronous(string text, ClusterName cluster, int quorum) =>
        Start(text, new SetSynchronousReplicationInput { Cluster = cluster, Quorum = quorum });

    /// <summary>Its name is free afterwards.</summary>
    internal static Hint Destroy(ClusterName cluster) =>
        Run("remove the cluster with its data", nameof(DestroyCluster), cluster);

    /// <summary>A standby begins anew.</summary>
    internal static Hint Remake(NodeId node) =>
        Run("give it a fresh copy of the primary", nameof(RemakeStandby), node.Cluster, node.Name);

    /// <summary>What is there of a node goes, and the cluster does not miss it.</summary>
    internal static Hint RemoveNode(NodeId node) =>
        Run("remove what is left of it", nameof(Procedures.RemoveNode), node.Cluster, node.Name);

    /// <summary>What brings a node back that takes no part.</summary>
    internal static Hint Afterwards(NodeState node) =>
        node.Role is NodeRole.Missing
            ? Run("afterwards", nameof(RepairCluster), node.Id.Cluster)
            : Run("afterwards", nameof(Failback), node.Id.Cluster, node.Id.Name);
}

/// <summary>What can be done with a procedure that runs.</summary>
public enum WorkflowAction
{
    /// <summary>See where it is.</summary>
    Show,

    /// <summary>Follow it to its end.</summary>
    Watch,

    /// <summary>Temporal's cancellation.</summary>
    Cancel,

    /// <summary>The update <c>approve</c>.</summary>
    Approve,

    /// <summary>The update <c>reject</c>.</summary>
    Reject,

    /// <summary>The update <c>resolve</c>; the hint's input is its argument.</summary>
    Resolve,

    /// <summary>The update <c>interrupt</c>.</summary>
    Interrupt,
}

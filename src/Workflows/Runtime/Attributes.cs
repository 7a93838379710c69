using Temporalio.Api.Enums.V1;
using Temporalio.Common;

namespace PgFlow.Workflows.Runtime;

/// <summary>The search attributes by which procedures are found; the worker registers them before it polls.</summary>
public static class Attributes
{
    private const int MostOfReason = 250;

    /// <summary>The cluster's name.</summary>
    public static SearchAttributeKey<string> Cluster { get; } = SearchAttributeKey.CreateKeyword("PgFlowCluster");

    /// <summary>The procedure's name.</summary>
    public static SearchAttributeKey<string> Procedure { get; } = SearchAttributeKey.CreateKeyword("PgFlowProcedure");

    /// <summary>A <see cref="ProcedureStatus"/>.</summary>
    public static SearchAttributeKey<string> Outcome { get; } = SearchAttributeKey.CreateKeyword("PgFlowOutcome");

    /// <summary>The primary after the procedure.</summary>
    public static SearchAttributeKey<string> Primary { get; } = SearchAttributeKey.CreateKeyword("PgFlowPrimary");

    /// <summary>The timeline after the procedure.</summary>
    public static SearchAttributeKey<long> Timeline { get; } = SearchAttributeKey.CreateLong("PgFlowTimeline");

    /// <summary>Who asked for it.</summary>
    public static SearchAttributeKey<string> RequestedBy { get; } =
        SearchAttributeKey.CreateKeyword("PgFlowRequestedBy");

    /// <summary>Why, in their words; the beginning of it.</summary>
    public static SearchAttributeKey<string> Reason { get; } = SearchAttributeKey.CreateKeyword("PgFlowReason");

    /// <summary>All of them, with the types to register them by.</summary>
    public static IReadOnlyDictionary<string, IndexedValueType> All { get; } =
        new SearchAttributeKey[] { Cluster, Procedure, Outcome, Primary, Timeline, RequestedBy, Reason }.ToDictionary(
            key => key.Name,
            key => key.ValueType
        );

    /// <summary>As much of a reason as every database behind Temporal takes.</summary>
    internal static string Beginning(string? reason) =>
        reason is null ? ""
        : reason.Length <= MostOfReason ? reason
        : reason[..MostOfReason];
}

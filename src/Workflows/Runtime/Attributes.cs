using Temporalio.Api.Enums.V1;
using Temporalio.Common;

namespace PgFlow.Workflows.Runtime;

/// <summary>The search attributes by which procedures are found; the worker registers them before it polls.</summary>
public static class Attributes
{
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

    /// <summary>All of them, with the types to register them by.</summary>
    public static IReadOnlyDictionary<string, IndexedValueType> All { get; } =
        new SearchAttributeKey[] { Cluster, Procedure, Outcome, Primary, Timeline, RequestedBy }.ToDictionary(
            key => key.Name,
            key => key.ValueType
        );
}

namespace PgFlow.Activities.Inspection;

/// <summary>Something that a worker depends on, looked at for <c>pgflow doctor</c>; a new one is a file and a row in
/// <see cref="PgFlowActivities"/>.</summary>
internal interface IWorkerCheck
{
    /// <summary>In a word or two.</summary>
    string What { get; }

    /// <summary>Looks, and says at least one thing.</summary>
    Task<IReadOnlyList<CheckResult>> RunAsync(InspectedHost host);
}

/// <summary>Where a worker works.</summary>
/// <param name="At">When it took the task, by its own clock.</param>
/// <param name="Nodes">The nodes that its Docker has, of all clusters.</param>
internal sealed record InspectedHost(DateTimeOffset At, IReadOnlyList<NodeContainer> Nodes);

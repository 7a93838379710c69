namespace PgFlow.Workflows.Observation;

/// <summary>A part of a cluster outside PostgreSQL: what there is under one of its names or labels, and what should be
/// there.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name; the path of a secrets file.</param>
/// <param name="State">Whose it is.</param>
/// <param name="Uses">The cluster's volume that a foreign container has mounted under any name.</param>
public sealed record Resource(ResourceKind Kind, string Name, ResourceState State, string? Uses = null)
{
    /// <inheritdoc/>
    public override string ToString() => $"{PgFlowText.Word(Kind)} {Name}";
}

/// <summary>What a resource is.</summary>
public enum ResourceKind
{
    /// <summary>A container.</summary>
    Container,

    /// <summary>A volume.</summary>
    Volume,

    /// <summary>A network.</summary>
    Network,

    /// <summary>A file in the worker's secrets directory.</summary>
    Secrets,
}

/// <summary>Whose a resource is.</summary>
public enum ResourceState
{
    /// <summary>It carries the cluster's label.</summary>
    Labelled,

    /// <summary>It has one of the cluster's names, or uses one of its volumes, and does not carry its label: nobody but
    /// its owner touches it.</summary>
    Foreign,

    /// <summary>The cluster needs it, and it is not there.</summary>
    Missing,
}

namespace PgFlow.Workflows.Procedures;

/// <summary>Who is restarted first.</summary>
internal enum RestartOrder
{
    /// <summary>A reload is enough.</summary>
    None,

    /// <summary>The primary only when it has given its role away.</summary>
    StandbysFirst,

    /// <summary>The primary where it is: it is alone, or its standbys can't have less than it has.</summary>
    PrimaryFirst,
}

/// <summary>What a node is made from and set to.</summary>
internal sealed record NodeTarget(ClusterSpec Spec, IReadOnlyDictionary<string, string> Settings);

/// <summary>A node that is changed.</summary>
/// <param name="Id">The node.</param>
/// <param name="Before">For the way back.</param>
/// <param name="After">What it gets.</param>
/// <param name="Restarts">Whether it has to be restarted for it.</param>
internal sealed record NodeChange(NodeId Id, NodeTarget Before, NodeTarget After, bool Restarts)
{
    public override string ToString() => Id.ToString();
}

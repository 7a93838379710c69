using System.Text.Json.Serialization;

namespace PgFlow.Workflows;

/// <summary>What every procedure takes: one flat JSON object in which only <c>cluster</c> is required.</summary>
public abstract record ProcedureInput
{
    /// <summary>The cluster.</summary>
    public ClusterName Cluster { get; init; }

    /// <summary>Only say what would be done.</summary>
    public bool DryRun { get; init; }

    /// <summary>Wait for the update <c>approve</c> before anything is done.</summary>
    public bool Approve { get; init; }

    /// <summary>Why, for the record.</summary>
    public string? Reason { get; init; }

    /// <summary>Who asks; the CLI fills it in.</summary>
    public string? By { get; init; }

    /// <summary>What was wrong with the JSON; never part of it.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Unreadable { get; init; } = [];

    /// <summary>Everything that is wrong with this input, each with its field and the mend.</summary>
    public IReadOnlyList<string> Problems() => [.. Unreadable, .. MissingCluster(), .. Check()];

    /// <summary>What is wrong with values that can be read.</summary>
    protected virtual IEnumerable<string> Check() => [];

    private IEnumerable<string> MissingCluster() =>
        Cluster == default && !Unreadable.Any(problem => problem.StartsWith("cluster:", StringComparison.Ordinal)) ? ["cluster: is missing; give the cluster's name"] : [];
}

namespace PgFlow.Workflows.Values;

/// <summary>The types of a failed procedure. They are part of the contract: the CLI's exit codes and people's alarms
/// depend on them.</summary>
public static class FailureTypes
{
    /// <summary>The input is wrong; nothing was touched.</summary>
    public const string InvalidInput = nameof(InvalidInput);

    /// <summary>A safety check, or a person, said no; nothing was changed, or what was has been undone.</summary>
    public const string Refused = nameof(Refused);

    /// <summary>Another procedure holds the cluster's lease.</summary>
    public const string ClusterBusy = nameof(ClusterBusy);

    /// <summary>An activity's operation failed.</summary>
    internal const string Failed = nameof(Failed);

    /// <summary>An activity found what must never be.</summary>
    internal const string Broken = nameof(Broken);

    /// <summary>An activity asked for a change and its procedure does not hold the lease: it was reset, or somebody
    /// ended the lease.</summary>
    internal const string LeaseLost = nameof(LeaseLost);

    /// <summary>It failed and the cluster is as it was.</summary>
    public const string Unchanged = nameof(Unchanged);

    /// <summary>It passed the point of no return and a person ended it before all was done.</summary>
    public const string Incomplete = nameof(Incomplete);
}

using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>What the cluster's own settings are, and which image a node has.</summary>
public interface ISettingsActivities
{
    /// <summary>What a running node has of <paramref name="names"/>, of what waits for its restart, and of what every
    /// standby needs as much of as its primary has.</summary>
    [Activity]
    Task<NodeSetup> InspectSettingsAsync(NodeId node, IReadOnlyList<string> names);

    /// <summary>Post-condition: the node's file of the cluster's settings has these and no others; a node that runs has
    /// read it, and uses them, but for those that another file has, which goes before. Refuses what takes effect at a
    /// start only, where the node runs without.</summary>
    [Activity]
    Task WriteClusterSettingsAsync(NodeId node, IReadOnlyDictionary<string, string> settings);
}

/// <summary>How a node is set up.</summary>
/// <param name="Node">The node.</param>
/// <param name="Spec">What its container was made as, with the ID of its image.</param>
/// <param name="Settings">The cluster's settings as the node has them.</param>
/// <param name="Rows">What PostgreSQL says of those that were asked for.</param>
public sealed record NodeSetup(
    NodeId Node,
    ClusterSpec Spec,
    IReadOnlyDictionary<string, string> Settings,
    IReadOnlyList<Setting> Rows
)
{
    /// <summary>Its version of PostgreSQL, as 17.6.</summary>
    public string Version { get; init; } = "";

    /// <summary>The ID of the image that has its image's name now; null where none has.</summary>
    public string? NamedImage { get; init; }

    /// <summary>A setting that was asked for; null where the node has none of that name.</summary>
    internal Setting? Find(string name) =>
        Rows.FirstOrDefault(row => string.Equals(row.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the node has to be restarted to become that.</summary>
    internal bool RestartsFor(NodeTarget target) =>
        Spec.Postgres.ImageId != target.Spec.Postgres.ImageId
        || target.Settings.Any(setting =>
            Find(setting.Key) is { NeedsRestart: true } row
            && (!Settings.TryGetValue(setting.Key, out var own) || own != setting.Value)
            && !row.Has(setting.Value)
        )
        || Settings
            .Keys.Except(target.Settings.Keys)
            .Select(Find)
            .Any(row => row is { NeedsRestart: true, Unset: { } unset } && !row.Has(unset));
}

internal static class Settings
{
    public static Task<NodeSetup> InspectAsync(NodeId node, IReadOnlyList<string> names) =>
        ActivityCall.QueryAsync(
            (ISettingsActivities activities) => activities.InspectSettingsAsync(node, names),
            $"{node}: image and settings"
        );

    public static Task WriteAsync(NodeId node, IReadOnlyDictionary<string, string> settings) =>
        ActivityCall.ChangeAsync(
            (ISettingsActivities activities) => activities.WriteClusterSettingsAsync(node, settings),
            $"{node}: the cluster's settings"
        );
}

using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>Watches clusters.</summary>
public interface IWitnessActivities
{
    /// <summary>Looks at a cluster twice a second until there is a verdict that is news, or it is cancelled.</summary>
    /// <remarks>Changes nothing, and needs no lease.</remarks>
    /// <returns>That verdict; where it was cancelled, what the last look said.</returns>
    [Activity]
    Task<WitnessVerdict> WatchClusterAsync(ClusterName cluster, WitnessVerdict? known, PrimarySeen? seen);
}

internal static class Witness
{
    /// <inheritdoc cref="IWitnessActivities.WatchClusterAsync"/>
    public static Task<WitnessVerdict> WatchAsync(
        ClusterName cluster,
        WitnessVerdict? known,
        PrimarySeen? seen,
        CancellationToken until
    ) =>
        ActivityCall.WatchAsync(
            (IWitnessActivities activities) => activities.WatchClusterAsync(cluster, known, seen),
            $"Watch {cluster}",
            until
        );
}

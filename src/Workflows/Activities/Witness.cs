using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>Watches clusters.</summary>
public interface IWitnessActivities
{
    /// <summary>Looks at a cluster twice a second until there is a verdict that is news, or it is cancelled.</summary>
    /// <remarks>Changes nothing, and needs no lease.</remarks>
    /// <returns>That verdict; where it was cancelled, what the last look said.</returns>
    [Activity]
    Task<WitnessVerdict> WatchClusterAsync(
        ClusterName cluster,
        WitnessVerdict? known,
        PrimarySeen? seen,
        WantedNews? wanted
    );
}

/// <summary>What is news to a witness although the verdict is known.</summary>
/// <param name="StalledFor">That commits have waited for so long; null where that changes nothing.</param>
/// <param name="Confirmations">That so many standbys stream again; null where none are waited for.</param>
public sealed record WantedNews(TimeSpan? StalledFor, int? Confirmations);

internal static class Witness
{
    /// <inheritdoc cref="IWitnessActivities.WatchClusterAsync"/>
    public static Task<WitnessVerdict> WatchAsync(
        ClusterName cluster,
        WitnessVerdict? known,
        PrimarySeen? seen,
        WantedNews wanted,
        CancellationToken until
    ) =>
        ActivityCall.WatchAsync(
            (IWitnessActivities activities) => activities.WatchClusterAsync(cluster, known, seen, wanted),
            $"Watch {cluster}",
            until
        );
}

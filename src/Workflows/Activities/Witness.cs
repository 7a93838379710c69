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

    /// <summary>Inspects a cluster twice a minute, and its repository every ten, until something else is wrong with it
    /// than what is known. Not while a procedure holds it, nor where its primary is what is wrong.</summary>
    /// <remarks>Changes nothing, and needs no lease.</remarks>
    /// <returns>All that is wrong.</returns>
    [Activity]
    Task<IReadOnlyList<Finding>> WatchFindingsAsync(
        ClusterName cluster,
        IReadOnlyList<Finding> known,
        TimeSpan verifiedWithin
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

    /// <inheritdoc cref="IWitnessActivities.WatchFindingsAsync"/>
    public static Task<IReadOnlyList<Finding>> WatchFindingsAsync(
        ClusterName cluster,
        IReadOnlyList<Finding> known,
        TimeSpan verifiedWithin,
        CancellationToken until
    ) =>
        ActivityCall.WatchAsync(
            (IWitnessActivities activities) => activities.WatchFindingsAsync(cluster, known, verifiedWithin),
            $"Inspect {cluster} again and again",
            until
        );
}

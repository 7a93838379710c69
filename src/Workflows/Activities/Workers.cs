using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>Says what workers depend on where they work.</summary>
public interface IWorkerActivities
{
    /// <summary>Docker, the clock, secrets, images, logs and volumes as the worker has them that is asked. What can't
    /// be looked at is part of the answer.</summary>
    /// <remarks>Changes nothing, and needs no lease.</remarks>
    [Activity]
    Task<WorkerInspection> InspectWorkerAsync();
}

/// <summary>A worker, and what was checked there.</summary>
/// <param name="Worker">What it calls itself.</param>
/// <param name="Results">What was checked.</param>
public sealed record WorkerInspection(string Worker, IReadOnlyList<CheckResult> Results);

/// <summary>One thing that must be so.</summary>
/// <param name="What">The thing.</param>
/// <param name="Ok">Whether it is so.</param>
/// <param name="Found">What was found.</param>
/// <param name="Hint">What to do where it is not.</param>
public sealed record CheckResult(string What, bool Ok, string Found, Hint? Hint = null);

internal static class Workers
{
    /// <inheritdoc cref="IWorkerActivities.InspectWorkerAsync"/>
    public static Task<WorkerInspection> InspectAsync() =>
        ActivityCall.AskWorkerAsync(
            (IWorkerActivities activities) => activities.InspectWorkerAsync(),
            "What the worker depends on: Docker, clock, secrets, images, logs, volumes"
        );
}

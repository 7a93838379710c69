using Temporalio.Activities;

namespace PgFlow.Workflows.Activities;

/// <summary>Tells others where procedures are.</summary>
public interface INotificationActivities
{
    /// <summary>Who is told, as the worker that is asked is configured; nobody by default.</summary>
    [Activity]
    Task<IReadOnlyList<Receiver>> FindReceiversAsync();

    /// <summary>Post-condition: <paramref name="receiver"/> was given the notification, perhaps more than once; by a
    /// worker that has no such receiver any more it is not.</summary>
    [Activity]
    Task DeliverNotificationAsync(Notification notification, Receiver receiver);
}

/// <summary>How somebody is told.</summary>
public enum Receiver
{
    /// <summary>By a POST.</summary>
    Webhook,

    /// <summary>By a program that is run.</summary>
    Program,
}

/// <summary>Where a procedure is: it begins, waits for a person, or has ended.</summary>
public sealed record Notification
{
    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The cluster.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>The workflow type.</summary>
    public required string Procedure { get; init; }

    /// <summary>Its workflow.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>The run of that workflow.</summary>
    public required string RunId { get; init; }

    /// <summary>Where it is, or how it ended.</summary>
    public required ProcedureStatus Status { get; init; }

    /// <summary>The same in one sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>Who asked for it.</summary>
    public required string By { get; init; }

    /// <summary>Why, in their words.</summary>
    public string? Reason { get; init; }

    /// <summary>What is planned, in one sentence; null when it ended before there was a plan.</summary>
    public string? Plan { get; init; }

    /// <summary>Stands for that plan in an approval.</summary>
    public string? PlanHash { get; init; }

    /// <summary>What waits for a person's decision.</summary>
    public IReadOnlyList<BlockedStep> Blocked { get; init; } = [];

    /// <summary>What to do about its end.</summary>
    public IReadOnlyList<Hint> Hints { get; init; } = [];

    /// <summary>What a reader should know besides.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Where it is seen in the Web UI; null where the worker does not know that.</summary>
    public Uri? Link { get; init; }
}

/// <summary>Those who want to know.</summary>
internal static class Notifications
{
    /// <inheritdoc cref="INotificationActivities.FindReceiversAsync"/>
    public static Task<IReadOnlyList<Receiver>> ReceiversAsync() =>
        ActivityCall.QueryAsync(
            (INotificationActivities activities) => activities.FindReceiversAsync(),
            "Who is told of this?"
        );

    /// <inheritdoc cref="INotificationActivities.DeliverNotificationAsync"/>
    public static Task DeliverAsync(Notification notification, Receiver receiver) =>
        ActivityCall.DeliverAsync(
            (INotificationActivities activities) => activities.DeliverNotificationAsync(notification, receiver),
            $"To the {PgFlowText.Word(receiver)}: {notification.Procedure} {notification.Cluster} is "
                + PgFlowText.Word(notification.Status)
        );
}

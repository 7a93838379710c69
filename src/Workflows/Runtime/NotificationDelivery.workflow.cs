using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>Delivers a notification, for as long as that takes: a workflow of its own, so that a procedure neither
/// waits for a receiver nor ends before it was told.</summary>
[Workflow]
public sealed class NotificationDelivery
{
    /// <summary>A new workflow ID: a receiver knows the notification by it.</summary>
    internal static string NewId() => $"pgflow-notification-{Workflow.NewGuid()}";

    /// <summary>Delivers it to each receiver.</summary>
    [WorkflowRun]
    public Task RunAsync(Delivery delivery) =>
        Workflow.WhenAllAsync(
            delivery.Receivers.Select(receiver => Notifications.DeliverAsync(delivery.Notification, receiver))
        );
}

/// <summary>What is delivered to whom.</summary>
/// <param name="Notification">What.</param>
/// <param name="Receivers">To whom.</param>
public sealed record Delivery(Notification Notification, IReadOnlyList<Receiver> Receivers);

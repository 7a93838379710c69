using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>Delivers a notification, for as long as that takes: a workflow of its own, so that a procedure neither
/// waits for a receiver nor ends before it was told.</summary>
[Workflow]
public sealed class NotificationDelivery
{
    /// <summary>Begins a delivery for the workflow that asks. Nothing that goes wrong here is a failure of
    /// that.</summary>
    internal static async Task BeginAsync(Delivery delivery)
    {
        try
        {
            var news = delivery.Notification;
            await Workflow.StartChildWorkflowAsync(
                (NotificationDelivery workflow) => workflow.RunAsync(delivery),
                new()
                {
                    Id = $"pgflow-notification-{Workflow.NewGuid()}", // a receiver knows the notification by it
                    StaticSummary = $"{news.Procedure} {news.Cluster}: {PgFlowText.Word(news.Status)}",
                    ParentClosePolicy = ParentClosePolicy.Abandon,
                    CancellationToken = CancellationToken.None, // that it was cancelled is told too
                }
            );
        }
        catch (FailureException e)
        {
            ProcedureLog.NotNotified(e);
        }
    }

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

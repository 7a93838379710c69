using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <content>Others are told where it is; it waits for none of them.</content>
public abstract partial class Procedure<TInput>
{
    private readonly List<Task> _notifying = [];

    private protected override void Notify() => Notify(Progress.Summary);

    /// <summary>Tells the end, and waits until Temporal knows of all that is to be told: a child that would begin with
    /// the workflow's end is lost.</summary>
    private Task NotifyEndAsync(Report report)
    {
        Notify(report.Summary, report.Hints);
        return Workflow.WhenAllAsync(_notifying);
    }

    /// <summary>A dry run changes nothing, and is no news.</summary>
    private void Notify(string summary, params IReadOnlyList<Hint> hints)
    {
        if (!_input.DryRun)
        {
            _notifying.Add(
                StartDeliveryAsync(
                    new()
                    {
                        At = Now,
                        Cluster = _input.Cluster,
                        Procedure = Workflow.Info.WorkflowType,
                        WorkflowId = Workflow.Info.WorkflowId,
                        RunId = Workflow.Info.RunId,
                        Status = Status,
                        Summary = summary,
                        By = _by,
                        Reason = _input.Reason,
                        Plan = PlanView?.Summary,
                        PlanHash = PlanView?.Hash,
                        Blocked = Progress.Blocked,
                        Hints = hints,
                        Notes = [.. Notes],
                    }
                )
            );
        }
    }

    /// <summary>Nothing that goes wrong here is a failure of the procedure.</summary>
    private static async Task StartDeliveryAsync(Notification notification)
    {
        try
        {
            if (await Notifications.ReceiversAsync() is { Count: > 0 } receivers)
            {
                await Workflow.StartChildWorkflowAsync(
                    (NotificationDelivery delivery) => delivery.RunAsync(new(notification, receivers)),
                    new()
                    {
                        Id = NotificationDelivery.NewId(),
                        StaticSummary =
                            $"{notification.Procedure} {notification.Cluster}: {PgFlowText.Word(notification.Status)}",
                        ParentClosePolicy = ParentClosePolicy.Abandon,
                        CancellationToken = CancellationToken.None, // that it was cancelled is told too
                    }
                );
            }
        }
        catch (FailureException e)
        {
            ProcedureLog.NotNotified(e);
        }
    }
}

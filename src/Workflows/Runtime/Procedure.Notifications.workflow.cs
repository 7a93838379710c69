using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <content>Others are told where it is; it waits for none of them.</content>
public abstract partial class Procedure<TInput>
{
    private readonly List<Task> _notifying = [];

    /// <summary>Who is told; null before it has looked at the cluster.</summary>
    private IReadOnlyList<Receiver>? _receivers;

    private protected override void Notify() => Notify(Progress.Summary);

    /// <summary>Tells the end, and waits until Temporal knows of all that is to be told: a child that would begin with
    /// the workflow's end is lost.</summary>
    private async Task NotifyEndAsync(Report report)
    {
        try
        {
            // one that was refused before it looked, as where another procedure holds the cluster
            _receivers ??= _input.DryRun ? [] : await Notifications.ReceiversAsync();
        }
        catch (Exception e) when (TemporalFailures.IsEnd(e))
        {
            ProcedureLog.NotNotified(e);
        }

        Notify(report.Summary, report.Hints);
        await Workflow.WhenAllAsync(_notifying);
    }

    /// <summary>A dry run changes nothing, and is no news.</summary>
    private void Notify(string summary, params IReadOnlyList<Hint> hints)
    {
        if (_receivers is { Count: > 0 } receivers && !_input.DryRun)
        {
            var notification = new Notification
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
            };
            _notifying.Add(NotificationDelivery.BeginAsync(new(notification, receivers)));
        }
    }
}

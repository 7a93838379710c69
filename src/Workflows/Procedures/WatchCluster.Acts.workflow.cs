using System.Globalization;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <content>The procedures that it starts.</content>
public sealed partial class WatchCluster
{
    /// <summary>Has so many standbys confirm each commit.</summary>
    /// <param name="quorum">How many.</param>
    /// <param name="why">What it has seen.</param>
    private async Task ConfirmAsync(int quorum, string why)
    {
        var input = new SetSynchronousReplicationInput
        {
            Cluster = _input.Cluster,
            Quorum = quorum,
            By = Name,
            Reason = why,
        };
        var change = await Workflow.StartChildWorkflowAsync(
            (SetSynchronousReplication procedure) => procedure.RunAsync(input),
            Abandoned(nameof(SetSynchronousReplication))
        );
        Decide(
            new(
                Now,
                WitnessAction.SetConfirmations,
                $"commits wait for {PgFlowText.Count(quorum, "standby")}: {why}",
                []
            )
            {
                WorkflowId = change.Id,
            }
        );
        _memory = _memory with { Known = null }; // what comes of it is news
    }

    /// <summary>The primary is down: looks once more, at everything, and acts where nothing stands against
    /// it.</summary>
    private async Task LookAgainAsync(WitnessVerdict verdict)
    {
        var state = await Clusters.ObserveAsync(_input.Cluster);
        var room = verdict.EndsByItself ? await Repositories.GlanceAsync(_input.Cluster) : null;
        var objections = WitnessObjections.To(verdict, state, _input.MostLoss, Now, _memory.LastFailoverAt, room);
        if (objections.Count > 0)
        {
            Decide(
                new(Now, WitnessAction.Alerted, $"no failover: {string.Join("; ", objections)}", [verdict.Sentence])
            );
        }
        else if (_memory.Paused is null && _stopped is null) // both may have come meanwhile
        {
            await FailOverAsync(verdict, WitnessObjections.LossOf(verdict, state) ?? 0);
        }
    }

    private async Task FailOverAsync(WitnessVerdict verdict, long loss)
    {
        var before = _memory.LastFailoverAt;
        _memory = _memory with { LastFailoverAt = Now };
        var input = new FailoverInput
        {
            Cluster = _input.Cluster,
            By = Name,
            Reason = $"{verdict.Sentence}; at least {PgFlowText.Bytes(loss)} of WAL is lost",
        };
        var failover = await Workflow.StartChildWorkflowAsync(
            (Failover procedure) => procedure.RunAsync(input),
            Abandoned(nameof(Failover))
        );
        Decide(
            new(Now, WitnessAction.FailedOver, $"failover: {verdict.Sentence}", verdict.Evidence)
            {
                WorkflowId = failover.Id,
            }
        );
        _following.RemoveAll(task => task.IsCompleted);
        _following.Add(FollowAsync(failover, verdict.Primary!.Value, input.By, before));
    }

    /// <summary>What becomes of a failover. Meanwhile it holds the cluster, and the witness leaves it alone.</summary>
    private async Task FollowAsync(
        ChildWorkflowHandle<Failover, Report> failover,
        NodeName old,
        string by,
        DateTimeOffset? before
    )
    {
        try
        {
            var report = await failover.GetResultAsync();
            Decide(new(Now, WitnessAction.LeftAlone, report.Summary, []) { WorkflowId = failover.Id });
            if (_input.Failback && _stopped is null && _memory.Paused is null)
            {
                var input = new FailbackInput
                {
                    Cluster = _input.Cluster,
                    Node = old,
                    By = by,
                    Reason = $"after {failover.Id}",
                };
                var failback = await Workflow.StartChildWorkflowAsync(
                    (Failback procedure) => procedure.RunAsync(input),
                    Abandoned(nameof(Failback))
                );
                Decide(new(Now, WitnessAction.FailedBack, $"failback of {old}", []) { WorkflowId = failback.Id });
            }
        }
        catch (ChildWorkflowFailureException e) when (!Workflow.CancellationToken.IsCancellationRequested)
        {
            if (
                e.InnerException is ApplicationFailureException
                {
                    ErrorType: FailureTypes.Refused or FailureTypes.ClusterBusy
                }
            )
            {
                _memory = _memory with { LastFailoverAt = before }; // it has not begun
            }

            var why = $"the failover has not succeeded: {TemporalFailures.Why(e)}";
            Decide(new(Now, WitnessAction.Alerted, why, []) { WorkflowId = failover.Id });
        }
    }

    /// <summary>A procedure goes on whatever becomes of the witness.</summary>
    private ChildWorkflowOptions Abandoned(string procedure)
    {
        var time = Workflow.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        return new()
        {
            Id = $"{procedure.ToLowerInvariant()}-{_input.Cluster}-{time}-{Workflow.NewGuid().ToString("N")[..4]}",
            StaticSummary = $"{procedure} {_input.Cluster}, by its witness",
            TaskTimeout = TaskTimeout,
            ParentClosePolicy = ParentClosePolicy.Abandon,
            CancellationType = ChildWorkflowCancellationType.Abandon,
        };
    }
}

using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <content>What it is told and asked, and how its decisions are kept.</content>
public sealed partial class WatchCluster
{
    /// <summary>The ledger may be away for long, and a run's input has its limit.</summary>
    private const int MostUnrecorded = 100;

    private static readonly AsyncLocal<bool> Recording = new();

    private WitnessAction? _shown;
    private bool _isRecording;

    /// <summary>What it has seen and decided.</summary>
    [WorkflowQuery("witness", Description = "What the witness sees, and its newest decisions.")]
    public WitnessStatus State =>
        new(
            Cluster,
            _memory.Since,
            _by,
            _input.MaxLoss,
            _input.Failback,
            _memory.Paused,
            _memory.Known,
            _memory.Findings,
            _memory.Decisions
        );

    /// <summary>Lets it look away.</summary>
    [WorkflowUpdate("pause", Description = "Does not watch until resume: {\"by\": \"…\", \"reason\": \"…\"}.")]
    public Task PauseAsync(WitnessOrder order)
    {
        var decision = Told(WitnessAction.Paused, order);
        _memory = _memory with { Paused = decision };
        Decide(decision);
        return Task.CompletedTask;
    }

    /// <summary>Refuses what can't be.</summary>
    [WorkflowUpdateValidator(nameof(PauseAsync))]
    public void ValidatePause(WitnessOrder order)
    {
        RequireFit(order);
        if (_memory.Paused is { } paused)
        {
            throw Failure.Refuse($"{paused.Summary} already, at {PgFlowText.Exact(paused.At)}");
        }
    }

    /// <summary>Lets it watch again.</summary>
    [WorkflowUpdate("resume", Description = "Watches again: {\"by\": \"…\", \"reason\": \"…\"}.")]
    public Task ResumeAsync(WitnessOrder order)
    {
        _memory = _memory with { Paused = null, Known = null };
        Decide(Told(WitnessAction.Resumed, order));
        return Task.CompletedTask;
    }

    /// <summary>Refuses what can't be.</summary>
    [WorkflowUpdateValidator(nameof(ResumeAsync))]
    public void ValidateResume(WitnessOrder order)
    {
        RequireFit(order);
        if (_memory.Paused is null)
        {
            throw Failure.Refuse("it is not paused");
        }
    }

    /// <summary>Ends it.</summary>
    [WorkflowUpdate("stop", Description = "Ends the witness: {\"by\": \"…\", \"reason\": \"…\"}.")]
    public Task StopAsync(WitnessOrder order)
    {
        _stopped = order;
        Decide(Told(WitnessAction.Stopped, order));
        return Task.CompletedTask;
    }

    /// <summary>Refuses what can't be.</summary>
    [WorkflowUpdateValidator(nameof(StopAsync))]
    public void ValidateStop(WitnessOrder order) => RequireFit(order);

    private void RequireFit(WitnessOrder order)
    {
        ArgumentNullException.ThrowIfNull(order);
        ProcedureInput.RequireFit(order.By, order.Reason);
        if (_memory.Since == default || _stopped is not null)
        {
            throw Failure.Refuse(_stopped is null ? "it has not begun yet" : "it has been stopped");
        }
    }

    private static WitnessDecision Told(WitnessAction action, WitnessOrder order)
    {
        var by = Named(order.By);
        return new(Now, action, $"{PgFlowText.Word(action)} by {by}{PgFlowText.Because(order.Reason)}", [])
        {
            By = by,
            Reason = order.Reason,
        };
    }

    /// <summary>Keeps a decision that is news: for whoever asks, in the ledger, and for those who are told.</summary>
    private void Decide(WitnessDecision decision)
    {
        var last = _memory.Decisions.LastOrDefault(one => one.IsAside == decision.IsAside);
        if (decision.IsSameAs(last))
        {
            return;
        }

        if (_memory.Decisions is [.., var newest] && decision.At <= newest.At)
        {
            decision = decision with { At = newest.At.AddMilliseconds(1) }; // the ledger tells them apart by it
        }

        _memory = _memory with
        {
            Decisions = Newest([.. _memory.Decisions, decision]),
            Unrecorded = [.. _memory.Unrecorded.TakeLast(MostUnrecorded - 1), decision],
        };
        Show();
        _telling.RemoveAll(task => task.IsCompleted);
        if (decision.IsAlert || decision.IsAside || last is { IsAlert: true })
        {
            _telling.Add(NotifyAsync(decision));
        }

        // While a procedure holds the cluster its repository is left alone: it may be going.
        if (_memory.Known is not { Finding: WitnessFinding.Busy } && decision.Action is not WitnessAction.FailedOver)
        {
            _telling.Add(RecordAsync());
        }
    }

    /// <summary>So many of each kind: what goes on aside must not push out what the primary is like.</summary>
    private static IReadOnlyList<WitnessDecision> Newest(IReadOnlyList<WitnessDecision> decisions) =>
        [
            .. decisions
                .GroupBy(one => one.IsAside)
                .SelectMany(one => one.TakeLast(MostDecisions))
                .OrderBy(one => one.At),
        ];

    /// <summary>Shows how it is, in Temporal's list too: a pause may be forgotten.</summary>
    private void Show()
    {
        var lines = _memory.Decisions.Reverse().Select(one => $"- {PgFlowText.Exact(one.At)} {one.Summary}");
        Workflow.CurrentDetails = string.Join('\n', lines);
        var state =
            _stopped is not null ? WitnessAction.Stopped
            : _memory.Paused is not null ? WitnessAction.Paused
            : WitnessAction.Watching;
        if (state != _shown)
        {
            _shown = state;
            Workflow.UpsertTypedSearchAttributes(Attributes.Outcome.ValueSet(PgFlowText.Word(state)));
        }
    }

    /// <summary>Writes what the ledger lacks, also what is decided meanwhile. What can't be written comes with the next
    /// decision.</summary>
    private async Task RecordAsync()
    {
        if (_isRecording || _memory.Unrecorded.Count == 0)
        {
            return;
        }

        _isRecording = Recording.Value = true;
        try
        {
            Held = await Leases.TakeAsync(
                _input.Cluster,
                LeaseKind.Witness,
                new(Workflow.Info.WorkflowType, Workflow.Info.WorkflowId, _by),
                () => Leases.RequireFreeAsync(LeaseKind.Witness, _input)
            );
            while (_memory.Unrecorded is [var next, ..])
            {
                await Ledger.RecordDecisionAsync(ReportOf(next));
                _memory = _memory with { Unrecorded = [.. _memory.Unrecorded.Where(other => other != next)] };
            }
        }
        catch (Exception e) when (TemporalFailures.IsEnd(e))
        {
            ProcedureLog.NotRecorded(e);
        }
        finally
        {
            var held = Held;
            (Held, _isRecording) = (null, false);
            await (held?.ReleaseAsync() ?? Task.FromResult(true));
        }
    }

    private Report ReportOf(WitnessDecision decision) =>
        new()
        {
            Procedure = Workflow.Info.WorkflowType,
            Cluster = _input.Cluster,
            Outcome =
                decision.IsAlert || decision.Action is WitnessAction.LeftAlone
                    ? ProcedureStatus.Refused
                    : ProcedureStatus.Succeeded,
            Summary = decision.Summary,
            Hints = decision.Hint is { } hint ? [hint] : [],
            By = decision.By ?? "the witness",
            Reason = decision.Reason,
            Notes = [.. decision.Evidence, .. decision.WorkflowId is { } id ? [id] : Array.Empty<string>()],
            StartedAt = decision.At,
            EndedAt = decision.At,
            WorkflowId = Workflow.Info.WorkflowId,
            RunId = Workflow.Info.RunId,
        };

    private async Task NotifyAsync(WitnessDecision decision)
    {
        try
        {
            var receivers = await Notifications.ReceiversAsync();
            if (receivers.Count > 0)
            {
                var notification = new Notification
                {
                    At = decision.At,
                    Cluster = _input.Cluster,
                    Procedure = Workflow.Info.WorkflowType,
                    WorkflowId = Workflow.Info.WorkflowId,
                    RunId = Workflow.Info.RunId,
                    Status = decision.IsAlert ? ProcedureStatus.Blocked : ProcedureStatus.Running,
                    Summary = decision.Summary,
                    By = decision.By ?? "the witness",
                    Reason = decision.Reason,
                    Hints = decision.IsAlert ? [decision.Hint ?? Hint.Look(_input.Cluster)] : [],
                    Notes = decision.Evidence,
                };
                await NotificationDelivery.BeginAsync(new(notification, receivers));
            }
        }
        catch (Exception e) when (TemporalFailures.IsEnd(e))
        {
            ProcedureLog.NotNotified(e);
        }
    }
}

using System.Globalization;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>The witness: watches a cluster and starts a failover when its primary is down by two signs that do not
/// depend on each other. Holds no lease but for its records.</summary>
[Workflow]
public sealed partial class WatchCluster : Procedure
{
    /// <summary>A run's history stays small enough to be read, and to be replayed at once.</summary>
    private const int MostEvents = 800;

    private const int MostDecisions = 20;

    /// <summary>As for whoever starts a procedure with pgflow.</summary>
    private static readonly TimeSpan TaskTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Run = TimeSpan.FromDays(1);

    /// <summary>How soon it tries again where it can't look.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly List<Task> _following = [];
    private readonly List<Task> _telling = [];
    private WatchClusterInput _input = new();
    private WitnessMemory _memory = new();
    private WitnessOrder? _stopped;
    private string _by = "";

    /// <summary>The workflow ID of a cluster's witness: there is one.</summary>
    public static string IdOf(ClusterName cluster) => $"pgflow-witness-{cluster}";

    /// <summary>Of what is recorded alone: whatever else is done meanwhile needs no lease.</summary>
    internal override LeaseMark? LeaseNow =>
        Held is null || !Recording.Value ? null : new(_input.Cluster, LeaseKind.Witness);

    /// <summary>As whom it asks for a procedure.</summary>
    private string Name => _by.Length > 180 ? "its witness" : $"witness of {_by}";

    /// <summary>What has to be told although it is known.</summary>
    private WantedNews Wanted =>
        new(_input.FallBackAfterSeconds is { } after ? TimeSpan.FromSeconds(after) : null, _memory.FellBackFrom);

    /// <summary>When this run gives over to the next; that one does not follow a failover of this one, which may be
    /// blocked for days.</summary>
    private bool IsOld =>
        (_following.TrueForAll(task => task.IsCompleted) || Now - _memory.LastFailoverAt > WitnessObjections.Rest)
        && (Workflow.CurrentHistoryLength > MostEvents || Workflow.UtcNow - Workflow.Info.WorkflowStartTime >= Run);

    /// <summary>Runs until it is stopped; every day, or after some hundred events, as a new run.</summary>
    [WorkflowRun]
    public async Task RunAsync(WatchClusterInput? input = null)
    {
        await BeginAsync(input ?? new());
        while (_stopped is null && !IsOld)
        {
            if (_memory.Paused is not null)
            {
                await WaitAsync(() => _memory.Paused is null);
            }
            else if (await NextVerdictAsync() is { } verdict)
            {
                await JudgeAsync(verdict);
            }
        }

        await Workflow.WhenAllAsync(_telling);
        if (_stopped is not null)
        {
            await RecordAsync(); // what was put off
        }

        await Workflow.WaitConditionAsync(() => Workflow.AllHandlersFinished);
        if (_stopped is null)
        {
            var next = _input with { By = _by, Memory = _memory };
            throw Workflow.CreateContinueAsNewException((WatchCluster workflow) => workflow.RunAsync(next));
        }
    }

    private async Task BeginAsync(WatchClusterInput input)
    {
        var cluster = BeginReadOnly(_input = input);
        if (Workflow.Info.WorkflowId != IdOf(cluster))
        {
            throw Failure.Invalid([
                new("the workflow ID", $"is {Workflow.Info.WorkflowId}; a cluster has one witness: {IdOf(cluster)}"),
            ]);
        }

        _by = string.IsNullOrWhiteSpace(input.By) ? await Leases.StarterAsync() : input.By;
        Workflow.UpsertTypedSearchAttributes(Attributes.RequestedBy.ValueSet(_by));
        if (input.Memory is { } memory)
        {
            _memory = memory;
            Show();
            return;
        }

        (await Clusters.ObserveAsync(cluster)).RequireExisting();
        _memory = new() { Since = Now };
        Decide(Told(WitnessAction.Started, new(_by, input.Reason)));
    }

    /// <summary>Waits for a person, at most until this run is old.</summary>
    private Task<bool> WaitAsync(Func<bool> condition)
    {
        var rest = Run - (Workflow.UtcNow - Workflow.Info.WorkflowStartTime);
        return Workflow.WaitConditionAsync(() => condition() || _stopped is not null, rest > Pause ? rest : Pause);
    }

    /// <summary>Watches until something is news.</summary>
    /// <returns>Null where it was told to do something else, or could not look.</returns>
    private async Task<WitnessVerdict?> NextVerdictAsync()
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken);
        var watching = Witness.WatchAsync(_input.Cluster, _memory.Known, _memory.Seen, Wanted, until.Token);
        try
        {
            await WaitAsync(() => watching.IsCompleted || _memory.Paused is not null);
        }
        catch (OperationCanceledException)
        {
            await Workflow.WhenAnyAsync(watching); // it is cancelled too
            throw;
        }

        var isBrokenOff = !watching.IsCompleted;
        try
        {
            if (isBrokenOff)
            {
                BreakOff(until);
            }

            var verdict = await watching;
            _memory = _memory with { Seen = verdict.Seen ?? _memory.Seen };
            return isBrokenOff ? null : verdict;
        }
        catch (ActivityFailureException e) when (TemporalException.IsCanceledException(e) && isBrokenOff)
        {
            return null; // no worker had begun to look
        }
        catch (ActivityFailureException e) when (!TemporalException.IsCanceledException(e))
        {
            await CanNotLookAsync(e);
            return null;
        }
    }

    /// <summary>Within the workflow: CancelAsync would leave its scheduler.</summary>
    private static void BreakOff(CancellationTokenSource until) => until.Cancel();

    private async Task CanNotLookAsync(Exception why)
    {
        _memory = _memory with { Known = null }; // that all is well again is news
        Decide(new(Now, WitnessAction.Alerted, $"the cluster can't be watched: {TemporalFailures.Why(why)}", []));
        await Workflow.WaitConditionAsync(() => _memory.Paused is not null || _stopped is not null, Pause);
    }

    private async Task JudgeAsync(WitnessVerdict verdict)
    {
        var isKnown = verdict.IsSameAs(_memory.Known);
        _memory = _memory with { Known = verdict };
        try
        {
            if (verdict.Finding is WitnessFinding.Down)
            {
                await LookAgainAsync(verdict);
            }
            else if (
                isKnown && verdict is { Finding: WitnessFinding.Stalled, Demanded: { } demanded, Streaming: { } left }
            )
            {
                _memory = _memory with { FellBackFrom = _memory.FellBackFrom ?? demanded };
                await ConfirmAsync(left, verdict.Sentence);
            }
            else if (_memory.FellBackFrom is { } before && verdict.Demanded >= before)
            {
                _memory = _memory with { FellBackFrom = null };
            }
            else if (isKnown && _memory.FellBackFrom is { } quorum && verdict.Streaming >= quorum)
            {
                await ConfirmAsync(quorum, $"{PgFlowText.Count(quorum, "standby")} can confirm again");
            }
            else
            {
                Decide(new(Now, ActionOf(verdict.Finding), verdict.Sentence, verdict.Evidence));
            }
        }
        catch (ActivityFailureException e) when (!TemporalException.IsCanceledException(e))
        {
            await CanNotLookAsync(e);
        }
    }

    private static WitnessAction ActionOf(WitnessFinding finding) =>
        finding switch
        {
            WitnessFinding.Well => WitnessAction.Watching,
            WitnessFinding.Recovering or WitnessFinding.Busy => WitnessAction.LeftAlone,
            _ => WitnessAction.Alerted,
        };

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

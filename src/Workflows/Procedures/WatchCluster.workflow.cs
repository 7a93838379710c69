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
        Task[] watches =
        [
            WatchAsync(
                async until =>
                {
                    var verdict = await Witness.WatchAsync(_input.Cluster, _memory.Known, _memory.Seen, Wanted, until);
                    _memory = _memory with { Seen = verdict.Seen ?? _memory.Seen };
                    return verdict;
                },
                JudgeAsync,
                CanNotLookAsync
            ),
            WatchAsync(
                until => Witness.WatchFindingsAsync(_input.Cluster, _memory.Findings, _input.VerifiedWithin, until),
                FindAsync,
                _ => RestAsync()
            ),
        ];
        if (await Workflow.WhenAnyAsync(watches) is { IsFaulted: true } broken)
        {
            await broken; // a bug: Temporal tries again, while the other one would watch on for a day
        }

        await Workflow.WhenAllAsync(watches);
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
        return Workflow.WaitConditionAsync(
            () => condition() || _stopped is not null || IsOld,
            rest > Pause ? rest : Pause
        );
    }

    /// <summary>Watches as long as this run lasts, and while it is not paused.</summary>
    private async Task WatchAsync<T>(
        Func<CancellationToken, Task<T>> lookAsync,
        Func<T, Task> judgeAsync,
        Func<Exception, Task> canNotAsync
    )
        where T : class
    {
        while (_stopped is null && !IsOld)
        {
            if (_memory.Paused is not null)
            {
                await WaitAsync(() => _memory.Paused is null);
            }
            else if (await NewsAsync(lookAsync, canNotAsync) is { } news)
            {
                await judgeAsync(news);
            }
        }
    }

    /// <summary>Looks until something is news.</summary>
    /// <returns>Null where it was told to do something else, or could not look.</returns>
    private async Task<T?> NewsAsync<T>(Func<CancellationToken, Task<T>> lookAsync, Func<Exception, Task> canNotAsync)
        where T : class
    {
        using var until = CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken);
        var watching = lookAsync(until.Token);
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

            var news = await watching;
            return isBrokenOff ? null : news;
        }
        catch (ActivityFailureException) when (isBrokenOff)
        {
            return null; // no worker had begun to look, or it ends
        }
        catch (ActivityFailureException e) when (!TemporalException.IsCanceledException(e))
        {
            await canNotAsync(e);
            return null;
        }
    }

    /// <summary>Within the workflow: CancelAsync would leave its scheduler.</summary>
    private static void BreakOff(CancellationTokenSource until) => until.Cancel();

    private async Task CanNotLookAsync(Exception why)
    {
        _memory = _memory with { Known = null }; // that all is well again is news
        Decide(new(Now, WitnessAction.Alerted, $"the cluster can't be watched: {TemporalFailures.Why(why)}", []));
        await RestAsync();
    }

    private Task<bool> RestAsync() =>
        Workflow.WaitConditionAsync(() => _memory.Paused is not null || _stopped is not null, Pause);

    /// <summary>What else is wrong, and what is so no longer.</summary>
    private async Task FindAsync(IReadOnlyList<Finding> found)
    {
        var known = _memory.Findings;
        found = await AskedAsync(found);
        _memory = _memory with { Findings = found };
        foreach (var finding in found.Where(one => !WitnessFindings.Has(known, one)))
        {
            Decide(new(Now, WitnessAction.Found, FindingText.Of(finding), []) { Hint = finding.Hint });
        }

        // what has become another one of the same, as a volume that is full now, has not passed
        var (still, subjects) = (found, found.Select(one => one.Subject).OfType<string>());
        foreach (
            var finding in known.Where(one =>
                !WitnessFindings.Has(still, one) && !subjects.Contains(one.Subject, StringComparer.Ordinal)
            )
        )
        {
            Decide(new(Now, WitnessAction.Passed, $"no longer: {FindingText.Of(finding)}", []));
        }
    }

    /// <summary>With hints only to what would be accepted, as an inspection has them.</summary>
    private async Task<IReadOnlyList<Finding>> AskedAsync(IReadOnlyList<Finding> found)
    {
        try
        {
            var state = await Clusters.ObserveAsync(_input.Cluster);
            return (await Proposals.AskedAsync(new(Healthy: false, found, state))).Findings;
        }
        catch (ActivityFailureException e) when (!TemporalException.IsCanceledException(e))
        {
            return found;
        }
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
}

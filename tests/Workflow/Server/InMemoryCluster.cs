using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PgFlow.WorkflowTests.Server;

/// <summary>Activities over a cluster in memory: they log every call, keep the rules of PostgreSQL, and fail or wait
/// when a test says so.</summary>
internal sealed partial class InMemoryCluster
{
    private readonly Lock _lock = new();
    private readonly ITemporalClient _client;
    private readonly List<string> _calls = [];
    private readonly List<string> _violations = [];
    private readonly ConcurrentDictionary<string, Failing> _failures = new();
    private readonly ConcurrentDictionary<string, Gate> _gates = new();

    public InMemoryCluster(ITemporalClient client, ClusterName cluster, int nodes)
    {
        _client = client;
        Cluster = cluster;
        if (nodes > 0)
        {
            Make(nodes);
        }
    }

    public ClusterName Cluster { get; }

    /// <summary>Every call in the order in which they began: the activity's name and its node.</summary>
    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (_lock)
            {
                return [.. _calls];
            }
        }
    }

    /// <summary>The calls that changed something.</summary>
    public IReadOnlyList<string> Changes =>
        [
            .. Calls.Where(call =>
                !call.StartsWith("ObserveCluster", StringComparison.Ordinal)
                && call is not "FindStarter"
                && !call.StartsWith("DescribeLease", StringComparison.Ordinal)
                && call is not "RecordProcedure"
            ),
        ];

    /// <summary>Where PgFlow would have endangered a real cluster.</summary>
    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (_lock)
            {
                return [.. _violations];
            }
        }
    }

    /// <summary>Activities that change nothing, or do so before the lease is taken.</summary>
    private static readonly HashSet<string> Looks =
    [
        "ObserveCluster",
        "ObserveCandidate",
        "InspectImage",
        "InspectSettings",
        "InspectArchive",
        "ReadTimelines",
        "FindExpired",
        "FindUnrecorded",
        "ResolveTarget",
        "ProveLedger",
        "FindRestorePoint",
        "ChooseBackupParent",
        "FindStarter",
        "DescribeLease",
        "InspectWorker",
        "LeaveEarlierRun",
        "TakeOverLease",
    ];

    private readonly ConcurrentDictionary<string, int> _losses = new();

    /// <summary>Who is told where procedures are; nobody, as by default.</summary>
    public INotificationActivities Notifications { get; set; } = Telling(new());

    /// <summary>The real activities, configured so.</summary>
    public static INotificationActivities Telling(ActivityHostOptions options, TimeLimits? limits = null) =>
        new NotificationActivities(Options.Create(options), limits ?? new());

    /// <summary>What went into the ledger.</summary>
    public ConcurrentQueue<Report> Ledger { get; } = new();

    /// <summary>Lets a call fail, and all its repetitions, until it is repaired. No retry is made.</summary>
    public void Fail(string call, string message = "broken", string? type = null) =>
        _failures[call] = new(message, type, Final: true, int.MaxValue);

    /// <summary>Lets a call fail so often, then succeed: each failure is one that is retried.</summary>
    public void FailTimes(string call, int times, string message = "broken") =>
        _failures[call] = new(message, FailureTypes.Failed, Final: false, times);

    /// <summary>Lets somebody end the cluster's lease directly before a call, so often.</summary>
    public void LoseLease(string call, int times) => _losses[call] = times;

    public void Repair(string call) => _failures.TryRemove(call, out _);

    /// <summary>Lets a call wait until it is released.</summary>
    public Gate Hold(string call) => _gates.GetOrAdd(call, _ => new());

    public TemporalWorkerOptions Register(TemporalWorkerOptions options) =>
        options
            .AddAllActivities<INodeActivities>(this)
            .AddAllActivities<ISettingsActivities>(this)
            .AddAllActivities<IRoleActivities>(this)
            .AddAllActivities<IEndpointActivities>(this)
            .AddAllActivities<IArchiveActivities>(this)
            .AddAllActivities<IClusterActivities>(this)
            .AddAllActivities<IDataDirectoryActivities>(this)
            .AddAllActivities<ILeaseActivities>(this)
            .AddAllActivities<IRecoveryActivities>(this)
            .AddAllActivities<IRepositoryActivities>(this)
            .AddAllActivities<IBackupActivities>(this)
            .AddAllActivities<ILedgerActivities>(this)
            .AddAllActivities<INotificationActivities>(this)
            .AddAllActivities<IWitnessActivities>(this)
            .AddAllActivities<IWorkerActivities>(this);

    Task<IReadOnlyList<Receiver>> INotificationActivities.FindReceiversAsync() => Notifications.FindReceiversAsync();

    Task INotificationActivities.DeliverNotificationAsync(Notification notification, Receiver receiver) =>
        Notifications.DeliverNotificationAsync(notification, receiver);

    private Task<bool> DoAsync(object? about, Action effect) =>
        DoAsync(
            about,
            () =>
            {
                effect();
                return true;
            }
        );

    private async Task<T> DoAsync<T>(object? about, Func<T> effect)
    {
        var context = ActivityExecutionContext.Current;
        var call = $"{context.Info.ActivityType} {about}".TrimEnd();
        lock (_lock)
        {
            _calls.Add(call);
        }

        if (_gates.TryGetValue(call, out var gate))
        {
            await gate.PassAsync(context);
        }

        if (_failures.TryGetValue(call, out var failure) && failure.Times > 0)
        {
            _failures[call] = failure with { Times = failure.Times - 1 };
            throw new ApplicationFailureException(failure.Message, failure.Type, nonRetryable: failure.Final);
        }

        await LoseLeaseAsync(call);
        await RequireLeaseAsync(context.Info);
        lock (_lock)
        {
            return effect();
        }
    }

    private async Task LoseLeaseAsync(string call)
    {
        if (_losses.TryGetValue(call, out var times) && times > 0)
        {
            _losses[call] = times - 1;
            await _client.GetWorkflowHandle(ClusterLease.IdOf(Cluster)).TerminateAsync("a test");
        }
    }

    /// <summary>As the guard of the real activities: whoever changes something holds a lease of the cluster.</summary>
    private async Task RequireLeaseAsync(ActivityInfo asking)
    {
        if (Looks.Contains(asking.ActivityType))
        {
            return;
        }

        foreach (var kind in Enum.GetValues<LeaseKind>())
        {
            if (await HoldsAsync(ClusterLease.IdOf(Cluster, kind), asking))
            {
                return;
            }
        }

        throw TemporalFailures.Of(Failure.Lose("the lease is not held by this procedure any more"));
    }

    private async Task<bool> HoldsAsync(string lease, ActivityInfo asking)
    {
        try
        {
            var found = await _client.GetWorkflowHandle(lease).DescribeAsync();
            return found.Status is Temporalio.Api.Enums.V1.WorkflowExecutionStatus.Running
                && found.ParentId == asking.WorkflowId
                && found.ParentRunId == asking.WorkflowRunId;
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return false;
        }
    }

    private sealed record Failing(string Message, string? Type, bool Final, int Times);

    private void Require(bool rule, string violation)
    {
        if (!rule)
        {
            _violations.Add(violation);
        }
    }
}

/// <summary>A place where an activity waits for the test.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done when an activity waits here.</summary>
    public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>What the activity does as long as it is held; then heartbeats are the interceptor's.</summary>
    public Action? WhileHeld { get; set; }

    public void Open() => _open.TrySetResult();

    internal async Task PassAsync(ActivityExecutionContext context)
    {
        _reached.TrySetResult();
        while (!_open.Task.IsCompleted)
        {
            (WhileHeld ?? (() => context.Heartbeat()))();
            await Task.WhenAny(_open.Task, Task.Delay(100, context.CancellationToken));
            context.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}

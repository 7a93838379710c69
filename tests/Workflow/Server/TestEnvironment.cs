using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Temporalio.Api.Common.V1;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Worker.Interceptors;
using Temporalio.Workflows;

namespace PgFlow.WorkflowTests.Server;

/// <summary>A cluster in memory, fake activities for it, and a worker that lets PgFlow's workflows use them.</summary>
internal sealed class TestEnvironment : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private CancellationTokenSource _stop = new();
    private Task _working;
    private int _started;

    private readonly ILoggerFactory _log;
    private readonly IReadOnlyList<IWorkerInterceptor> _interceptors;

    private TestEnvironment(
        ITemporalClient client,
        InMemoryCluster cluster,
        ILoggerFactory log,
        IReadOnlyList<IWorkerInterceptor> interceptors
    )
    {
        (_log, _interceptors) = (log, interceptors);
        Client = client;
        InMemory = cluster;
        _working = WorkAsync(_stop.Token);
    }

    /// <summary>Every workflow that PgFlow has.</summary>
    public static Type[] AllWorkflows { get; } =
    [
        .. typeof(Procedure)
            .Assembly.GetTypes()
            .Where(type => type.IsDefined(typeof(WorkflowAttribute), inherit: false))
            .OrderBy(type => type.Name),
    ];

    public ITemporalClient Client { get; }

    public InMemoryCluster InMemory { get; }

    public ClusterName Cluster => InMemory.Cluster;

    private string Queue => $"pgflow-{Cluster}";

    /// <param name="server">Where.</param>
    /// <param name="nodes">How many nodes the cluster has, of which p1 is the primary; 0 for none yet.</param>
    /// <param name="log">Where workflows log.</param>
    /// <param name="interceptors">What the worker has besides that which tells activities their step.</param>
    public static TestEnvironment Start(
        TemporalServer server,
        int nodes = 2,
        ILoggerFactory? log = null,
        params IReadOnlyList<IWorkerInterceptor> interceptors
    ) => Start(server.Client, nodes, log, interceptors);

    /// <inheritdoc cref="Start(TemporalServer, int, ILoggerFactory?, IReadOnlyList{IWorkerInterceptor})"/>
    public static TestEnvironment Start(
        ITemporalClient client,
        int nodes = 2,
        ILoggerFactory? log = null,
        params IReadOnlyList<IWorkerInterceptor> interceptors
    ) =>
        new(
            client,
            new(client, ClusterName.Parse($"t{Guid.NewGuid():N}"[..12]), nodes),
            log ?? NullLoggerFactory.Instance,
            [new ProcedureInterceptor(), .. interceptors]
        );

    /// <summary>Starts a procedure with the input that these fields make.</summary>
    public Task<WorkflowHandle> StartAsync(string procedure, params (string Name, object Value)[] fields) =>
        StartRawAsync(procedure, InputOf(fields));

    /// <summary>The same under an ID of its own.</summary>
    public async Task<WorkflowHandle> StartAsync(
        string id,
        string procedure,
        IEnumerable<(string Name, object Value)> fields
    ) => await Client.StartWorkflowAsync(procedure, [InputOf(fields)], new(id, Queue));

    private Dictionary<string, object> InputOf(IEnumerable<(string Name, object Value)> fields)
    {
        var input = new Dictionary<string, object> { ["cluster"] = Cluster.ToString(), ["by"] = "anna" };
        foreach (var (name, value) in fields)
        {
            input[name] = value;
        }

        return input;
    }

    /// <summary>Starts a procedure with anything, or nothing, for its input.</summary>
    public async Task<WorkflowHandle> StartRawAsync(string procedure, params object?[] arguments) =>
        await Client.StartWorkflowAsync(procedure, arguments, new($"{procedure}-{Cluster}-{++_started}", Queue));

    /// <summary>The report of a procedure that succeeds.</summary>
    public async Task<Report> SucceedAsync(string procedure, params (string Name, object Value)[] fields) =>
        await (await StartAsync(procedure, fields)).GetResultAsync<Report>().WaitAsync(Deadline);

    /// <summary>The end of a procedure that fails.</summary>
    public async Task<Failed> FailAsync(string procedure, params (string Name, object Value)[] fields) =>
        await FailureAsync(await StartAsync(procedure, fields));

    /// <inheritdoc cref="FailAsync"/>
    public static async Task<Failed> FailureAsync(WorkflowHandle handle)
    {
        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() =>
            handle.GetResultAsync().WaitAsync(Deadline)
        );
        var cause = Assert.IsType<ApplicationFailureException>(failure.InnerException);
        return new(cause.ErrorType!, cause.Message, TemporalFailures.ReportOf(cause), TemporalFailures.HintsOf(cause));
    }

    /// <summary>The report of a procedure that ends as cancelled.</summary>
    public static async Task<Report> CancelledAsync(WorkflowHandle handle)
    {
        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() =>
            handle.GetResultAsync().WaitAsync(Deadline)
        );
        Assert.IsType<CanceledFailureException>(failure.InnerException);
        var memo = (await handle.DescribeAsync()).Memo[Procedure.ReportMemo];
        return await memo.ToValueAsync<Report>();
    }

    /// <summary>Waits until the query says so.</summary>
    public static async Task<ProcedureProgress> UntilAsync(
        WorkflowHandle handle,
        Func<ProcedureProgress, bool> condition
    )
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var progress = await handle.QueryAsync<ProcedureProgress>("progress", []).WaitAsync(Deadline);
            if (condition(progress))
            {
                return progress;
            }

            Assert.True(waited.Elapsed < Deadline, $"still {progress.Status}: {PgFlowText.Markdown(progress)}");
            await Task.Delay(10);
        }
    }

    /// <summary>Waits until as many steps are blocked.</summary>
    public static Task<ProcedureProgress> BlockedAsync(WorkflowHandle handle, int steps = 1) =>
        UntilAsync(handle, progress => progress.Blocked.Count == steps);

    public static Task ResolveAsync(WorkflowHandle handle, ResolveAction action, int? step = null) =>
        handle.ExecuteUpdateAsync("resolve", [new Resolution(action, "bert", "as discussed", step)]);

    /// <summary>A payload as somebody typed it.</summary>
    public static object Typed(string json) => new Raw(json, "json/plain");

    /// <summary>A payload in another encoding.</summary>
    public static object Encoded(string data, string encoding) => new Raw(data, encoding);

    /// <summary>Stops the worker in the midst of what it does, and lets another go on.</summary>
    public async Task ReplaceWorkerAsync()
    {
        await StopAsync();
        _stop = new();
        _working = WorkAsync(_stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Assert.Empty(InMemory.Violations);
    }

    /// <summary>A worker beside another host's Docker daemon, until <paramref name="stop"/>.</summary>
    public Task WorkAtAsync(HostName host, CancellationToken stop) => WorkAsync($"{Queue}.{host}", stop);

    private Task WorkAsync(CancellationToken stop) => WorkAsync(Queue, stop);

    private async Task WorkAsync(string queue, CancellationToken stop)
    {
        var options = new TemporalWorkerOptions(queue)
        {
            MaxHeartbeatThrottleInterval = TimeSpan.FromMilliseconds(100),
            DefaultHeartbeatThrottleInterval = TimeSpan.FromMilliseconds(100),
            StickyQueueScheduleToStartTimeout = TimeSpan.FromSeconds(1),
            Interceptors = _interceptors,
            LoggerFactory = _log,
        };
        Array.ForEach(AllWorkflows, type => options.AddWorkflow(type));
        using var worker = new TemporalWorker(Client, InMemory.Register(options));
        await worker.ExecuteAsync(stop);
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _working);
        _stop.Dispose();
    }

    /// <summary>How a procedure failed.</summary>
    internal sealed record Failed(string Type, string Message, Report? Report, IReadOnlyList<Hint> Hints);

    private sealed class Raw(string data, string encoding) : IRawValue
    {
        public Payload Payload { get; } =
            new()
            {
                Data = Google.Protobuf.ByteString.CopyFromUtf8(data),
                Metadata = { ["encoding"] = Google.Protobuf.ByteString.CopyFromUtf8(encoding) },
            };
    }
}

using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Compact;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Extensions.Hosting;
using Temporalio.Runtime;
using Temporalio.Worker;
using Temporalio.Worker.Interceptors;
using Temporalio.Workflows;

namespace PgFlow.Worker;

/// <summary>Puts the worker together.</summary>
internal static class WorkerHost
{
    // Steps that run may finish; the host waits longer than they, and compose's stop_grace_period is longer still (40
    // s).
    private static readonly TimeSpan ActivitiesMayFinish = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan HostWaits = TimeSpan.FromSeconds(30);

    /// <summary>The procedures, and whatever else is a workflow.</summary>
    public static IReadOnlyList<Type> Workflows { get; } =
    [.. Contracts.Where(type => type.IsDefined(typeof(WorkflowAttribute), inherit: false))];

    /// <summary>The contracts of the activities.</summary>
    public static IReadOnlyList<Type> ActivityContracts { get; } =
    [
        .. Contracts.Where(type =>
            type.IsInterface && type.GetMethods().Any(method => method.IsDefined(typeof(ActivityAttribute)))
        ),
    ];

    private static Type[] Contracts => typeof(ProcedureInput).Assembly.GetTypes();

    public static IHost Build(WorkerOptions options, IConfiguration configuration)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.ConfigureContainer(new DefaultServiceProviderFactory(new() { ValidateOnBuild = true }));
        builder
            .Services.AddSerilog(log => Configure(log, options))
            .Configure<HostOptions>(host => host.ShutdownTimeout = HostWaits)
            .AddSingleton(options)
            .AddSingleton<ITemporalClient>(services => Client(options, services.GetRequiredService<ILoggerFactory>()))
            .AddSingleton(services =>
                services.GetRequiredService<ITemporalClient>().Connection.Options.Runtime!.MetricMeter
            )
            .AddPgFlowActivities(configuration)
            .AddHostedService<NamespaceSetup>();
        AddWorker(builder.Services);
        builder.Services.AddHostedService<Health>();
        builder.Services.AddHostedService<Warmup>();
        if (options.Otlp is not null)
        {
            builder.AddTracing();
        }

        if (options.HasMetrics)
        {
            builder.Services.AddHostedService<OpenProcedures>();
        }

        return builder.Build();
    }

    private static void Configure(LoggerConfiguration log, WorkerOptions options)
    {
        log.MinimumLevel.Is(options.LogLevel)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .Filter.ByExcluding(RepeatsAttempt)
            .Enrich.FromLogContext();
        // a terminal that stands still holds nothing up
        log.WriteTo.Async(sink =>
            _ = options.JsonLog
                ? sink.Console(new CompactJsonFormatter())
                : sink.Console(
                    outputTemplate: "{UtcTimestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}"
                )
        );
    }

    /// <summary>What the SDK says of an attempt that failed, with its stack trace: one line of PgFlow's own has said
    /// it.</summary>
    private static bool RepeatsAttempt(LogEvent entry) =>
        entry.Level < LogEventLevel.Error
        && entry.Properties.GetValueOrDefault(Constants.SourceContextPropertyName)
            is ScalarValue { Value: string source }
        && source.StartsWith("Temporalio.Activity:", StringComparison.Ordinal);

    private static TemporalClient Client(WorkerOptions options, ILoggerFactory loggers)
    {
        options.Connection.LoggerFactory = loggers;
        options.Connection.Runtime = new TemporalRuntime(
            new()
            {
                Telemetry = new()
                {
                    // Without the core's warnings: it has one for every poller and retry while a server is away, and
                    // Health says that once.
                    Logging = new()
                    {
                        Filter = new(TelemetryFilterOptions.Level.Error, TelemetryFilterOptions.Level.Error),
                        Forwarding = new() { Logger = loggers.CreateLogger("Temporal") },
                    },
                    Metrics = MetricsOf(options),
                },
            }
        );
        return TemporalClient.CreateLazy(options.Connection);
    }

    /// <summary>The SDK's own and PgFlow's: the SDK serves them or sends them, and does one of both.</summary>
    private static MetricsOptions? MetricsOf(WorkerOptions options) =>
        options switch
        {
            { Metrics: { } address } => new(
                new PrometheusOptions(address) { HistogramBucketOverrides = ProcedureMetrics.Buckets }
            ),
            { Otlp: { IsHttp: false } otlp } => new(
                new OpenTelemetryOptions(otlp.Endpoint)
                {
                    Headers = otlp.Headers,
                    HistogramBucketOverrides = ProcedureMetrics.Buckets,
                }
            ),
            _ => null,
        };

    private static void AddWorker(IServiceCollection services)
    {
        var worker = services.AddHostedTemporalWorker(WorkerOptions.TaskQueue);
        foreach (var workflow in Workflows)
        {
            worker.AddWorkflow(workflow);
        }

        foreach (var contract in ActivityContracts)
        {
            worker.AddSingletonActivities(contract);
        }

        worker
            .ConfigureOptions()
            .Configure<IEnumerable<IWorkerInterceptor>>(
                (worker, interceptors) =>
                {
                    worker.Interceptors = [.. interceptors];
                    worker.GracefulShutdownTimeout = ActivitiesMayFinish;
                    // else the Web UI's Call Stack tab is an error
                    worker.WorkflowStackTrace = WorkflowStackTrace.Normal;

                    // They decide how soon another worker goes on when this one dies.
                    worker.StickyQueueScheduleToStartTimeout = TimeSpan.FromSeconds(1);
                    worker.MaxHeartbeatThrottleInterval = TimeSpan.FromSeconds(0.5);
                    worker.DefaultHeartbeatThrottleInterval = TimeSpan.FromSeconds(0.5);
                }
            );
    }
}

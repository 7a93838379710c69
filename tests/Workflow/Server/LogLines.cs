using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace PgFlow.WorkflowTests.Server;

/// <summary>What a worker logs, with all its fields.</summary>
internal sealed class LogLines : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentQueue<Line> _all = new();
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public LogLines() =>
        Factory = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Debug).AddProvider(this));

    public ILoggerFactory Factory { get; }

    /// <summary>PgFlow's own lines.</summary>
    public IReadOnlyList<Line> Own => [.. _all.Where(line => line.Event is >= 100 and < 300)];

    /// <summary>What the real worker has around its activities.</summary>
    public static HeartbeatInterceptor ActivitiesOf(ILoggerFactory log) =>
        new(Options.Create(new ActivityHostOptions()), log.CreateLogger<HeartbeatInterceptor>());

    public ILogger CreateLogger(string categoryName) => new Logger(this);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose() => Factory.Dispose();

    private Dictionary<string, object?> FieldsOf(object? state)
    {
        var fields = new Dictionary<string, object?>();
        _scopes.ForEachScope((scope, into) => Add(scope, into), fields);
        Add(state, fields);
        return fields;
    }

    private static void Add(object? state, Dictionary<string, object?> fields)
    {
        foreach (var (name, value) in state as IEnumerable<KeyValuePair<string, object?>> ?? [])
        {
            fields[name] = value;
        }
    }

    internal sealed record Line(LogLevel Level, int Event, string Text, IReadOnlyDictionary<string, object?> Fields);

    private sealed class Logger(LogLines lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null; // the factory keeps them

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => lines._all.Enqueue(new(logLevel, eventId.Id, formatter(state, exception), lines.FieldsOf(state)));
    }
}

using Microsoft.Extensions.Logging;
using PgFlow.Worker;
using Temporalio.Client;

namespace PgFlow.UnitTests.Worker;

public sealed class RehearsalTests
{
    [Fact]
    public async Task Goes_through_its_histories_without_a_complaint()
    {
        var log = new Log();
        using var rehearsal = new Rehearsal(TemporalClient.CreateLazy(new("localhost:1")), log);
        await rehearsal.StartAsync(TestContext.Current.CancellationToken);
        await rehearsal.ExecuteTask!;
        Assert.Empty(log.Lines);
        Assert.Equal(["Failover-succeeded.json", "RecoverCluster-succeeded.json", "Switchover-succeeded.json"], typeof(Rehearsal).Assembly.GetManifestResourceNames().Order(StringComparer.Ordinal));
    }

    private sealed class Log : ILogger<Rehearsal>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Common;

namespace PgFlow.Worker;

/// <summary>Counts the procedures that have not ended, by what they do: Temporal's visibility knows, so no workflow
/// has to.</summary>
internal sealed partial class OpenProcedures(ITemporalClient client, MetricMeter meter, ILogger<OpenProcedures> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private static readonly string Query =
        $"ExecutionStatus = 'Running' AND {Attributes.Procedure.Name} IS NOT NULL "
        + $"AND {Attributes.Outcome.Name} IS NOT NULL";

    private readonly MetricGauge<long> _open = meter.CreateGauge<long>(
        "pgflow_procedures_open",
        null,
        "Procedures that have not ended, by state: running, waitingForApproval, inspecting, undoing, blocked; of a "
            + "witness watching, paused."
    );
    private readonly MetricGauge<double> _counted = meter.CreateGauge<double>(
        "pgflow_procedures_observed_timestamp_seconds",
        "s",
        "When the procedures that have not ended were last counted."
    );
    private readonly Dictionary<Kind, MetricGauge<long>> _known = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        do
        {
            try
            {
                Set(await CountAsync(stoppingToken));
                _counted.Set(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Health says that the server is away; the numbers stay as they were, with their time.
                Unknown(logger, e.Message);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<Dictionary<Kind, long>> CountAsync(CancellationToken cancel)
    {
        var counts = new Dictionary<Kind, long>();
        var options = new WorkflowListOptions { Rpc = new() { CancellationToken = cancel } };
        await foreach (var found in client.ListWorkflowsAsync(Query, options))
        {
            var attributes = found.TypedSearchAttributes;
            var kind = new Kind(
                attributes.TryGetValue(Attributes.Cluster, out var cluster) ? cluster : "",
                found.WorkflowType,
                attributes.TryGetValue(Attributes.Outcome, out var outcome) ? outcome : ""
            );
            counts[kind] = counts.GetValueOrDefault(kind) + 1;
        }

        return counts;
    }

    private void Set(Dictionary<Kind, long> counts)
    {
        foreach (var kind in counts.Keys.Except(_known.Keys).ToList())
        {
            _known[kind] = _open.WithTags([
                new("cluster", kind.Cluster),
                new("procedure", kind.Procedure),
                new("state", kind.State),
            ]);
        }

        foreach (var (kind, gauge) in _known)
        {
            gauge.Set(counts.GetValueOrDefault(kind));
        }
    }

    [LoggerMessage(310, LogLevel.Debug, "open procedures can't be counted: {Why}")]
    private static partial void Unknown(ILogger logger, string why);

    private readonly record struct Kind(string Cluster, string Procedure, string State);
}

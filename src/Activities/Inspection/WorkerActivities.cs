using Temporalio.Activities;

namespace PgFlow.Activities.Inspection;

internal sealed class WorkerActivities(Inventory inventory, IEnumerable<IWorkerCheck> checks) : IWorkerActivities
{
    /// <summary>With <see cref="Limit"/> below an attempt's own limit.</summary>
    private static readonly TimeSpan Listing = TimeSpan.FromSeconds(4);

    /// <summary>For each check, and they run side by side: who does not answer by then is what is looked for.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    public async Task<WorkerInspection> InspectWorkerAsync()
    {
        var (at, context) = (DateTimeOffset.UtcNow, ActivityExecutionContext.Current);
        return new(context.TemporalClient.Connection.Options.Identity!, await ResultsAsync(at));
    }

    /// <summary>Where Docker does not answer there is nothing else to look at.</summary>
    private async Task<IReadOnlyList<CheckResult>> ResultsAsync(DateTimeOffset at)
    {
        IReadOnlyList<NodeContainer> nodes;
        try
        {
            nodes = await WithinAsync(inventory.AllNodesAsync(), Listing);
        }
        catch (Exception e) when (!DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return
            [
                e is HttpRequestException or TimeoutException
                    ? DockerCheck.Unreachable(Failures.Words(e))
                    : new("Nodes", Ok: false, Failures.Words(e)),
            ];
        }

        var found = await Task.WhenAll(checks.Select(check => ResultsOfAsync(check, new(at, nodes))));
        return [.. found.SelectMany(results => results)];
    }

    private static async Task<IReadOnlyList<CheckResult>> ResultsOfAsync(IWorkerCheck check, InspectedHost host)
    {
        try
        {
            return await WithinAsync(check.RunAsync(host), Limit);
        }
        catch (Exception e) when (!DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return [new(check.What, Ok: false, $"can't be looked at: {Failures.Words(e)}")];
        }
    }

    private static async Task<T> WithinAsync<T>(Task<T> work, TimeSpan limit)
    {
        try
        {
            return await work.WaitAsync(limit, DockerEngine.ActivityToken);
        }
        catch (TimeoutException) when (!work.IsCompleted)
        {
            throw new TimeoutException($"no answer within {limit.TotalSeconds:0} s");
        }
    }
}

using Temporalio.Client;

namespace PgFlow.Cli.Progress;

/// <summary>What clients will feel of a procedure: as its last runs on this cluster have measured, else what is
/// typical.</summary>
internal static class ClientsText
{
    private const int MostRuns = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>In one line; null where they don't notice.</summary>
    public static async Task<string?> OfAsync(ITemporalClient client, StartRequest request, CancellationToken cancel)
    {
        if (ProcedureList.Find(request.Workflow) is not { TypicalOutage: { } typical })
        {
            return null;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            return Of(typical, await MeasuredAsync(client, request, limit.Token));
        }
        catch (Exception) when (!cancel.IsCancellationRequested)
        {
            return Of(typical, []); // no reason not to ask
        }
    }

    private static async Task<IReadOnlyList<long>> MeasuredAsync(
        ITemporalClient client,
        StartRequest request,
        CancellationToken cancel
    )
    {
        var runs = await Runs.HistoryAsync(
            client,
            [
                $"PgFlowProcedure = '{request.Workflow}'",
                $"PgFlowCluster = '{request.Cluster}'",
                "PgFlowOutcome = 'succeeded'",
            ],
            cancel
        );
        var ends = await Task.WhenAll(
            runs.Take(MostRuns).Select(run => ProcedureResult.OfAsync(client.GetWorkflowHandle(run.WorkflowId), cancel))
        );
        return [.. ends.Select(end => end.Report?.OutageMilliseconds).OfType<long>().Order()];
    }

    /// <param name="typical">What clusters feel.</param>
    /// <param name="measured">What this one has felt, in milliseconds, the shortest first.</param>
    public static string Of(string typical, IReadOnlyList<long> measured)
    {
        return measured switch
        {
            [] => $"clients: without writes {typical}, typically",
            [var once] => $"clients: without writes for about {Took(once)}, as the last time here",
            _ => $"clients: without writes for about {Took(measured[measured.Count / 2])}; the last "
                + $"{measured.Count} times here {Took(measured[0])} to {Took(measured[^1])}",
        };

        static string Took(long milliseconds) => PgFlowText.Took(TimeSpan.FromMilliseconds(milliseconds));
    }
}

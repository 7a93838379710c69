using Temporalio.Client;

namespace PgFlow.Cli.Doctor;

/// <summary>Finished procedures are kept long enough to be asked about.</summary>
internal sealed class RetentionCheck : IDoctorCheck
{
    private static readonly TimeSpan Enough = TimeSpan.FromDays(30);

    public async Task<IReadOnlyList<DoctorAnswer>> RunAsync(ITemporalClient client, CancellationToken cancel)
    {
        var described = await client.WorkflowService.DescribeNamespaceAsync(
            new() { Namespace = client.Options.Namespace },
            new() { CancellationToken = cancel }
        );
        var kept = described.Config.WorkflowExecutionRetentionTtl?.ToTimeSpan() ?? TimeSpan.Zero;
        var command = $"temporal operator namespace update --namespace {client.Options.Namespace} --retention 30d";
        return
        [
            new(
                "Retention",
                kept >= Enough,
                $"finished procedures are kept for {kept.TotalDays:0.#} days",
                $"pgflow worker raises it when it starts; or: {command}"
            ),
        ];
    }
}

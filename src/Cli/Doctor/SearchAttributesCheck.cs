using Temporalio.Client;

namespace PgFlow.Cli.Doctor;

/// <summary>Procedures can be found by cluster, status and primary.</summary>
internal sealed class SearchAttributesCheck : IDoctorCheck
{
    public async Task<IReadOnlyList<DoctorAnswer>> RunAsync(ITemporalClient client, CancellationToken cancel)
    {
        var there = await client.OperatorService.ListSearchAttributesAsync(
            new() { Namespace = client.Options.Namespace },
            new() { CancellationToken = cancel }
        );
        var missing = Attributes
            .All.Where(wanted => !there.CustomAttributes.TryGetValue(wanted.Key, out var type) || type != wanted.Value)
            .ToList();
        var flags = string.Join(' ', missing.Select(wanted => $"--name {wanted.Key} --type {wanted.Value}"));
        return
        [
            new(
                "Search attributes",
                missing.Count == 0,
                missing.Count == 0
                    ? "all are registered"
                    : $"missing: {string.Join(", ", missing.Select(wanted => wanted.Key))}",
                $"pgflow worker registers them when it starts; or: temporal operator search-attribute create {flags}"
            ),
        ];
    }
}

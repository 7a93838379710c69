using Temporalio.Client;

namespace PgFlow.Cli.Doctor;

/// <summary>Temporal answers: whoever got here has asked it.</summary>
internal sealed class ConnectionCheck : IDoctorCheck
{
    public Task<IReadOnlyList<DoctorAnswer>> RunAsync(ITemporalClient client, CancellationToken cancel)
    {
        var place =
            $"answers at {client.Connection.Options.TargetHost}, namespace {client.Options.Namespace}, UI "
            + $"{WebUi.AddressOf(client)}";
        return Task.FromResult<IReadOnlyList<DoctorAnswer>>([new("Temporal", Ok: true, place)]);
    }
}

using Microsoft.Extensions.Options;

namespace PgFlow.Activities.Inspection;

/// <summary>Docker answers, and is new enough.</summary>
internal sealed class DockerCheck(DockerEngine docker, IOptions<ActivityHostOptions> options) : IWorkerCheck
{
    private const string Name = "Docker";

    /// <summary>Docker 20.10, the oldest that PgFlow is tried with.</summary>
    private static readonly Version Oldest = new(1, 41);

    public string What => Name;

    public async Task<IReadOnlyList<CheckResult>> RunAsync(InspectedHost host)
    {
        var said = await docker.CallAsync((client, token) => client.System.GetVersionAsync(token));
        return [Judge(said.Version, Version.Parse(said.APIVersion), options.Value.DockerHost)];
    }

    public static CheckResult Judge(string version, Version api, string place) =>
        new(
            Name,
            api >= Oldest,
            $"{version} (API {api}) answers at {place}",
            new($"upgrade it: PgFlow is tried with Docker 20.10 (API {Oldest}) and newer")
        );

    public static CheckResult Unreachable(string why) =>
        new(
            Name,
            Ok: false,
            why,
            new("start it, and let the worker's user use its socket; the worker's --docker-host says where it is")
        );
}

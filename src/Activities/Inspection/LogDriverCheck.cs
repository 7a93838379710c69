namespace PgFlow.Activities.Inspection;

/// <summary>What servers log can be read again: why one ended is found there.</summary>
/// <remarks>Docker (since 20.10) has a copy of its own for drivers that can't read, unless told not to.</remarks>
internal sealed class LogDriverCheck(DockerEngine docker) : IWorkerCheck
{
    private static readonly string[] Reading = ["json-file", "journald", "local"];

    public string What => "Log driver";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(InspectedHost host)
    {
        var daemon = await docker.CallAsync((client, token) => client.System.GetSystemInfoAsync(token));
        return
        [
            .. Judge(
                What,
                new("Docker's default", daemon.LoggingDriver, IsCached: true),
                [
                    .. host.Nodes.Select(node => new LogDriver(
                        node.Id.Container,
                        node.Docker.HostConfig!.LogConfig.Type,
                        node.Docker.HostConfig.LogConfig.Config?.TryGetValue("cache-disabled", out var off) is not true
                            || off != "true"
                    )),
                ]
            ),
        ];
    }

    public static IEnumerable<CheckResult> Judge(string what, LogDriver standard, IReadOnlyList<LogDriver> nodes)
    {
        LogDriver[] unreadable = [.. nodes.Prepend(standard).Where(driver => !IsReadable(driver))];
        return unreadable.Length == 0
            ? [new(what, Ok: true, $"{standard.Name}: what servers log can be read")]
            : unreadable.Select(driver => new CheckResult(
                what,
                Ok: false,
                $"{driver.Of}: {driver.Name} keeps nothing that can be read, so nothing says why a server ended",
                new(
                    "set log-driver to local in Docker's daemon.json and restart Docker; containers that are made from "
                        + "then on have it"
                )
            ));
    }

    private static bool IsReadable(LogDriver driver) =>
        Reading.Contains(driver.Name) || (driver.IsCached && driver.Name != "none");
}

/// <summary>Where a container's log goes.</summary>
/// <param name="Of">Whose it is.</param>
/// <param name="Name">The driver.</param>
/// <param name="IsCached">Docker keeps a copy of its own.</param>
internal sealed record LogDriver(string Of, string Name, bool IsCached);

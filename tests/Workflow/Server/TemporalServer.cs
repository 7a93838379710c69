using Temporalio.Api.OperatorService.V1;
using Temporalio.Client;
using Temporalio.Testing;

[assembly: AssemblyFixture(typeof(PgFlow.WorkflowTests.Server.TemporalServer))]

namespace PgFlow.WorkflowTests.Server;

/// <summary>One Temporal dev server for all tests, on a port of its own, with the settings of design §6.</summary>
public sealed class TemporalServer : IAsyncLifetime
{
    private static readonly string[] Settings =
    [
        "history.transferProcessorMaxPollRPS=2000",
        "history.timerProcessorMaxPollRPS=2000",
        "history.timerProcessorMaxTimeShift=\"20ms\"",
        "system.enableActivityEagerExecution=true",
    ];

    private WorkflowEnvironment? _environment;

    /// <summary>A client of the server, with PgFlow's converter.</summary>
    public ITemporalClient Client => _environment!.Client;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _environment = await WorkflowEnvironment.StartLocalAsync(
            new()
            {
                DataConverter = PgFlowJson.Converter,
                Identity = "pgflow-tests",
                DevServerOptions = new()
                {
                    ExistingPath = Program(),
                    LogLevel = "error",
                    ExtraArgs = [.. Settings.SelectMany(setting => new[] { "--dynamic-config-value", setting })],
                    StartupTimeout = TimeSpan.FromSeconds(30),
                },
            }
        );
        var request = new AddSearchAttributesRequest { Namespace = Client.Options.Namespace };
        foreach (var (name, type) in Attributes.All)
        {
            request.SearchAttributes.Add(name, type);
        }

        await Client.OperatorService.AddSearchAttributesAsync(request);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_environment is not null)
        {
            await _environment.ShutdownAsync();
        }
    }

    /// <summary>A program that is there already; null lets the SDK download one.</summary>
    private static string? Program()
    {
        if (Environment.GetEnvironmentVariable("PGFLOW_TEMPORAL_CLI") is { Length: > 0 } asked)
        {
            return asked;
        }

        string?[] folders =
        [
            Environment.GetEnvironmentVariable("PGFLOW_PROGRAMS"),
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator),
            "/opt/pgflow-tools",
        ];
        return folders
            .Where(folder => !string.IsNullOrEmpty(folder))
            .Select(folder => Path.Combine(folder!, "temporal"))
            .FirstOrDefault(File.Exists);
    }
}

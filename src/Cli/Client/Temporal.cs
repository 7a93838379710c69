using System.Text.RegularExpressions;
using Temporalio.Client;
using Temporalio.Common.EnvConfig;
using Temporalio.Exceptions;
using Temporalio.Runtime;

namespace PgFlow.Cli.Client;

/// <summary>How pgflow reaches Temporal.</summary>
internal static partial class Temporal
{
    public const string TaskQueue = "pgflow";

    /// <summary>How long a worker may take to decide what comes next: if it was killed meanwhile, another one goes on
    /// after that, and clients may be waiting. Temporal's default is 10 s.</summary>
    public static readonly TimeSpan TaskTimeout = TimeSpan.FromSeconds(5);

    public const string DefaultAddress = "localhost:7233";

    private const string DefaultNamespace = "default";

    /// <summary>Who uses pgflow, as records name them.</summary>
    public static string User { get; } = $"{Environment.UserName}@{Environment.MachineName}";

    /// <summary>The SDK's core logs to standard output, where data goes; what it has to say comes as exceptions
    /// too.</summary>
    private static TemporalRuntime Quiet { get; } = new(new() { Telemetry = new() { Logging = null } });

    public static async Task<ITemporalClient> ConnectAsync(
        string? address,
        string? @namespace,
        CancellationToken cancel
    )
    {
        var options = Options(address, @namespace);
        try
        {
            return await TemporalClient.ConnectAsync(options).WaitAsync(TimeSpan.FromSeconds(10), cancel);
        }
        catch (ArgumentException e)
        {
            throw new CliError(
                ExitCodes.Usage,
                $"{options.TargetHost} is no address of Temporal",
                e.Message,
                "give HOST:PORT with --address, or in TEMPORAL_ADDRESS"
            );
        }
        catch (Exception e)
            when (e is InvalidOperationException or RpcException or TimeoutException or RpcTimeoutOrCanceledException)
        {
            throw new CliError(
                ExitCodes.Unreachable,
                $"Temporal does not answer at {options.TargetHost}",
                Cause(e.Message),
                "start one with: pgflow dev, or name another: --address HOST:PORT"
            );
        }
    }

    /// <summary>The SDK's core wraps the operating system's few words in a dump of its own structures.</summary>
    private static string Cause(string message) =>
        Quoted().Match(message) is { Success: true } found ? found.Groups[1].Value : message;

    [GeneratedRegex("message: \"([^\"]+)\"", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    /// <summary>A variable that is set to nothing says nothing.</summary>
    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    /// <summary>Flag, else TEMPORAL_*, else temporal.toml, else localhost.</summary>
    public static TemporalClientConnectOptions Options(string? address, string? @namespace)
    {
        try
        {
            var options = ClientEnvConfig.LoadClientConnectOptions();
            options.TargetHost = Given(address) ?? Given(options.TargetHost) ?? DefaultAddress;
            options.Namespace = Given(@namespace) ?? Given(options.Namespace) ?? DefaultNamespace;
            options.Identity = User;
            options.Runtime = Quiet;
            options.DataConverter = PgFlowJson.Converter;
            return options;
        }
        catch (InvalidOperationException e)
        {
            throw new CliError(
                ExitCodes.Usage,
                "Temporal's settings can't be read",
                e.Message,
                "correct temporal.toml or the TEMPORAL_* variables"
            );
        }
    }
}

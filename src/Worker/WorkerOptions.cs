using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using Serilog.Events;
using Temporalio.Client;
using Temporalio.Common.EnvConfig;

namespace PgFlow.Worker;

/// <summary>The checked settings.</summary>
internal sealed class WorkerOptions
{
    /// <summary>The queue that procedures and their activities wait in.</summary>
    public const string TaskQueue = "pgflow";

    public required TemporalClientConnectOptions Connection { get; init; }

    public required bool JsonLog { get; init; }

    public required LogEventLevel LogLevel { get; init; }

    public required string? Metrics { get; init; }

    /// <summary>The collector that traces are sent to, and metrics too where they are not served.</summary>
    public required OtlpCollector? Otlp { get; init; }

    /// <summary>The SDK (1.21.1) sends them by gRPC only, whatever protocol it is told.</summary>
    public bool HasMetrics => Metrics is not null || Otlp is { IsHttp: false };

    public required TimeSpan Retention { get; init; }

    public required string HealthFile { get; init; }

    private static string DefaultHealthFile =>
        Path.Combine(
            Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData,
                Environment.SpecialFolderOption.DoNotVerify
            ),
            "pgflow",
            "worker.health"
        );

    /// <summary>Looks at every setting, also at the activities'; what is wrong is added to
    /// <paramref name="problems"/>.</summary>
    public static WorkerOptions Check(IConfiguration configuration, List<string> problems)
    {
        Valid(ConfigurationOption.Secrets, text => !File.Exists(text), "a directory");
        Valid(ConfigurationOption.Patience, IsPatience, "a number of seconds between 5 and 3600");
        Valid(ConfigurationOption.DockerHost, IsDockerHost, "unix:///PATH or tcp://HOST:PORT");
        Valid(ConfigurationOption.NotifyUrl, IsWebAddress, "http://… or https://…, without user and password");
        Valid(ConfigurationOption.NotifyProgram, IsProgram, "the full path of a program, and its arguments");
        Valid(ConfigurationOption.Ui, IsWebAddress, "http://… or https://…");
        problems.AddRange(TimeLimits.Problems(configuration));
        return new()
        {
            Connection = Connection(),
            JsonLog = Valid(ConfigurationOption.Log, text => text is "text" or "json", "text or json") == "json",
            LogLevel = Enum.Parse<LogEventLevel>(
                Valid(ConfigurationOption.LogLevel, IsLevel, "verbose, debug, information, warning or error")
                    ?? "information",
                ignoreCase: true
            ),
            Metrics = Valid(ConfigurationOption.Metrics, IsEndpoint, "IP:PORT, for example 127.0.0.1:9464"),
            Otlp = OtlpCollector.Of(Environment.GetEnvironmentVariable, problems),
            Retention = TimeSpan.FromDays(
                int.Parse(
                    Valid(ConfigurationOption.RetentionDays, IsDays, "a number of days between 1 and 36500") ?? "3650",
                    CultureInfo.InvariantCulture
                )
            ),
            HealthFile = configuration[ConfigurationOption.HealthFile.Path] ?? DefaultHealthFile,
        };

        string? Valid(ConfigurationOption setting, Func<string, bool> isValid, string wanted)
        {
            if (configuration[setting.Path] is not { } text || isValid(text))
            {
                return configuration[setting.Path];
            }

            problems.Add($"{setting.Flag} ({setting.Variable}): '{text}' is not {wanted}");
            return null;
        }

        TemporalClientConnectOptions Connection()
        {
            var options = FromTemporalToml(problems);
            options.TargetHost =
                Valid(ConfigurationOption.Address, IsHostAndPort, "HOST:PORT")
                ?? options.TargetHost
                ?? "localhost:7233";
            options.Namespace = configuration[ConfigurationOption.Namespace.Path] ?? options.Namespace;
            options.DataConverter = PgFlowJson.Converter;
            options.Identity = $"pgflow-worker@{Environment.MachineName}:{Environment.ProcessId}";
            return options;
        }
    }

    private static TemporalClientConnectOptions FromTemporalToml(List<string> problems)
    {
        try
        {
            return ClientEnvConfig.LoadClientConnectOptions();
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            problems.Add($"temporal.toml or TEMPORAL_*: {e.Message}");
            return new();
        }
    }

    private static bool IsDockerHost(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && uri.Scheme is "unix" or "tcp" or "http" or "https" or "npipe";

    private static bool IsWebAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https", UserInfo: "" };

    private static bool IsProgram(string text) =>
        NotificationProgram.FileOf(text) is var file && Path.IsPathFullyQualified(file) && File.Exists(file);

    private static bool IsLevel(string text) =>
        Enum.GetNames<LogEventLevel>().Contains(text, StringComparer.OrdinalIgnoreCase);

    private static bool IsEndpoint(string text) => IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port > 0;

    private static bool IsDays(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days is > 0 and <= 36500;

    private static bool IsPatience(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && seconds is >= 5 and <= 3600;

    private static bool IsHostAndPort(string text) =>
        Uri.TryCreate($"tcp://{text}", UriKind.Absolute, out var uri)
        && uri is { Port: > 0, PathAndQuery: "/" or "", UserInfo: "" };
}

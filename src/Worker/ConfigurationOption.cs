namespace PgFlow.Worker;

/// <summary>One thing that can be set: by flag, else by environment variable, else in the file.</summary>
/// <param name="Name">Its flag without the dashes.</param>
/// <param name="Key">Its name in section <see cref="Section"/> of the file.</param>
/// <param name="Meaning">What it is, for the help.</param>
internal sealed record ConfigurationOption(string Name, string Key, string Meaning)
{
    /// <summary>The section of the configuration that all settings stand in; the activities read theirs from it
    /// too.</summary>
    public const string Section = "PgFlow";

    public static readonly ConfigurationOption Address = new("address", "Address", "the Temporal server, HOST:PORT")
    {
        Variable = "TEMPORAL_ADDRESS",
    };
    public static readonly ConfigurationOption Namespace = new("namespace", "Namespace", "the Temporal namespace")
    {
        Variable = "TEMPORAL_NAMESPACE",
    };
    public static readonly ConfigurationOption Secrets = new(
        "secrets",
        "SecretsDirectory",
        "the directory of the clusters' password files"
    );
    public static readonly ConfigurationOption DockerHost = new(
        "docker-host",
        "DockerHost",
        "the Docker daemon (default: DOCKER_HOST, else unix:///var/run/docker.sock)"
    );
    public static readonly ConfigurationOption Log = new("log", "Log", "text (default) or json");
    public static readonly ConfigurationOption LogLevel = new(
        "log-level",
        "LogLevel",
        "verbose, debug, information (default), warning or error"
    );
    public static readonly ConfigurationOption Metrics = new(
        "metrics",
        "Metrics",
        "serve Prometheus metrics at IP:PORT"
    );
    public static readonly ConfigurationOption RetentionDays = new(
        "retention-days",
        "RetentionDays",
        "keep finished procedures in Temporal at least so long (default 3650)"
    );
    public static readonly ConfigurationOption Patience = new(
        "patience",
        "PatienceSeconds",
        "how long something that is waited for may stand still, in seconds (default 60)"
    );
    public static readonly ConfigurationOption NotifyUrl = new(
        "notify-url",
        "NotifyUrl",
        "post a CloudEvent here when a procedure begins, waits for a person, or has ended"
    );
    public static readonly ConfigurationOption NotifyProgram = new(
        "notify-program",
        "NotifyProgram",
        "run this program, with its arguments, and give it the same CloudEvent on its standard input"
    );
    public static readonly ConfigurationOption Ui = new("ui", "Ui", "Temporal's Web UI, for links in notifications");
    public static readonly ConfigurationOption HealthFile = new(
        "health-file",
        "HealthFile",
        "the file that is touched while the worker polls"
    );

    public static IReadOnlyList<ConfigurationOption> All { get; } =
    [
        Address,
        Namespace,
        Secrets,
        DockerHost,
        Log,
        LogLevel,
        Metrics,
        RetentionDays,
        Patience,
        NotifyUrl,
        NotifyProgram,
        Ui,
        HealthFile,
    ];

    public string Flag => $"--{Name}";

    public string Path => $"{Section}:{Key}";

    public string Variable { get; private init; } = $"PGFLOW_{Name.ToUpperInvariant().Replace('-', '_')}";
}

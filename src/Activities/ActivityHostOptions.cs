namespace PgFlow.Activities;

/// <summary>What the activities need to know of the machine that they work on; section <c>PgFlow</c> of the worker's
/// configuration.</summary>
public sealed class ActivityHostOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "PgFlow";

    /// <summary>Where the passwords of the clusters lie, one libpq password file each. Several workers share
    /// it.</summary>
    public string SecretsDirectory { get; set; } = DefaultSecretsDirectory;

    /// <summary>The Docker daemon, as in DOCKER_HOST: <c>unix://…</c> or <c>tcp://…</c>.</summary>
    public string DockerHost { get; set; } =
        Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } host
            ? host
            : "unix:///var/run/docker.sock";

    /// <summary>How long something that is waited for may stand still, in seconds: then nobody waits for ever, and
    /// clients least of all.</summary>
    public int PatienceSeconds { get; set; } = 60;

    /// <summary>How often an operation that fails is tried: a program that fails five times in a row fails a sixth time
    /// too.</summary>
    public int Attempts { get; set; } = 5;

    /// <summary>Where a notification is posted to; null for nowhere.</summary>
    public Uri? NotifyUrl { get; set; }

    /// <summary>The program that is run for a notification, with its arguments; null for none.</summary>
    public string? NotifyProgram { get; set; }

    /// <summary>Temporal's Web UI, for the links in notifications.</summary>
    public Uri? Ui { get; set; }

    /// <summary><see cref="PatienceSeconds"/> as a span.</summary>
    public TimeSpan Patience => TimeSpan.FromSeconds(PatienceSeconds);

    /// <summary>The default of <see cref="SecretsDirectory"/>.</summary>
    public static string DefaultSecretsDirectory =>
        Path.Combine(
            Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData,
                Environment.SpecialFolderOption.DoNotVerify
            ),
            "pgflow",
            "secrets"
        );
}

using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Serilog.Events;

namespace PgFlow.UnitTests.Worker;

public sealed class ConfigurationTests : IDisposable
{
    private readonly string file = Path.GetTempFileName();
    private readonly Dictionary<string, string> environment = [];
    private readonly List<string> problems = [];

    public void Dispose() => File.Delete(file);

    [Fact]
    public void Nothing_given_is_enough()
    {
        var options = Read();

        Assert.Empty(problems);
        Assert.Equal(TimeSpan.FromDays(3650), options.Retention);
        Assert.Equal(LogEventLevel.Information, options.LogLevel);
        Assert.False(options.JsonLog);
        Assert.Null(options.Metrics);
    }

    [Fact]
    public void A_flag_wins_over_the_environment_and_that_over_the_file()
    {
        File.WriteAllText(file, """{ "PgFlow": { "Address": "file:1", "Namespace": "file", "RetentionDays": 7 } }""");
        environment["PGFLOW_CONFIG"] = file;
        environment["TEMPORAL_ADDRESS"] = "environment:2";
        environment["TEMPORAL_NAMESPACE"] = "environment";

        var options = Read("--address=flag:3");

        Assert.Empty(problems);
        Assert.Equal("flag:3", options.Connection.TargetHost);
        Assert.Equal("environment", options.Connection.Namespace);
        Assert.Equal(TimeSpan.FromDays(7), options.Retention);
    }

    [Fact]
    public void All_errors_are_named_at_once()
    {
        File.WriteAllText(file, """{ "PgFlow": { "Adress": "x:1" } }""");
        environment["PGFLOW_LOG"] = "xml";
        environment["PGFLOW_SECRETS"] = file;

        Read(
            "--config",
            file,
            "--nope",
            "--retention-days",
            "-3",
            "--docker-host",
            "/var/run/docker.sock",
            "--log-level",
            "7",
            "--metrics"
        );

        Assert.Equivalent(
            new[]
            {
                "Required argument missing for option: '--metrics'.",
                "Unrecognized command or argument '--nope'.",
                "--docker-host (PGFLOW_DOCKER_HOST): '/var/run/docker.sock' is not unix:///PATH or tcp://HOST:PORT",
                $"--secrets (PGFLOW_SECRETS): '{file}' is not a directory",
                "--log (PGFLOW_LOG): 'xml' is not text or json",
                "--log-level (PGFLOW_LOG_LEVEL): '7' is not verbose, debug, information, warning or error",
                "--retention-days (PGFLOW_RETENTION_DAYS): '-3' is not a number of days between 1 and 36500",
                $"{file}: there is no setting PgFlow:Adress",
            },
            problems,
            strict: true
        );
    }

    [Fact]
    public void A_time_limit_is_taken_from_the_file_and_what_is_no_time_is_named()
    {
        File.WriteAllText(
            file,
            """{ "PgFlow": { "Limits": { "FastStop": "00:00:30", "Kill": "soon", "Docker": "20", "Archive": "00:01:00", "Stop": "1" } } }"""
        );

        var (_, configuration) = Load("--config", file);

        Assert.Equal("00:00:30", configuration["PgFlow:Limits:FastStop"]);
        Assert.Equivalent(
            new[]
            {
                $"{file}: there is no setting PgFlow:Limits:Stop",
                "PgFlow:Limits:Docker: '20' is not a time as hh:mm:ss, above zero and at most 23:59:59",
                "PgFlow:Limits:Kill: 'soon' is not a time as hh:mm:ss, above zero and at most 23:59:59",
                "PgFlow:Limits:Archive: '00:01:00' is not a time as hh:mm:ss, above zero and at most 00:00:35",
            },
            problems,
            strict: true
        );
    }

    [Fact]
    public void Every_time_limit_stands_in_the_docs_with_its_default()
    {
        var docs = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs/operations.md"));

        Assert.All(
            typeof(TimeLimits).GetProperties().Where(limit => limit.PropertyType == typeof(TimeSpan)),
            limit =>
                Assert.Contains(
                    $"| `{limit.Name}` | {limit.GetValue(new TimeLimits())} |",
                    docs,
                    StringComparison.Ordinal
                )
        );
    }

    [Theory]
    [InlineData("{ \"PgFlow\": ")]
    [InlineData("[]")]
    public void A_file_that_is_no_configuration_is_named(string content)
    {
        File.WriteAllText(file, content);

        Read("--config", file);

        Assert.StartsWith(file, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost:7233", true)]
    [InlineData("[::1]:7233", true)]
    [InlineData("localhost", false)]
    [InlineData("http://localhost:7233", false)]
    [InlineData("localhost:7233/path", false)]
    public void An_address_is_host_and_port(string address, bool valid)
    {
        Read("--address", address);

        Assert.Equal(valid, problems.Count == 0);
    }

    [Theory]
    [InlineData("--notify-url", "https://hooks.example/T0/s3cr3t?a=b", true)]
    [InlineData("--notify-url", "hooks.example/T0", false)]
    [InlineData("--notify-url", "ftp://hooks.example/", false)]
    [InlineData("--notify-url", "https://anna:s3cr3t@hooks.example/", false)]
    [InlineData("--notify-program", "/bin/sh", true)]
    [InlineData("--notify-program", "/bin/sh -c \"exit 1\"", true)]
    [InlineData("--notify-program", "sh", false)]
    [InlineData("--notify-program", "/bin", false)]
    [InlineData("--notify-program", "/no/such/program", false)]
    [InlineData("--notify-program", " ", false)]
    [InlineData("--ui", "http://localhost:8233", true)]
    [InlineData("--ui", "localhost:8233", false)]
    public void Who_is_notified_is_an_address_or_a_program_that_is_there(string flag, string value, bool valid)
    {
        Read(flag, value);

        Assert.Equal(valid, problems.Count == 0);
        Assert.All(problems, problem => Assert.StartsWith($"{flag} (PGFLOW_", problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Who_is_notified_reaches_the_activities()
    {
        File.WriteAllText(
            file,
            """{ "PgFlow": { "NotifyProgram": "/bin/sh -c true", "NotifyUrl": "http://file/" } }"""
        );
        environment["PGFLOW_NOTIFY_URL"] = "http://environment/";
        environment["PGFLOW_UI"] = "http://ui/";
        var (_, configuration) = Load("--config", file);
        using var services = new ServiceCollection().AddPgFlowActivities(configuration).BuildServiceProvider();

        var options = services.GetRequiredService<IOptions<ActivityHostOptions>>().Value;
        Assert.Equal(
            ("http://environment/", "/bin/sh -c true", "http://ui/"),
            ($"{options.NotifyUrl}", options.NotifyProgram, $"{options.Ui}")
        );
    }

    private WorkerOptions Read(params string[] args) => Load(args).Options;

    private (WorkerOptions Options, IConfiguration Configuration) Load(params string[] args)
    {
        var line = WorkerCommandLine.Root.Parse(args);
        var configuration = ConfigurationLoader.Read(line, name => environment.GetValueOrDefault(name), problems);
        return (WorkerOptions.Check(configuration, problems), configuration);
    }

    private static string Here([CallerFilePath] string path = "") => path;
}

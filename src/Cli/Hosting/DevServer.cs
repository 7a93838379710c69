using System.Globalization;
using Temporalio.Testing;

namespace PgFlow.Cli.Hosting;

/// <summary>Temporal's dev server as PgFlow starts it.</summary>
/// <param name="Port">Where it answers.</param>
/// <param name="UiPort">Where its Web UI is.</param>
/// <param name="Data">The folder of its database.</param>
internal sealed record DevServer(int Port, int UiPort, string Data)
{
    /// <summary>With its own defaults an activity costs 100 ms and a retry a second (design §6, "Server
    /// settings").</summary>
    private static readonly string[] Fast =
    [
        "--dynamic-config-value",
        "history.transferProcessorMaxPollRPS=2000",
        "--dynamic-config-value",
        "history.timerProcessorMaxPollRPS=2000",
        "--dynamic-config-value",
        "history.timerProcessorMaxTimeShift=\"20ms\"",
        "--dynamic-config-value",
        "system.enableActivityEagerExecution=true",
        "--sqlite-pragma",
        "journal_mode=wal", // each commit is synced once instead of three times
    ];

    public string Address => $"127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}";

    public string Log => Path.Combine(Data, "temporal.log");

    private string Database => Path.Combine(Data, "temporal.db");

    public static string DefaultData =>
        Path.Combine(
            Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } home
                ? home
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share"),
            "pgflow"
        );

    /// <summary>Starts <paramref name="program"/>, or what the SDK downloads where there is none.</summary>
    public async Task<IAsyncDisposable> StartAsync(string? program)
    {
        Directory.CreateDirectory(Data);
        return program is null ? await DownloadAsync() : Start(program);
    }

    /// <summary>A group of its own, so that Ctrl-C stops the worker first, while the server still takes its last
    /// words.</summary>
    private ChildProgram Start(string program)
    {
        string[] server =
        [
            "sh",
            "-c",
            "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null",
            "sh",
            Log,
            program,
            "server",
            "start-dev",
            "--ip",
            "127.0.0.1",
            "--port",
            Text(Port),
            "--ui-port",
            Text(UiPort),
            "--db-filename",
            Database,
            "--log-level",
            "warn",
            .. Fast,
        ];
        return ProgramFiles.Find("setsid", [Environment.GetEnvironmentVariable("PATH")]) is { } setsid
            ? ChildProgram.Start(setsid, server)
            : ChildProgram.Start(server[0], server[1..]);
    }

    private async Task<IAsyncDisposable> DownloadAsync()
    {
        try
        {
            return await WorkflowEnvironment.StartLocalAsync(
                new()
                {
                    TargetHost = Address,
                    UI = true,
                    UIPort = UiPort,
                    DevServerOptions = new() { DatabaseFilename = Database, ExtraArgs = Fast },
                }
            );
        }
        catch (InvalidOperationException e)
        {
            throw new CliError(
                ExitCodes.Failed,
                "Temporal's dev server can't be started",
                e.Message,
                "without the internet: name Temporal's command line program with --temporal-cli or PGFLOW_TEMPORAL_CLI"
            );
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

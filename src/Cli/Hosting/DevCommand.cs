using System.CommandLine;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Hosting;

/// <summary>Temporal and a worker in one, for a laptop and the demo.</summary>
internal static class DevCommand
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    /// <summary>Exit codes above are those of programs that a signal ended.</summary>
    private const int Killed = 128;

    private static readonly Option<int> Port = new("--port")
    {
        CustomParser = Flags.WholeNumber,
        DefaultValueFactory = _ => 7233,
        HelpName = "PORT",
        Description = "Where Temporal answers",
    };

    private static readonly Option<int> UiPort = new("--ui-port")
    {
        CustomParser = Flags.WholeNumber,
        DefaultValueFactory = _ => 8233,
        HelpName = "PORT",
        Description = "Where the Web UI is",
    };

    private static readonly Option<string> Data = new("--data")
    {
        DefaultValueFactory = _ => DevServer.DefaultData,
        HelpName = "DIR",
        Description = "Where Temporal's database is; a restart goes on with it",
    };

    private static readonly Option<string?> Program = new("--temporal-cli")
    {
        HelpName = "FILE",
        Description =
            "Temporal's command line program; else PGFLOW_TEMPORAL_CLI, PATH, the folder PGFLOW_PROGRAMS, else "
            + "a download",
    };

    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "dev",
            "Run a Temporal dev server and a worker",
            [Port, UiPort, Data, Program, Flags.Namespace, Flags.Debug],
            RunAsync
        );

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var server = new DevServer(
            call.Parsed.GetValue(Port),
            call.Parsed.GetValue(UiPort),
            Path.GetFullPath(call.Parsed.GetRequiredValue(Data))
        );
        var worker = ProgramFiles.Worker();
        if (await AnswersAsync(server.Address))
        {
            call.Terminal.WriteInfo($"Temporal runs at {server.Address} already and is used");
            await SayOthersAsync(call, server, cancel);
            return await WorkAsync(call, server, worker, cancel);
        }

        await using var started = await server.StartAsync(ProgramFiles.TemporalCli(call.Parsed.GetValue(Program)));
        await ReadyAsync(server, started as ChildProgram, cancel);
        call.Terminal.WriteInfo($"Temporal answers at {server.Address}, its data is in {server.Data}");
        return await WorkAsync(call, server, worker, cancel);
    }

    /// <summary>Several workers are no mistake, but somebody who does not know of the other waits for a step that it
    /// does, with its Docker and its secrets.</summary>
    private static async Task SayOthersAsync(InvocationContext call, DevServer server, CancellationToken cancel)
    {
        try
        {
            var client = await Temporal.ConnectAsync(server.Address, call.Parsed.GetValue(Flags.Namespace), cancel);
            if (Others(await SeenWorker.AllAsync(client, TaskQueueType.Activity, cancel)) is { } others)
            {
                call.Terminal.WriteInfo(others);
            }
        }
        catch (Exception e) when (e is RpcException or CliError)
        {
            // the namespace may not be there yet: the worker waits for it
        }
    }

    /// <summary>What is said of workers that are there already; null where there are none.</summary>
    internal static string? Others(IReadOnlyCollection<SeenWorker> there) =>
        there.Count == 0
            ? null
            : $"A worker is there already: {string.Join(", ", there)}.\n"
                + "Another one is started beside it, and steps go to either: both need the same build, Docker daemon "
                + "and secrets directory.\nCtrl-C stops only the one that is started here.";

    private static async Task<int> WorkAsync(
        InvocationContext call,
        DevServer server,
        string worker,
        CancellationToken cancel
    )
    {
        call.Terminal.WriteInfo(
            $"Web UI: http://localhost:{server.UiPort}\nStop with Ctrl-C; running procedures go on at the next start."
        );
        while (true)
        {
            await using var working = ChildProgram.Start(
                worker,
                [],
                new Dictionary<string, string?>(
                    WorkerCommand.Reaching(server.Address, call.Parsed.GetValue(Flags.Namespace))
                )
                {
                    ["PGFLOW_UI"] =
                        Environment.GetEnvironmentVariable("PGFLOW_UI") ?? $"http://localhost:{server.UiPort}",
                }
            );
            var code = await WorkerCommand.UntilAsync(working, cancel);
            if (cancel.IsCancellationRequested)
            {
                return ExitCodes.Done;
            }

            if (code <= Killed)
            {
                throw new CliError(
                    ExitCodes.Failed,
                    $"the worker ended by itself with exit code {code}",
                    "see what it said above"
                );
            }

            call.Terminal.WriteInfo($"the worker was killed (exit code {code}); another goes on with what it did");
        }
    }

    private static async Task ReadyAsync(DevServer server, ChildProgram? program, CancellationToken cancel)
    {
        var limit = DateTimeOffset.UtcNow + StartLimit;
        while (!await AnswersAsync(server.Address))
        {
            if (program?.Ended.IsCompleted is true || DateTimeOffset.UtcNow > limit)
            {
                throw new CliError(
                    ExitCodes.Unreachable,
                    $"Temporal does not start on port {server.Port}",
                    "another program may use the port or the database",
                    $"see {server.Log}"
                );
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), cancel);
        }
    }

    private static async Task<bool> AnswersAsync(string address)
    {
        try
        {
            var client = await TemporalClient
                .ConnectAsync(Temporal.Options(address, null))
                .WaitAsync(TimeSpan.FromSeconds(2));
            return await client.Connection.CheckHealthAsync(
                options: new() { Timeout = TimeSpan.FromSeconds(2), Retry = false }
            );
        }
        catch (Exception e) when (e is not CliError)
        {
            return false;
        }
    }
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using Temporalio.Exceptions;

namespace PgFlow.Cli;

/// <summary>All commands, and how a call ends.</summary>
internal static class CommandLine
{
    /// <summary>Longer than a worker's graceful shutdown, which <c>worker</c> and <c>dev</c> wait for.</summary>
    private static readonly TimeSpan Shutdown = TimeSpan.FromSeconds(60);

    /// <summary>A word that begins with @, as a schedule may, is no file of arguments.</summary>
    private static readonly ParserConfiguration Literally = new() { ResponseFileTokenReplacer = null };

    public static async Task<int> RunAsync(IReadOnlyList<string> args, Terminal terminal)
    {
        try
        {
            var typed = Read(args, terminal);
            var words = Preferences.Added(Preferences.Place, args, typed);
            return await InvokeAsync(words, words == args ? typed : Read(words, terminal), terminal);
        }
        catch (CliError error)
        {
            Tell(terminal, error, IsJson(args));
            return error.ExitCode;
        }
    }

    private static async Task<int> InvokeAsync(IReadOnlyList<string> args, ParseResult parsed, Terminal terminal)
    {
        var json = IsJson(args);
        if ((InputCheck.Of(parsed) ?? Unreadable(parsed, json)) is { } wrong)
        {
            Tell(terminal, wrong, json);
            return wrong.ExitCode;
        }

        if (parsed.GetValue(Flags.Utc))
        {
            ShownTime.Zone = TimeZoneInfo.Utc;
        }

        var usage = parsed.Action is ParseErrorAction;
        if (parsed.Action is ParseErrorAction mistake)
        {
            mistake.ShowHelp = args.Count == 0;
        }

        var configuration = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = Shutdown,
            Output = (usage ? terminal.Error : terminal.Out).Profile.Out.Writer,
            Error = terminal.Error.Profile.Out.Writer,
        };
        try
        {
            using var hangUp = new CancellationTokenSource();
            using var hangUps = PosixSignalRegistration.Create(
                PosixSignal.SIGHUP,
                signal =>
                {
                    signal.Cancel = true;
                    hangUp.Cancel();
                }
            );
            var code = await parsed.InvokeAsync(configuration, hangUp.Token);
            return usage ? ExitCodes.Usage : code;
        }
        catch (Exception e) when (ErrorOf(e) is { } error)
        {
            Tell(terminal, error, json, parsed.GetValue(Flags.Debug) ? e : null);
            return error.ExitCode;
        }
    }

    public static ParseResult Read(IReadOnlyList<string> args, Terminal terminal) =>
        Root(terminal).Parse(args, Literally);

    public static RootCommand Root(Terminal terminal)
    {
        var root = new RootCommand("PostgreSQL's dangerous procedures as durable Temporal workflows");
        foreach (
            var command in (IEnumerable<Command>)
                [
                    DevCommand.Command(terminal),
                    WorkerCommand.Command(terminal),
                    StatusCommand.Command(terminal),
                    .. ProcedureCommands.All.Select(command => command.Command(terminal)),
                    ConfigCommand.Command(terminal),
                    WitnessCommand.Command(terminal),
                    RunCommand.Command(terminal),
                    TimelineCommand.Command(terminal),
                    BackupsCommand.Command(terminal),
                    HistoryCommand.Command(terminal),
                    ShowCommand.Command(terminal),
                    WatchCommand.Command(terminal),
                    .. DecisionCommands.Commands(terminal),
                    .. NodeCommands.Commands(terminal),
                    ConnectionCommand.Command(terminal),
                    DoctorCommand.Command(terminal),
                    CompletionsCommand.Command(terminal),
                ]
        )
        {
            root.Add(command);
        }

        return root;
    }

    /// <summary>By the words themselves: what can't be read is said as it was asked for, too.</summary>
    private static bool IsJson(IReadOnlyList<string> args) =>
        args.Zip(args.Skip(1).Append(""))
            .Any(pair =>
                pair.First.ToLowerInvariant()
                    is "-o=json"
                        or "-o:json"
                        or "-ojson"
                        or "--output=json"
                        or "--output:json"
                || (pair.First is "-o" or "--output" && pair.Second.Equals("json", StringComparison.OrdinalIgnoreCase))
            );

    /// <summary>What the parser alone can't say: that it can't read a line, as JSON, or where help is asked for with
    /// it.</summary>
    private static CliError? Unreadable(ParseResult parsed, bool json)
    {
        IReadOnlyList<string> problems =
            parsed.Action is ParseErrorAction && json ? [.. parsed.Errors.Select(error => error.Message)]
            : parsed.Action is HelpAction
                ? [.. parsed.UnmatchedTokens.Select(word => $"'{word}' is no command of pgflow")]
            : [];
        return problems.Count == 0
            ? null
            : new(ExitCodes.Usage, "the line can't be read", problems, "see: pgflow --help");
    }

    private static void Tell(Terminal terminal, CliError error, bool json, Exception? cause = null)
    {
        try
        {
            if (json)
            {
                terminal.Json(
                    new
                    {
                        error = new
                        {
                            error.ExitCode,
                            error.Message,
                            error.Detail,
                            error.Hints,
                        },
                    }
                );
            }
            else
            {
                terminal.WriteError(error);
            }

            if (cause is not null)
            {
                terminal.WriteInfo(cause.ToString());
            }
        }
        catch (IOException)
        {
            // the terminal was closed: the exit code says it
        }
    }

    private static CliError? ErrorOf(Exception e) =>
        e switch
        {
            CliError error => error,
            RpcException { Code: RpcException.StatusCode.NotFound } => new(
                ExitCodes.Usage,
                e.Message,
                hint: "look for it: pgflow history"
            ),
            RpcException
            {
                Code: RpcException.StatusCode.PermissionDenied or RpcException.StatusCode.Unauthenticated
            } => new(
                ExitCodes.Unreachable,
                "Temporal refuses this user",
                e.Message,
                "check TEMPORAL_API_KEY, TLS and the namespace"
            ),
            RpcException { Code: RpcException.StatusCode.InvalidArgument } => new(
                ExitCodes.Failed,
                "Temporal does not understand pgflow",
                e.Message,
                "pgflow doctor"
            ),
            RpcException or RpcTimeoutOrCanceledException when !IsCancel(e) => new(
                ExitCodes.Unreachable,
                "Temporal does not answer",
                e.Message,
                "pgflow doctor"
            ),
            _ when IsCancel(e) => new(ExitCodes.StoppedFollowing, "stopped"),
            _ => new(
                ExitCodes.Failed,
                e.Message,
                $"a bug in pgflow: {e.GetType().Name}",
                "run it again with --debug and report what it says"
            ),
        };

    private static bool IsCancel(Exception e) =>
        e is OperationCanceledException or RpcException { Code: RpcException.StatusCode.Cancelled }
        && e is not RpcTimeoutOrCanceledException { InnerException: TimeoutException };
}

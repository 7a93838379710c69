using System.CommandLine;

namespace PgFlow.Cli.Hosting;

/// <summary>A worker. It is another program, so that pgflow carries neither Docker nor PostgreSQL.</summary>
internal static class WorkerCommand
{
    private static readonly Argument<string[]> Arguments = new("ARGUMENTS")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = "Passed on to pgflow-worker",
    };

    public static Command Command(Terminal terminal)
    {
        var command = InvocationContext.CommandOf(
            terminal,
            "worker",
            "Run a worker; what follows is for it",
            [Arguments, Flags.Address, Flags.Namespace, Flags.Debug],
            RunAsync
        );
        command.TreatUnmatchedTokensAsErrors = false;
        return command;
    }

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        await using var worker = ChildProgram.Start(
            ProgramFiles.Worker(),
            [.. call.Parsed.GetValue(Arguments) ?? [], .. call.Parsed.UnmatchedTokens],
            Reaching(call.Parsed.GetValue(Flags.Address), call.Parsed.GetValue(Flags.Namespace))
        );
        return await UntilAsync(worker, cancel);
    }

    /// <summary>The worker reads where Temporal is from the environment, as pgflow does.</summary>
    public static Dictionary<string, string?> Reaching(string? address, string? @namespace) =>
        new() { ["TEMPORAL_ADDRESS"] = address, ["TEMPORAL_NAMESPACE"] = @namespace };

    /// <summary>Runs until it ends by itself or pgflow is told to stop, which the worker is told too.</summary>
    public static async Task<int> UntilAsync(ChildProgram worker, CancellationToken cancel)
    {
        await Task.WhenAny(worker.Ended, Task.Delay(Timeout.Infinite, cancel));
        return cancel.IsCancellationRequested ? await worker.StopAsync() : await worker.Ended;
    }
}

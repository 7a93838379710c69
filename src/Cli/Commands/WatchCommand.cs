using System.CommandLine;

namespace PgFlow.Cli.Commands;

/// <summary>Follows a procedure that somebody started.</summary>
internal static class WatchCommand
{
    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "watch",
            "Follow a procedure to its end; the exit code is as if it had been started here",
            [Flags.Id, Flags.Timeout, .. Flags.Connection],
            async (call, cancel) =>
            {
                var client = await call.ConnectAsync(cancel);
                var handle = client.GetWorkflowHandle((await call.MeantAsync(client, toDecide: false, cancel)).Id);
                return await new ProcedureFollower(call, client, handle).UntilEndAsync(cancel);
            }
        );
}

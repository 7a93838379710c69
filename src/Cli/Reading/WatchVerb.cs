using System.CommandLine;

namespace PgFlow.Cli;

/// <summary>Follows a procedure that somebody started.</summary>
internal static class WatchVerb
{
    public static Command Command(Terminal terminal) =>
        Call.Verb(
            terminal,
            "watch",
            "Follow a procedure to its end; the exit code is as if it had been started here",
            [Flags.Id, Flags.Timeout, .. Flags.Connection],
            async (call, cancel) =>
            {
                var client = await call.ConnectAsync(cancel);
                var handle = client.GetWorkflowHandle(call.Id);
                await handle.DescribeAsync(new() { Rpc = new() { CancellationToken = cancel } });
                return await new Follow(call, client, handle).UntilEndAsync(cancel);
            }
        );
}

using System.CommandLine;
using System.CommandLine.Completions;
using Temporalio.Client;

namespace PgFlow.Cli.Commands;

/// <summary>What Temporal knows, for a shell's completion.</summary>
internal static class Completed
{
    /// <summary>Somebody has pressed a key and waits.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    public static Argument<T> CompletedBy<T>(
        this Argument<T> argument,
        Func<ITemporalClient, CancellationToken, Task<IReadOnlyList<string>>> findAsync
    )
    {
        argument.CompletionSources.Add(context => Complete(context, findAsync));
        return argument;
    }

    private static IEnumerable<CompletionItem> Complete(
        CompletionContext context,
        Func<ITemporalClient, CancellationToken, Task<IReadOnlyList<string>>> findAsync
    )
    {
        try
        {
            return AskAsync(context.ParseResult, findAsync)
                .GetAwaiter()
                .GetResult()
                .Select(name => new CompletionItem(name));
        }
        catch (Exception)
        {
            return []; // a completion never complains
        }
    }

    private static async Task<IReadOnlyList<string>> AskAsync(
        ParseResult parsed,
        Func<ITemporalClient, CancellationToken, Task<IReadOnlyList<string>>> findAsync
    )
    {
        using var limit = new CancellationTokenSource(Limit);
        var client = await Temporal.ConnectAsync(
            parsed.GetValue(Flags.Address),
            parsed.GetValue(Flags.Namespace),
            limit.Token
        );
        return await findAsync(client, limit.Token);
    }
}

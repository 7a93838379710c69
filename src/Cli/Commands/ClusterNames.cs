using System.CommandLine;
using System.CommandLine.Completions;

namespace PgFlow.Cli.Commands;

/// <summary>The clusters that Temporal knows, for a shell's completion.</summary>
internal static class ClusterNames
{
    /// <summary>Somebody has pressed a key and waits.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    public static Argument<T> CompletedByName<T>(this Argument<T> argument)
    {
        argument.CompletionSources.Add(Complete);
        return argument;
    }

    private static IEnumerable<CompletionItem> Complete(CompletionContext context)
    {
        try
        {
            return FindAsync(context.ParseResult).GetAwaiter().GetResult().Select(name => new CompletionItem(name));
        }
        catch (Exception)
        {
            return []; // a completion never complains
        }
    }

    private static async Task<IReadOnlyList<string>> FindAsync(ParseResult parsed)
    {
        using var limit = new CancellationTokenSource(Limit);
        var client = await Temporal.ConnectAsync(
            parsed.GetValue(Flags.Address),
            parsed.GetValue(Flags.Namespace),
            limit.Token
        );
        return await Runs.ClustersAsync(client, limit.Token);
    }
}

using System.CommandLine;
using PgFlow.Workflows;

namespace PgFlow.Cli;

/// <summary>A cluster's branches, and what can be recovered to.</summary>
internal static class TimelineVerb
{
    private static readonly Option<string?> Html = new("--html") { HelpName = "FILE", Description = "Write it as one HTML page with a picture" };

    private static readonly Option<bool> Check = new("--check") { Description = "Only say what is not as it should be; exit 1 when something is" };

    public static Command Command(Terminal terminal) => Call.Verb(
        terminal,
        "timeline",
        "The tree of branches with their times, procedures, backups and restore points",
        [Flags.Cluster, Html, Check, Flags.Timeout, .. Flags.Connection],
        RunAsync);

    private static async Task<int> RunAsync(Call call, CancellationToken cancel)
    {
        var tree = await new Look(call).ForAsync<TimelineTree>(nameof(InspectTimeline), cancel);
        var check = call.Parsed.GetValue(Check);
        if (call.Parsed.GetValue(Html) is { } file)
        {
            await WriteAsync(file, TimelinePage.Of(tree), cancel);
            call.Terminal.Say($"written: {file}");
        }

        if (call.Json)
        {
            call.Terminal.Json(tree);
        }
        else if (check)
        {
            TimelineText.WriteFindings(call.Terminal.Data, tree);
        }
        else
        {
            TimelineText.Write(call.Terminal.Data, tree);
        }

        return check && tree.Findings.Count > 0 ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static async Task WriteAsync(string file, string page, CancellationToken cancel)
    {
        try
        {
            await File.WriteAllTextAsync(file, page, cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliError(ExitCodes.Usage, $"{file} can't be written", e.Message, "name another file with --html");
        }
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;

namespace PgFlow.Cli.Commands;

/// <summary>A cluster's branches, and what can be recovered to.</summary>
internal static class TimelineCommand
{
    private static readonly Option<string?> Html = new("--html")
    {
        HelpName = "FILE",
        Description = "Write it as one HTML page with a picture",
    };

    private static readonly Option<bool> Check = new("--check")
    {
        Description = "Only say what is not as it should be; exit 1 when something is",
    };

    private static readonly Option<bool> Rebuild = new("--rebuild")
    {
        Description = "Write into the ledger what it lacks and the WAL tells: openings of timelines, restore points",
    };

    private static readonly ProcedureCommand Rebuilding = new(ProcedureList.Find(nameof(RebuildLedger))!);

    public static Command Command(Terminal terminal)
    {
        var command = InvocationContext.CommandOf(
            terminal,
            "timeline",
            "The tree of branches with their times, procedures, backups and restore points",
            [Flags.Cluster, Html, Check, Rebuild, .. Flags.Start, .. Flags.Connection],
            (call, cancel) =>
                call.Parsed.GetValue(Rebuild)
                    ? new ProcedureStarter(call).RunAsync(Rebuilding.RequestOf(call), cancel)
                    : ShowAsync(call, cancel),
            Rebuilding.Problems
        );
        command.Validators.Add(RefuseMixture);
        return command;
    }

    /// <summary>To look and to rebuild are two things.</summary>
    private static void RefuseMixture(CommandResult given)
    {
        var rebuild = given.GetValue(Rebuild);
        foreach (
            var option in (rebuild ? [Html, Check] : Flags.Start.Except([Flags.Timeout])).Where(option =>
                given.GetResult(option) is { Implicit: false }
            )
        )
        {
            given.AddError(
                rebuild
                    ? $"{option.Name} shows the tree, --rebuild changes the ledger: give one of them"
                    : $"{option.Name} is for --rebuild; without it the tree is only shown"
            );
        }
    }

    private static async Task<int> ShowAsync(InvocationContext call, CancellationToken cancel)
    {
        var tree = await new InspectionClient(call).ForAsync<TimelineTree>(nameof(InspectTimeline), cancel);
        var check = call.Parsed.GetValue(Check);
        if (call.Parsed.GetValue(Html) is { } file)
        {
            await WriteAsync(file, TimelinePage.Of(tree), cancel);
            call.Terminal.WriteInfo($"written: {file}");
        }

        if (call.Json)
        {
            call.Terminal.Json(tree);
        }
        else if (check)
        {
            TimelineText.WriteFindings(call.Terminal.Out, tree);
        }
        else
        {
            TimelineText.Write(call.Terminal.Out, tree);
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

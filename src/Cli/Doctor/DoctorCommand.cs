using System.CommandLine;
using Spectre.Console;

namespace PgFlow.Cli.Doctor;

/// <summary>What is missing, and the command that provides it.</summary>
internal static class DoctorCommand
{
    /// <summary>What is looked at, in this order.</summary>
    private static readonly IDoctorCheck[] Checks =
    [
        new ConnectionCheck(),
        new RetentionCheck(),
        new SearchAttributesCheck(),
        new WorkersCheck(),
        new WorkflowTasksCheck(),
        new SchedulesCheck(),
        new WaitingCheck(),
    ];

    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "doctor",
            "What is missing, and the command that provides it",
            [.. Flags.Connection],
            RunAsync
        );

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var client = await call.ConnectAsync(cancel);
        var answers = new List<DoctorAnswer>();
        foreach (var check in Checks)
        {
            var found = await check.RunAsync(client, cancel);
            answers.AddRange(found);
            if (!call.Json)
            {
                Print(call.Terminal, found); // the next one may take long
            }
        }

        if (call.Json)
        {
            call.Terminal.Json(answers);
        }

        return answers.TrueForAll(answer => answer.Ok) ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static void Print(Terminal terminal, IReadOnlyList<DoctorAnswer> answers)
    {
        foreach (var answer in answers)
        {
            terminal.Out.MarkupLine(
                $"{(answer.Ok ? "[green]✓[/]" : "[red]✗[/]")} {Markup.Escape(answer.What)}: "
                    + $"{Markup.Escape(answer.Found)}"
            );
            if (answer is { Ok: false, Hint: { } hint })
            {
                terminal.Out.WriteLine($"    hint: {hint}");
            }
        }
    }
}

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
            answers.AddRange(await check.RunAsync(client, cancel));
        }

        Print(call, answers);
        return answers.TrueForAll(answer => answer.Ok) ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static void Print(InvocationContext call, List<DoctorAnswer> answers)
    {
        if (call.Json)
        {
            call.Terminal.Json(answers);
            return;
        }

        foreach (var answer in answers)
        {
            call.Terminal.Out.MarkupLine(
                $"{(answer.Ok ? "[green]✓[/]" : "[red]✗[/]")} {Markup.Escape(answer.What)}: "
                    + $"{Markup.Escape(answer.Found)}"
            );
            if (answer is { Ok: false, Hint: { } hint })
            {
                call.Terminal.Out.WriteLine($"    hint: {hint}");
            }
        }
    }
}

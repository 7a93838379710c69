using Spectre.Console;

namespace PgFlow.Cli.Progress;

/// <summary>A plan for people.</summary>
internal static class PlanText
{
    /// <summary>Stands before the first step that nothing takes back.</summary>
    public const string NoReturn = "-- point of no return: from here on only forward --";

    public static void Write(IAnsiConsole console, PlanView plan)
    {
        console.MarkupLineInterpolated($"[bold]{plan.Summary}[/]");
        WriteReasons(console, plan);
        var before = plan.Steps.TakeWhile(step => !step.AfterPointOfNoReturn).Count();
        foreach (var (step, index) in plan.Steps.Select((step, index) => (step, index)))
        {
            if (index == before)
            {
                console.MarkupLineInterpolated($"     [yellow]{NoReturn}[/]");
            }

            console.MarkupLineInterpolated($"  [grey]{index + 1, 2}[/] {step.Title}");
        }
    }

    /// <summary>What it rests on and what a person should weigh.</summary>
    public static void WriteReasons(IAnsiConsole console, PlanView plan)
    {
        foreach (var fact in plan.Facts)
        {
            console.WriteLine($"  {fact}");
        }

        WriteWarnings(console, plan);
    }

    /// <summary>What a person should weigh.</summary>
    public static void WriteWarnings(IAnsiConsole console, PlanView plan)
    {
        foreach (var warning in PgFlowText.First([.. plan.Warnings.Select(HintText.Line)]))
        {
            console.MarkupLineInterpolated($"  [yellow]⚠ {warning}[/]");
        }
    }
}

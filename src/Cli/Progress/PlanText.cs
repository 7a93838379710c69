using Spectre.Console;

namespace PgFlow.Cli.Progress;

/// <summary>A plan for people.</summary>
internal static class PlanText
{
    public static void Write(IAnsiConsole console, PlanView plan)
    {
        console.MarkupLineInterpolated($"[bold]{plan.Summary}[/]");
        WriteReasons(console, plan);
        foreach (var (title, index) in plan.Steps.Select((step, index) => (step.Title, index)))
        {
            console.MarkupLineInterpolated($"  [grey]{index + 1, 2}[/] {title}");
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

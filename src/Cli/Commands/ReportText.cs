using Spectre.Console;

namespace PgFlow.Cli.Commands;

/// <summary>The report of a procedure that has ended, for who comes later.</summary>
internal static class ReportText
{
    public static void Print(InvocationContext call, string workflowId, ProcedureResult end)
    {
        if (call.Json || end.Report is not { } report)
        {
            EndText.Print(call, workflowId, end);
            return;
        }

        Write(call.Terminal.Out, report);
    }

    public static void Write(IAnsiConsole data, Report report)
    {
        data.MarkupLineInterpolated($"[bold]{report.Procedure} {report.Cluster}[/]: {End(report.Outcome)}");
        data.WriteLine(report.Summary);
        data.WriteLine();
        var facts = new Grid().AddColumns(2);
        Fact(facts, "by", report.By);
        Fact(facts, "reason", report.Reason);
        Fact(facts, "began", ShownTime.Of(report.StartedAt));
        Fact(facts, "ended", $"{ShownTime.Of(report.EndedAt)} (worked {PgFlowText.Took(report.Took)})");
        Fact(
            facts,
            "clients",
            report.OutageMilliseconds is { } outage
                ? $"could not write for {PgFlowText.Took(TimeSpan.FromMilliseconds(outage))} of it, proof included"
                : null
        );
        Fact(facts, "ID", report.WorkflowId);
        Fact(facts, "run", report.RunId);
        data.Write(facts);
        foreach (var act in report.Acts)
        {
            data.WriteLine(PgFlowText.Of(act, ShownTime.Of));
        }

        if (report.Plan is { } plan)
        {
            data.WriteLine();
            PlanText.WriteReasons(data, plan);
        }

        data.Write(
            StepsText.Table(report.Steps, report.Steps.Count == 0 ? report.Plan?.Steps ?? [] : [], report.EndedAt)
        );
        foreach (var note in report.Notes)
        {
            data.WriteLine($"- {note}");
        }

        foreach (var hint in report.Hints)
        {
            data.WriteLine($"  hint: {HintText.Of(hint)}");
        }
    }

    private static string End(ProcedureStatus outcome)
    {
        var (word, sentence) = (PgFlowText.Word(outcome), PgFlowText.Sentence(outcome, null));
        return sentence.StartsWith(word, StringComparison.Ordinal) ? sentence : $"{word}, {sentence}";
    }

    private static void Fact(Grid grid, string name, string? value)
    {
        if (value is not null)
        {
            grid.AddRow(new Text(name, new Style(Color.Grey)), new Text(value));
        }
    }
}

using Spectre.Console;

namespace PgFlow.Cli.Progress;

/// <summary>Says how a procedure ended.</summary>
internal static class EndText
{
    /// <returns>The exit code.</returns>
    public static int Print(InvocationContext call, string workflowId, ProcedureResult end)
    {
        if (call.Json)
        {
            call.Terminal.Json(
                end switch
                {
                    { Report: { } report } => report,
                    { Result: { } result } => result,
                    _ => new
                    {
                        workflowId,
                        outcome = end.Word,
                        summary = end.Detail,
                        hints = end.Hints,
                    },
                }
            );
        }
        else if (end is { Report: { Outcome: ProcedureStatus.Planned, Plan: { } plan } })
        {
            PlanText.Write(call.Terminal.Out, plan);
            call.Terminal.WriteInfo(PgFlowText.Sentence(ProcedureStatus.Planned, null));
        }
        else if (end.Result is { } result)
        {
            call.Terminal.Json(result);
        }
        else if (end.ExitCode == ExitCodes.Done)
        {
            call.Terminal.Out.MarkupLineInterpolated($"[green]{end.Word}:[/] {end.Detail}{Took(end.Report)}");
            if (end.Report is { Steps: [], Plan: { } left })
            {
                PlanText.WriteWarnings(call.Terminal.Error, left); // nobody has seen the plan of nothing to do
            }
        }

        foreach (var note in end.Report?.Notes ?? [])
        {
            call.Terminal.WriteInfo($"- {note}");
        }

        if (end.ExitCode != ExitCodes.Done)
        {
            call.Terminal.WriteError(new(end.ExitCode, What(end), [end.Detail], HintLinesOf(end, workflowId)));
        }
        else
        {
            foreach (var next in end.HintLines)
            {
                call.Terminal.WriteInfo($"  hint: {next}");
            }
        }

        return end.ExitCode;
    }

    private static string Took(Report? report) => report is null ? "" : $" ({PgFlowText.Took(report.Took)})";

    private static string What(ProcedureResult end) =>
        end switch
        {
            { Report.Outcome: var outcome } => PgFlowText.Sentence(outcome, null),
            { ExitCode: ExitCodes.Usage } => "the input is wrong; nothing was touched",
            _ => end.Word,
        };

    private static IReadOnlyList<string> HintLinesOf(ProcedureResult end, string workflowId) =>
        end switch
        {
            { HintLines: { Count: > 0 } lines } => lines,
            { ExitCode: ExitCodes.Incomplete } =>
            [
                $"inspect the cluster: pgflow status {end.Report?.Cluster.ToString() ?? ""}".TrimEnd(),
            ],
            { ExitCode: ExitCodes.Failed } => [$"see its steps: pgflow show {workflowId}"],
            _ => [],
        };
}

using System.Text.Json;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Progress;

/// <summary>How a procedure ended, read from what Temporal keeps: result, failure or memo, never a query.</summary>
/// <param name="ExitCode">What pgflow's exit says of it.</param>
/// <param name="Word">The end in one word, as search attributes have it.</param>
/// <param name="Detail">What it said last.</param>
/// <param name="Report">Its report; null where it had none.</param>
/// <param name="Result">What it returned, where that is no report.</param>
/// <param name="Hints">What to do about its end.</param>
internal sealed record ProcedureResult(
    int ExitCode,
    string Word,
    string Detail,
    Report? Report = null,
    JsonElement? Result = null,
    params IReadOnlyList<Hint> Hints
)
{
    /// <summary>What to type next.</summary>
    public IReadOnlyList<string> HintLines => [.. Hints.Select(HintText.Of)];

    public static async Task<ProcedureResult> OfAsync(WorkflowHandle handle, CancellationToken cancel)
    {
        var rpc = new RpcOptions { CancellationToken = cancel };
        try
        {
            var result = await handle.GetResultAsync<JsonElement>(rpcOptions: rpc);
            return result.TryGetProperty("outcome", out _)
                ? Of(result.Deserialize<Report>(PgFlowJson.Options)!)
                : new(ExitCodes.Done, "succeeded", "", Result: result);
        }
        catch (WorkflowFailedException e) when (e.InnerException is CanceledFailureException)
        {
            var memo = (await handle.DescribeAsync(new() { Rpc = rpc })).Memo;
            return memo.TryGetValue(Procedure.ReportMemo, out var value)
                ? Of(await value.ToValueAsync<Report>())
                : new(
                    ExitCodes.Cancelled,
                    PgFlowText.Word(ProcedureStatus.Cancelled),
                    "cancelled before it did anything"
                );
        }
        catch (WorkflowFailedException e)
        {
            return OfFailure(e.InnerException);
        }
    }

    public static ProcedureResult Of(Report report) =>
        new(ExitCodes.Of(report.Outcome), PgFlowText.Word(report.Outcome), report.Summary, report, Hints: report.Hints);

    public static ProcedureResult OfFailure(Exception? failure) =>
        (failure is null ? null : TemporalFailures.Cause(failure)) switch
        {
            ApplicationFailureException e when TemporalFailures.ReportOf(e) is { } report => Of(report),
            ApplicationFailureException e => new(
                ExitCodes.OfFailure(e.ErrorType),
                JsonNamingPolicy.CamelCase.ConvertName(e.ErrorType ?? "failed"),
                e.Message,
                Hints: TemporalFailures.HintsOf(e)
            ),
            TerminatedFailureException => new(
                ExitCodes.Incomplete,
                "terminated",
                "somebody terminated it: nothing was undone, and nobody knows how far it came"
            ),
            _ => new(
                ExitCodes.Incomplete,
                "failed",
                failure is null ? "it failed, and Temporal does not say why" : TemporalFailures.Why(failure)
            ),
        };
}

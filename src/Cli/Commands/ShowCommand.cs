using System.CommandLine;
using Spectre.Console;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PgFlow.Cli.Commands;

/// <summary>One procedure: its report when it has ended, where it is while it runs.</summary>
internal static class ShowCommand
{
    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "show",
            "One procedure: plan, steps, result",
            [Flags.Id, .. Flags.Connection],
            RunAsync
        );

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var client = await call.ConnectAsync(cancel);
        var described = await call.MeantAsync(client, toDecide: false, cancel);
        var handle = client.GetWorkflowHandle(described.Id);
        if (described.Status is WorkflowExecutionStatus.Running)
        {
            await ShowRunningAsync(call, handle, described, cancel);
        }
        else
        {
            ReportText.Print(call, handle.Id, await ProcedureResult.OfAsync(handle, cancel));
        }

        call.Terminal.WriteInfo(WebUi.LinkTo(client, handle.Id, described.RunId).ToString());
        return ExitCodes.Done;
    }

    private static async Task ShowRunningAsync(
        InvocationContext call,
        WorkflowHandle handle,
        WorkflowExecutionDescription described,
        CancellationToken cancel
    )
    {
        var now = await NowAsync(handle, cancel);
        var progress = now?.Progress;
        if (call.Json)
        {
            call.Terminal.Json((object?)now?.ToJson() ?? Run.Of(described));
        }
        else if (progress is null)
        {
            call.Terminal.WriteInfo(
                $"{described.WorkflowType} runs since {ShownTime.Of(described.StartTime)}; {WorkflowTasks.NoWorker}"
            );
        }
        else
        {
            call.Terminal.Out.MarkupLineInterpolated(
                $"[bold]{progress.Procedure} {progress.Cluster}[/]: {progress.Summary}"
            );
            if (progress.By is { } by)
            {
                call.Terminal.Out.WriteLine($"asked for by {by}{PgFlowText.Because(progress.Reason)}");
            }

            foreach (var act in progress.Acts ?? [])
            {
                call.Terminal.Out.WriteLine(PgFlowText.Of(act, ShownTime.Of));
            }

            if (
                progress is { Plan: { } plan, Status: ProcedureStatus.WaitingForApproval or ProcedureStatus.Inspecting }
            )
            {
                PlanText.WriteReasons(call.Terminal.Out, plan);
                call.Terminal.Out.WriteLine($"  the plan's hash: {plan.Hash}");
            }

            call.Terminal.Out.Write(LiveView.Draw(now, handle.Id, DateTimeOffset.UtcNow));
        }
    }

    /// <summary>Where it is; null when no worker says so within 3 s.</summary>
    public static async Task<ProcedureProgress?> ProgressAsync(WorkflowHandle handle, CancellationToken cancel) =>
        (await NowAsync(handle, cancel))?.Progress;

    private static async Task<Snapshot?> NowAsync(WorkflowHandle handle, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(3));
        try
        {
            await foreach (var now in new ProcedureWatcher(handle).SnapshotsAsync(limit.Token))
            {
                if (now.Progress is not null || now.Trouble is not null)
                {
                    return now;
                }
            }
        }
        catch (Exception) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            // Nobody answered.
        }

        return null;
    }
}

using Temporalio.Client;

namespace PgFlow.Cli.Progress;

/// <summary>Follows one procedure for a person or a script, to its end.</summary>
internal sealed class ProcedureFollower(InvocationContext call, ITemporalClient client, WorkflowHandle handle)
{
    private readonly IView _view =
        call.Terminal.Error.Profile.Capabilities.Interactive && call.Terminal.Interactive
            ? new LiveView(call.Terminal.Error, handle.Id)
            : new LineView(call.Terminal.Error, handle.Id, TimeProvider.System);

    /// <summary>Leaves it to itself.</summary>
    public int Detach()
    {
        var link = WebUi.LinkTo(client, handle.Id, handle.ResultRunId);
        if (call.Json)
        {
            call.Terminal.Json(
                new
                {
                    workflowId = handle.Id,
                    runId = handle.ResultRunId,
                    link,
                }
            );
        }
        else
        {
            call.Terminal.Out.Profile.Out.Writer.WriteLine(handle.Id);
            call.Terminal.WriteInfo($"watch it: pgflow watch {handle.Id}\n          {link}");
        }

        return ExitCodes.Done;
    }

    /// <summary>Has the plan confirmed first.</summary>
    public Task<int> ConfirmAsync(Confirmation confirmation, CancellationToken cancel) =>
        LimitedAsync(
            async limited =>
            {
                var approved = await confirmation.ConfirmedAsync(cancel, limited);
                return !approved ? await PrintAsync(limited)
                    : call.Detach ? Detach()
                    : await EndAsync(limited);
            },
            cancel
        );

    public Task<int> UntilEndAsync(CancellationToken cancel) => LimitedAsync(EndAsync, cancel);

    private async Task<int> EndAsync(CancellationToken cancel)
    {
        await _view.ShowAsync(new ProcedureWatcher(handle, toItsEnd: true).SnapshotsAsync(cancel), cancel);
        return await PrintAsync(cancel);
    }

    private async Task<int> PrintAsync(CancellationToken cancel) =>
        EndText.Print(call, handle.Id, await ProcedureResult.OfAsync(handle, cancel));

    private async Task<int> LimitedAsync(Func<CancellationToken, Task<int>> act, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(call.Timeout ?? System.Threading.Timeout.InfiniteTimeSpan);
        try
        {
            return await act(limit.Token);
        }
        catch (Exception e) when (limit.IsCancellationRequested && e is not CliError)
        {
            if (call.Json)
            {
                call.Terminal.Json(new { workflowId = handle.Id, outcome = PgFlowText.Word(ProcedureStatus.Running) });
            }

            call.Terminal.WriteInfo(
                $"{handle.Id} goes on; "
                    + (cancel.IsCancellationRequested ? "you only stopped following it" : "the time limit was reached")
            );
            call.Terminal.WriteInfo(
                $"  follow it: pgflow watch {handle.Id}\n  stop it:   pgflow cancel {handle.Id}\n  "
                    + $"{WebUi.LinkTo(client, handle.Id, handle.ResultRunId)}"
            );
            return cancel.IsCancellationRequested ? ExitCodes.StoppedFollowing : ExitCodes.StillRunning;
        }
    }
}

using Spectre.Console;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Progress;

/// <summary>Shows the plan of a procedure that waits for approval, asks, and tells it the answer.</summary>
internal sealed class Confirmation(InvocationContext call, WorkflowHandle handle, StartRequest request)
{
    private readonly IAnsiConsole _people = call.Terminal.Error;
    private bool _approving;

    /// <param name="cancel">The person leaves, or is thrown out: that is a no.</param>
    /// <param name="limited">The same, or the time limit is reached: it goes on waiting, for somebody else.</param>
    /// <returns>Whether it goes on; false also where it ended before it could be approved.</returns>
    public async Task<bool> ConfirmedAsync(CancellationToken cancel, CancellationToken limited)
    {
        var asked = false;
        try
        {
            if (await WaitAsync(limited) is not { Plan: { } plan })
            {
                return false;
            }

            asked = true;
            return await ConfirmedAsync(plan, limited);
        }
        catch (Exception e) when (cancel.IsCancellationRequested && e is not CliError)
        {
            var withdrawn = await WithdrawAsync(asked);
            if (asked)
            {
                _people.WriteLine(); // behind the question
            }

            throw withdrawn;
        }
        catch (Exception e)
            when (asked && !_approving && !call.Json && limited.IsCancellationRequested && e is not CliError)
        {
            _people.WriteLine();
            throw new CliError(
                ExitCodes.StillRunning,
                $"{handle.Id} waits for approval; the time limit was reached",
                [],
                [$"let it begin: pgflow approve {handle.Id}", $"end it: pgflow reject {handle.Id}"]
            );
        }
    }

    private async Task<bool> ConfirmedAsync(PlanView plan, CancellationToken limited)
    {
        PlanText.Write(_people, plan);
        if (await ClientsText.OfAsync(handle.Client, request, limited) is { } felt)
        {
            _people.WriteLine($"  {felt}");
        }

        using var answered = CancellationTokenSource.CreateLinkedTokenSource(limited);
        var elsewhere = AnsweredElsewhereAsync(answered);
        try
        {
            var yes = await PromptAsync(answered.Token);
            _approving = yes;
            await (
                yes
                    ? Decisions.ApproveAsync(handle, plan.Hash, reason: null, limited)
                    : Decisions.RejectAsync(handle, call.Reason, limited)
            );
            return yes;
        }
        catch (OperationCanceledException) when (!limited.IsCancellationRequested)
        {
            _people.WriteLine();
            call.Terminal.WriteInfo("it does not wait any more: somebody else has answered, or its time is over");
            return true;
        }
        finally
        {
            await answered.CancelAsync();
            await elsewhere.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Nobody is left to answer: what was started is ended. Nothing is printed before, since the terminal may
    /// be gone.</summary>
    private async Task<CliError> WithdrawAsync(bool asked)
    {
        const string Why = "stopped at the prompt";
        try
        {
            if (!asked || !await RejectedAsync(Why))
            {
                // the server takes a cancel without a worker, and before the procedure waits
                await Decisions.CancelAsync(handle, Why, CancellationToken.None);
            }

            return _approving
                ? new(
                    ExitCodes.StoppedFollowing,
                    "cancelled; your yes may have been taken before",
                    hint: $"look at it: pgflow show {handle.Id}"
                )
                : new(ExitCodes.StoppedFollowing, "rejected; nothing was done");
        }
        catch (Exception e) when (e is CliError or RpcException)
        {
            return new(
                ExitCodes.StoppedFollowing,
                $"stopped, but {handle.Id} could not be rejected",
                e.Message,
                $"look at it: pgflow show {handle.Id}"
            );
        }
    }

    /// <returns>False where no worker takes the answer.</returns>
    private async Task<bool> RejectedAsync(string why)
    {
        try
        {
            await Decisions.RejectAsync(handle, why, CancellationToken.None, Decisions.ShortLimit);
            return true;
        }
        catch (CliError e) when (e.ExitCode is ExitCodes.Unreachable)
        {
            return false;
        }
    }

    /// <summary>The procedure when it waits for approval; null when it has ended.</summary>
    private async Task<ProcedureProgress?> WaitAsync(CancellationToken cancel)
    {
        string? said = null;
        var lines = new ProgressLines(TimeProvider.System);
        await foreach (var now in new ProcedureWatcher(handle).SnapshotsAsync(cancel))
        {
            if (now.Progress is { Status: ProcedureStatus.WaitingForApproval } waiting)
            {
                return waiting;
            }

            if (now.Trouble is not null && now.Trouble != said)
            {
                call.Terminal.WriteInfo(said = now.Trouble);
            }

            foreach (var activity in now.Activities.Where(lines.Take))
            {
                call.Terminal.WriteInfo($"planning: {activity.Words}");
            }
        }

        return null;
    }

    private async Task AnsweredElsewhereAsync(CancellationTokenSource answered)
    {
        await foreach (var now in new ProcedureWatcher(handle).SnapshotsAsync(answered.Token))
        {
            if (
                now
                is {
                        Progress: { Status: not ProcedureStatus.WaitingForApproval and not ProcedureStatus.Running }
                            or { Steps.Count: > 0 }
                    }
                    or { Closed: true }
            )
            {
                await answered.CancelAsync();
                return;
            }
        }
    }

    private async Task<bool> PromptAsync(CancellationToken cancel)
    {
        if (request is { TypeTheName: true, Cluster: { } cluster })
        {
            Terminal.ForgetTyped();
            var typed = await new TextPrompt<string>($"Type [bold]{Markup.Escape(cluster)}[/] to go on:")
                .AllowEmpty()
                .Validate(text =>
                    text.Length == 0 || text == cluster
                        ? ValidationResult.Success()
                        : ValidationResult.Error($"that is not {Markup.Escape(cluster)}; Enter alone rejects it")
                )
                .ShowAsync(_people, cancel);
            return typed == cluster;
        }

        return await Terminal.ConfirmAsync(_people, "Proceed?", cancel);
    }
}

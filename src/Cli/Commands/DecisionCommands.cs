using System.CommandLine;
using Spectre.Console;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PgFlow.Cli.Commands;

/// <summary>What a person tells a procedure that waits or runs.</summary>
internal static class DecisionCommands
{
    private static readonly Argument<string> Action = new("ACTION")
    {
        HelpName = "retry|skip|abort",
        Description = "Try again, go on without it, or end the procedure here as incomplete",
    };

    private static readonly Option<int?> Step = new("--step")
    {
        CustomParser = result => Flags.WholeNumber(result),
        HelpName = "N",
        Description = "Which step, where several are blocked",
    };

    private static readonly Option<string?> Plan = new("--plan")
    {
        HelpName = "HASH",
        Description = "The hash of the plan that was read; nothing is asked then",
    };

    private static readonly Option<bool> Yes = new(Flags.Yes.Name, "-y")
    {
        Description = "Skip the confirmation prompt",
    };

    private static readonly Field[] Targets = [.. InputField.Of(typeof(TargetInput)).Select(Field.Of)];

    static DecisionCommands() =>
        Action.AcceptOnlyFromAmong([.. Enum.GetValues<ResolveAction>().Select(PgFlowText.Word)]);

    public static IEnumerable<Command> Commands(Terminal terminal) =>
        [
            Decision(
                terminal,
                "approve",
                "Let a procedure that waits for approval begin, or a recovery that is paused at its target go on",
                [Plan, Yes, Flags.Reason],
                ApproveAsync
            ),
            Decision(
                terminal,
                "move",
                "Let a recovery that is paused at its target replay on to a later one",
                [.. Targets.Select(field => field.Symbol), Flags.Reason],
                MoveAsync,
                TargetProblems
            ),
            Decision(
                terminal,
                "reject",
                "End a procedure that waits for approval; a recovery that is paused at its target rolls back",
                [Flags.Reason],
                RejectAsync
            ),
            Decision(
                terminal,
                "cancel",
                "Stop a procedure: before the point of no return all is undone, behind it the running step is "
                    + "broken off into blocked",
                [Flags.Reason],
                CancelAsync
            ),
            Decision(
                terminal,
                "interrupt",
                "Break off the running step behind the point of no return, or of the way back, into blocked",
                [Flags.Reason],
                InterruptAsync
            ),
            Decision(
                terminal,
                "resolve",
                "Decide how a blocked procedure goes on",
                [Action, Step, Flags.Reason],
                ResolveAsync
            ),
        ];

    private static Command Decision(
        Terminal terminal,
        string name,
        string description,
        IEnumerable<Symbol> symbols,
        Func<InvocationContext, WorkflowHandle, CancellationToken, Task<string>> tell,
        Func<ParseResult, IEnumerable<string>>? problems = null
    ) =>
        InvocationContext.CommandOf(
            terminal,
            name,
            description,
            [Flags.Id, .. symbols, .. Flags.Connection],
            async (call, cancel) =>
            {
                var client = await call.ConnectAsync(cancel);
                var described = await call.MeantAsync(client, toDecide: true, cancel);
                var handle = client.GetWorkflowHandle(described.Id);
                if (described.Status is not WorkflowExecutionStatus.Running)
                {
                    throw Decisions.Ended(handle, name);
                }

                var answer = await tell(call, handle, cancel);
                if (call.Json)
                {
                    call.Terminal.Json(
                        new
                        {
                            workflowId = handle.Id,
                            told = name,
                            answer,
                        }
                    );
                }
                else
                {
                    call.Terminal.WriteInfo(answer);
                }

                return ExitCodes.Done;
            },
            problems
        );

    /// <summary>The cluster is the procedure's own.</summary>
    private static IEnumerable<string> TargetProblems(ParseResult parsed)
    {
        var input = Field.Input(Targets, parsed);
        input["cluster"] = "known";
        return InputCheck.Problems(typeof(TargetInput), input, Targets);
    }

    private static async Task<string> ApproveAsync(
        InvocationContext call,
        WorkflowHandle handle,
        CancellationToken cancel
    )
    {
        var hash = call.Parsed.GetValue(Plan) ?? await ReadPlanAsync(call, handle, cancel);
        await Decisions.ApproveAsync(handle, hash, call.Reason, cancel);
        return $"approved; follow it: pgflow watch {handle.Id}";
    }

    private static async Task<string> RejectAsync(
        InvocationContext call,
        WorkflowHandle handle,
        CancellationToken cancel
    )
    {
        await Decisions.RejectAsync(handle, call.Reason, cancel);
        return $"rejected; see how it ends: pgflow watch {handle.Id}";
    }

    private static async Task<string> MoveAsync(InvocationContext call, WorkflowHandle handle, CancellationToken cancel)
    {
        var target = Field.Input([.. Targets, Field.Reason], call.Parsed);
        target["by"] = Temporal.User;
        var answer = await Decisions.MoveAsync(handle, target, cancel);
        return $"{answer}; follow it: pgflow watch {handle.Id}";
    }

    private static async Task<string> InterruptAsync(
        InvocationContext call,
        WorkflowHandle handle,
        CancellationToken cancel
    )
    {
        await Decisions.InterruptAsync(handle, call.Reason, cancel);
        return $"broken off; decide how it goes on: pgflow show {handle.Id}";
    }

    /// <summary>Temporal takes a cancel once only: whoever asks again means what a person can still have.</summary>
    private static async Task<string> CancelAsync(
        InvocationContext call,
        WorkflowHandle handle,
        CancellationToken cancel
    )
    {
        if (await Decisions.IsCancelledAsync(handle, cancel))
        {
            throw new CliError(
                ExitCodes.Refused,
                $"{handle.Id} was asked to stop already",
                "it undoes what it has done, or is behind the point of no return",
                $"look: pgflow show {handle.Id}; break off the step that runs: pgflow interrupt {handle.Id}"
            );
        }

        await Decisions.CancelAsync(handle, call.Reason, cancel);
        return $"asked to stop; see how it ends: pgflow watch {handle.Id}";
    }

    private static async Task<string> ResolveAsync(
        InvocationContext call,
        WorkflowHandle handle,
        CancellationToken cancel
    )
    {
        var action = Enum.Parse<ResolveAction>(call.Parsed.GetRequiredValue(Action), ignoreCase: true);
        await Decisions.ResolveAsync(
            handle,
            new(action, Temporal.User, call.Reason, call.Parsed.GetValue(Step)),
            cancel
        );
        return $"{PgFlowText.Word(action)}; follow it: pgflow watch {handle.Id}";
    }

    /// <summary>Nobody approves a plan that they have not seen.</summary>
    private static async Task<string> ReadPlanAsync(
        InvocationContext call,
        WorkflowHandle handle,
        CancellationToken cancel
    )
    {
        if (!call.Yes && !call.Terminal.Interactive)
        {
            throw new CliError(
                ExitCodes.Usage,
                "approve asks first, and nobody is there to answer",
                hint: $"add --yes, or --plan HASH, which is shown by: pgflow show {handle.Id}"
            );
        }

        var progress =
            await ShowCommand.ProgressAsync(handle, cancel)
            ?? throw CliError.NoWorker($"{handle.Id} can't be asked for its plan");
        if (
            progress is not { Plan: { } plan, Status: ProcedureStatus.WaitingForApproval or ProcedureStatus.Inspecting }
        )
        {
            throw new CliError(ExitCodes.Refused, $"{handle.Id} does not wait for approval", progress.Summary);
        }

        var isPaused = progress.Status is ProcedureStatus.Inspecting;
        if (isPaused)
        {
            PlanText.WriteReasons(call.Terminal.Error, plan);
            call.Terminal.Error.Write(
                LiveView.Draw(new(progress, Trouble: null, [], Closed: false), handle.Id, DateTimeOffset.UtcNow)
            );
        }
        else
        {
            PlanText.Write(call.Terminal.Error, plan);
        }

        var question = isPaused ? "Promote it as it is now?" : "Approve it?";
        return call.Yes || await Terminal.ConfirmAsync(call.Terminal.Error, question, cancel)
            ? plan.Hash
            : throw new CliError(
                ExitCodes.Refused,
                "not approved; it still waits",
                hint: $"end it: pgflow reject {handle.Id}"
            );
    }
}

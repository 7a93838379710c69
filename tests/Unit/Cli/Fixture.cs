using Spectre.Console.Testing;

namespace PgFlow.UnitTests.Cli;

/// <summary>A pgflow whose output is kept.</summary>
internal sealed class CliCall
{
    public TestConsole Out { get; } = new TestConsole().Width(200);

    public TestConsole Error { get; } = new TestConsole().Width(200);

    public Terminal Terminal => new(Out, Error, Interactive: false);

    public Task<int> RunAsync(params string[] args) => CommandLine.RunAsync(args, Terminal);
}

internal static class Samples
{
    public static readonly PlanView Plan = new(
        "p2 becomes the primary",
        ["primary p1 on timeline 1"],
        [new(FindingCode.NodeUnavailable, new(ClusterName.Parse("demo"), NodeName.Of(3)), "[hung]")],
        [new("stop", "Stop p1"), new("promote", "Promote p2")],
        "abc"
    );

    public static ProcedureProgress Progress(ProcedureStatus outcome, params StepReport[] steps) =>
        new(
            "Switchover",
            ClusterName.Parse("demo"),
            outcome,
            "works",
            Plan,
            steps,
            [
                .. steps
                    .Where(step => step.State is StepState.Blocked)
                    .Select(step => new BlockedStep(
                        step.Number,
                        step.Title,
                        step.Error!,
                        [
                            Hint.Resolve("Fix the cause, then run", "ID", ResolveAction.Retry, step.Number),
                            Hint.Resolve("end here as incomplete", "ID", ResolveAction.Abort, step.Number),
                        ],
                        CanSkip: false
                    )),
            ],
            []
        );

    public static Report Report(ProcedureStatus outcome) =>
        new()
        {
            Procedure = "Switchover",
            Cluster = ClusterName.Parse("demo"),
            Outcome = outcome,
            Summary = "p2 becomes the primary",
            By = "ann@host",
            StartedAt = DateTimeOffset.UnixEpoch,
            EndedAt = DateTimeOffset.UnixEpoch.AddSeconds(2),
            WorkflowId = "switchover-demo",
            RunId = "run",
            Plan = Plan,
            Steps = [new(1, "stop", "Stop p1", StepState.Done, DateTimeOffset.UnixEpoch, 120)],
            Notes = ["nothing was lost"],
        };
}

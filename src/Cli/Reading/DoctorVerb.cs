using System.CommandLine;
using PgFlow.Workflows;
using Spectre.Console;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Client;

namespace PgFlow.Cli;

/// <summary>One thing that must be so.</summary>
/// <param name="What">The thing.</param>
/// <param name="Ok">Whether it is so.</param>
/// <param name="Found">What was found.</param>
/// <param name="Mend">The command that mends it.</param>
internal sealed record Check(string What, bool Ok, string Found, string? Mend = null);

/// <summary>What is missing, and the command that mends it.</summary>
internal static class DoctorVerb
{
    private static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    /// <summary>A worker polls at least once a minute.</summary>
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(90);

    public static Command Command(Terminal terminal) =>
        Call.Verb(terminal, "doctor", "What is missing, and the command that mends it", [.. Flags.Connection], RunAsync);

    private static async Task<int> RunAsync(Call call, CancellationToken cancel)
    {
        var client = await call.ConnectAsync(cancel);
        Check[] checks =
        [
            new("Temporal", Ok: true, $"answers at {client.Connection.Options.TargetHost}, namespace {client.Options.Namespace}, UI {WebUi.AddressOf(client)}"),
            await RetentionAsync(client, cancel),
            await AttributesAsync(client, cancel),
            await WorkersAsync(client, cancel),
            .. await TroubledAsync(client, cancel),
        ];
        Print(call, checks);
        return checks.All(check => check.Ok) ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static void Print(Call call, Check[] checks)
    {
        if (call.Json)
        {
            call.Terminal.Json(checks);
            return;
        }

        foreach (var check in checks)
        {
            call.Terminal.Data.MarkupLine($"{(check.Ok ? "[green]✓[/]" : "[red]✗[/]")} {Markup.Escape(check.What)}: {Markup.Escape(check.Found)}");
            if (!check.Ok && check.Mend is not null)
            {
                call.Terminal.Data.WriteLine($"    mend it: {check.Mend}");
            }
        }
    }

    private static async Task<Check> RetentionAsync(ITemporalClient client, CancellationToken cancel)
    {
        var described = await client.WorkflowService.DescribeNamespaceAsync(new() { Namespace = client.Options.Namespace }, new() { CancellationToken = cancel });
        var kept = described.Config.WorkflowExecutionRetentionTtl?.ToTimeSpan() ?? TimeSpan.Zero;
        return new(
            "Retention",
            kept >= Retention,
            $"finished procedures are kept for {kept.TotalDays:0.#} days",
            $"pgflow worker raises it when it starts; or: temporal operator namespace update --namespace {client.Options.Namespace} --retention 30d");
    }

    private static async Task<Check> AttributesAsync(ITemporalClient client, CancellationToken cancel)
    {
        var there = await client.OperatorService.ListSearchAttributesAsync(new() { Namespace = client.Options.Namespace }, new() { CancellationToken = cancel });
        var missing = Attributes.All.Where(wanted => !there.CustomAttributes.TryGetValue(wanted.Key, out var type) || type != wanted.Value).ToList();
        return new(
            "Search attributes",
            missing.Count == 0,
            missing.Count == 0 ? "all are registered" : $"missing: {string.Join(", ", missing.Select(wanted => wanted.Key))}",
            $"pgflow worker registers them when it starts; or: temporal operator search-attribute create {string.Join(' ', missing.Select(wanted => $"--name {wanted.Key} --type {wanted.Value}"))}");
    }

    private static async Task<Check> WorkersAsync(ITemporalClient client, CancellationToken cancel)
    {
        var pollers = new List<PollerInfo>();
        foreach (var kind in new[] { TaskQueueType.Workflow, TaskQueueType.Activity })
        {
            var described = await client.WorkflowService.DescribeTaskQueueAsync(
                new() { Namespace = client.Options.Namespace, TaskQueue = new() { Name = Temporal.TaskQueue }, TaskQueueType = kind },
                new() { CancellationToken = cancel });
            var alive = described.Pollers.Where(poller => DateTimeOffset.UtcNow - poller.LastAccessTime.ToDateTimeOffset() < Alive).ToList();
            if (alive.Count == 0)
            {
                return new("Workers", Ok: false, $"nobody polls task queue {Temporal.TaskQueue} for {PgFlowText.Word(kind)} tasks", "pgflow worker");
            }

            pollers.AddRange(alive);
        }

        return new("Workers", Ok: true, string.Join(", ", pollers.GroupBy(poller => poller.Identity).OrderBy(one => one.Key, StringComparer.Ordinal).Select(one =>
            $"{one.Key} (seen {(DateTimeOffset.UtcNow - one.Max(poller => poller.LastAccessTime)!.ToDateTimeOffset()).TotalSeconds:0} s ago)")));
    }

    /// <summary>How often the next step of the workflow's code was tried. Not every server has the search attribute TemporalReportedProblems.</summary>
    private static async Task<int> AttemptAsync(ITemporalClient client, Run run, CancellationToken cancel)
    {
        var described = await client.WorkflowService.DescribeWorkflowExecutionAsync(
            new() { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = run.WorkflowId } },
            new() { CancellationToken = cancel });
        return described.PendingWorkflowTask?.Attempt ?? 0;
    }

    private static async Task<IReadOnlyList<Check>> TroubledAsync(ITemporalClient client, CancellationToken cancel)
    {
        var open = await Runs.ListAsync(client, $"TaskQueue = '{Temporal.TaskQueue}' AND ExecutionStatus = 'Running'", 100, cancel);
        var failing = (await Task.WhenAll(open.Select(async run => (Run: run, Attempt: await AttemptAsync(client, run, cancel))))).Where(task => task.Attempt > 1).ToList();
        var waiting = await Runs.ListAsync(client, "PgFlowOutcome IN ('blocked', 'waitingForApproval') AND ExecutionStatus = 'Running'", 20, cancel);
        return failing.Count + waiting.Count == 0
            ? [new("Procedures", Ok: true, "none is stuck")]
            :
            [
                .. failing.Select(task => new Check(
                    task.Run.WorkflowId,
                    Ok: false,
                    $"the workers fail on it (attempt {task.Attempt})",
                    $"temporal workflow show -w {task.Run.WorkflowId} names the error; put workers of a version that can go on in place: pgflow worker")),
                .. waiting.Select(run => new Check(run.WorkflowId, Ok: false, $"{run.Outcome}: waits for a person", $"pgflow show {run.WorkflowId}")),
            ];
    }
}

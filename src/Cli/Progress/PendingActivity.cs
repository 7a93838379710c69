using System.Text.Json.Serialization;
using Temporalio.Api.Workflow.V1;
using Temporalio.Client;
using Temporalio.Converters;

namespace PgFlow.Cli.Progress;

/// <summary>What a person wants to know of an activity that takes long.</summary>
/// <param name="Id">Its ID within the procedure.</param>
/// <param name="Type">Its type.</param>
/// <param name="Progress">How far it has got, by its newest heartbeat.</param>
/// <param name="Failure">Why it is tried again.</param>
internal sealed record PendingActivity(string Id, string Type, ActivityProgress? Progress, string? Failure)
{
    /// <summary>Its progress and why it is tried again.</summary>
    [JsonIgnore]
    public string Words =>
        (Said, Failure) switch
        {
            (null, _) => Failure ?? "",
            (var said, null) => said,
            var (said, failure) => $"{said} ({failure})",
        };

    private string? Said => Progress is null or { Phase: ActivityProgress.Started } ? null : Say(Progress);

    /// <summary>The activities of a procedure that have something to say.</summary>
    public static async Task<IReadOnlyList<PendingActivity>> OfAsync(
        WorkflowHandle handle,
        TimeSpan limit,
        CancellationToken cancel
    )
    {
        var described = await handle.Client.WorkflowService.DescribeWorkflowExecutionAsync(
            new()
            {
                Namespace = handle.Client.Options.Namespace,
                Execution = new() { WorkflowId = handle.Id, RunId = handle.RunId ?? "" },
            },
            new()
            {
                Timeout = limit,
                Retry = false,
                CancellationToken = cancel,
            }
        );
        return [.. described.PendingActivities.Select(Of).OfType<PendingActivity>()];
    }

    /// <summary>One of them; null when there is nothing to say.</summary>
    public static PendingActivity? Of(PendingActivityInfo activity)
    {
        var progress = activity.HeartbeatDetails?.Payloads_ is [var payload, ..] ? Read(payload) : null;
        var failure = activity.LastFailure is { } last
            ? $"attempt {activity.Attempt}: {last.Cause?.Message ?? last.Message}"
            : null;
        var found = new PendingActivity(activity.ActivityId, activity.ActivityType.Name, progress, failure);
        return found.Words.Length > 0 ? found : null;
    }

    /// <summary>Whether it belongs to that step.</summary>
    public bool Is(StepReport step) => step.State is StepState.Running && Progress?.Step == step.Number;

    private static string Say(ActivityProgress progress)
    {
        string?[] parts =
        [
            progress.Percent is { } percent ? FormattableString.Invariant($"{Math.Floor(percent)} %") : null,
            (progress.Bytes, progress.TotalBytes) is ({ } done, { } total)
                ? $"{PgFlowText.Bytes(done)} of {PgFlowText.Bytes(total)}"
                : null,
            (progress.TotalBytes - progress.Bytes, progress.EtaSeconds) is ({ } rest, > 0 and { } seconds)
                ? $"{PgFlowText.Bytes((long)(rest / seconds))}/s"
                : null,
            progress.EtaSeconds is { } left ? $"about {PgFlowText.Duration(left)} left" : null,
        ];
        var far = string.Join(", ", parts.OfType<string>());
        return far.Length == 0 ? progress.Phase : $"{progress.Phase}: {far}";
    }

    /// <summary>Of whatever version the worker is.</summary>
    private static ActivityProgress? Read(Temporalio.Api.Common.V1.Payload payload)
    {
        try
        {
            return
                PgFlowJson.Converter.PayloadConverter.ToValue<ActivityProgress?>(payload)
                    is { Phase: not null } progress
                ? progress
                : null;
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}

using System.Text.Json;
using Temporalio.Api.Workflow.V1;

namespace PgFlow.Cli;

/// <summary>What a person wants to know of an activity that takes long.</summary>
internal static class PendingActivity
{
    /// <summary>Its progress, or why it is tried again; null when there is nothing to say.</summary>
    public static string? Describe(PendingActivityInfo activity)
    {
        var progress = Progress(activity);
        var failure = activity.LastFailure is { } last ? $"attempt {activity.Attempt}: {last.Cause?.Message ?? last.Message}" : null;
        return (progress, failure) switch
        {
            (null, null) => null,
            (null, _) => $"{activity.ActivityType.Name}: {failure}",
            (_, null) => $"{activity.ActivityType.Name}: {progress}",
            _ => $"{activity.ActivityType.Name}: {progress} ({failure})",
        };
    }

    /// <summary>The newest heartbeat: <c>{"phase": "copy", "percent": 40}</c> as <c>copy, 40 percent</c>.</summary>
    private static string? Progress(PendingActivityInfo activity)
    {
        if (activity.HeartbeatDetails?.Payloads_ is not [var payload, ..])
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(payload.Data.ToByteArray());
            return document.RootElement.ValueKind is JsonValueKind.Object
                ? string.Join(", ", document.RootElement.EnumerateObject().Select(field => field.Name is "phase" ? field.Value.ToString() : $"{field.Value} {field.Name}"))
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

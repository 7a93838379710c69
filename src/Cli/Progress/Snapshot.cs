using System.Text.Json;
using System.Text.Json.Nodes;

namespace PgFlow.Cli.Progress;

/// <summary>What is known of a procedure at one moment.</summary>
/// <param name="Progress">Its last answer; null before the first.</param>
/// <param name="Trouble">Why nothing moves, where something is wrong with Temporal or the workers.</param>
/// <param name="Activities">What its activities that were tried in vain, or report progress, say.</param>
/// <param name="Closed">It has ended.</param>
internal sealed record Snapshot(
    ProcedureProgress? Progress,
    string? Trouble,
    IReadOnlyList<PendingActivity> Activities,
    bool Closed
)
{
    /// <summary>As programs read it: the progress, and its activities.</summary>
    public JsonNode? ToJson()
    {
        if (JsonSerializer.SerializeToNode(Progress, PgFlowJson.Options) is not { } json)
        {
            return null;
        }

        json["activities"] = JsonSerializer.SerializeToNode(Activities, PgFlowJson.Options);
        return json;
    }
}

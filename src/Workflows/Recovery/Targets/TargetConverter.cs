using System.Text.Json;
using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Recovery.Targets;

/// <summary>A target as JSON: <c>{"xid": 742, "timeline": 2}</c>.</summary>
internal sealed class TargetConverter : JsonConverter<RecoveryTarget>
{
    private const string Timeline = "timeline";

    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsAssignableTo(typeof(RecoveryTarget));

    public override RecoveryTarget Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var json = document.RootElement;
        var target =
            TargetKind.All.Select(kind => ReadOf(kind, json)).FirstOrDefault(found => found is not null)
            ?? throw new JsonException($"no kind of target is named by {json.GetRawText()}");
        return json.TryGetProperty(Timeline, out var timeline)
            ? target with
            {
                Timeline = timeline.Deserialize<Timeline?>(options),
            }
            : target;
    }

    public override void Write(Utf8JsonWriter writer, RecoveryTarget value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WritePropertyName(value.Kind.Name);
        JsonSerializer.Serialize(writer, value.Value, value.Value.GetType(), options);
        if (value.Timeline is { } timeline)
        {
            writer.WritePropertyName(Timeline);
            JsonSerializer.Serialize(writer, timeline, options);
        }

        writer.WriteEndObject();
    }

    private static RecoveryTarget? ReadOf(TargetKind kind, JsonElement json) =>
        json.TryGetProperty(kind.Name, out var value) && value.ValueKind is not JsonValueKind.Null
            ? kind.Read(value)
            : null;
}

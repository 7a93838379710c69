using System.Text;
using System.Text.Json;

namespace PgFlow.Cli.Procedures;

/// <summary>A procedure's input as text. The workflow judges it, so nothing is corrected here, and nothing wrong is
/// lost.</summary>
internal static class InputJson
{
    /// <summary>The input with <paramref name="additions"/> that it does not have itself; as it was when it is no JSON
    /// object.</summary>
    public static string With(string json, IReadOnlyDictionary<string, object?> additions)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind is JsonValueKind.Object
                ? With(document.RootElement, additions)
                : json;
        }
        catch (JsonException)
        {
            return json;
        }
    }

    /// <summary>The cluster that the input names, if it names one.</summary>
    public static string? Cluster(string json) =>
        ClusterName.TryParse(Text(json, "cluster"), null, out var name) ? name.ToString() : null;

    /// <summary>The reason that it gives, if it gives one.</summary>
    public static string? Reason(string json) => Text(json, "reason");

    /// <summary>Whether it only asks what would be done.</summary>
    public static bool IsDryRun(string json) => Value(json, "dryRun") is { ValueKind: JsonValueKind.True };

    private static string? Text(string json, string field) =>
        Value(json, field) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static JsonElement? Value(string json, string field)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return
                document.RootElement.ValueKind is JsonValueKind.Object
                && document.RootElement.TryGetProperty(field, out var value)
                ? value.Clone()
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string With(JsonElement input, IReadOnlyDictionary<string, object?> additions)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            var given = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var field in input.EnumerateObject())
            {
                given.Add(field.Name);
                field.WriteTo(writer);
            }

            foreach (
                var (name, value) in additions.Where(addition =>
                    addition.Value is not null && !given.Contains(addition.Key)
                )
            )
            {
                writer.WritePropertyName(name);
                JsonSerializer.Serialize(writer, value, PgFlowJson.Options);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}

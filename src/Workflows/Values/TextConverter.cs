using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Values;

/// <summary>Writes a value of one textual form as that form.</summary>
internal sealed class TextConverter<T> : JsonConverter<T>
    where T : struct, IParsable<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.TryParse(reader.GetString(), CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new JsonException($"'{reader.GetString()}' is no {typeof(T).Name}");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PgFlow.Workflows;

/// <summary>A value that has one textual form, which is also its form in JSON.</summary>
/// <typeparam name="TSelf">The value's own type.</typeparam>
public interface IText<TSelf>
    where TSelf : struct, IText<TSelf>
{
    /// <summary>Reads the form that ToString writes.</summary>
    static abstract bool TryParse([NotNullWhen(true)] string? text, out TSelf result);
}

internal sealed class TextConverter<T> : JsonConverter<T>
    where T : struct, IText<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.TryParse(reader.GetString(), out var value)
            ? value
            : throw new JsonException($"'{reader.GetString()}' is no {typeof(T).Name}");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

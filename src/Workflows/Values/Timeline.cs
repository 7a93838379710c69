using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Values;

/// <summary>The number of a timeline, from 1: decimal for people and settings, eight hexadecimal digits in file
/// names.</summary>
/// <param name="Number">PostgreSQL's TimeLineID.</param>
[JsonConverter(typeof(TimelineConverter))]
public readonly record struct Timeline(uint Number) : IComparable<Timeline>
{
    /// <summary>The name of the file that says where the timeline came from.</summary>
    public string HistoryFile => string.Create(CultureInfo.InvariantCulture, $"{Number:X8}.history");

    /// <inheritdoc/>
    public int CompareTo(Timeline other) => Number.CompareTo(other.Number);

    /// <inheritdoc/>
    public override string ToString() => Number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Has the lower number, which says nothing of ancestry.</summary>
    public static bool operator <(Timeline left, Timeline right) => left.Number < right.Number;

    /// <summary>Has the higher number, which says nothing of ancestry.</summary>
    public static bool operator >(Timeline left, Timeline right) => left.Number > right.Number;

    /// <summary>Does not have the higher number.</summary>
    public static bool operator <=(Timeline left, Timeline right) => left.Number <= right.Number;

    /// <summary>Does not have the lower number.</summary>
    public static bool operator >=(Timeline left, Timeline right) => left.Number >= right.Number;
}

internal sealed class TimelineConverter : JsonConverter<Timeline>
{
    public override Timeline Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(reader.GetUInt32());

    public override void Write(Utf8JsonWriter writer, Timeline value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.Number);
}

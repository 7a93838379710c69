using System.Globalization;

namespace PgFlow.Cli;

/// <summary>Times as people read them: in their own zone, with its offset, so that what is copied has one
/// meaning.</summary>
internal static class ShownTime
{
    /// <summary>Of this call, as <see cref="CultureInfo.CurrentCulture"/> is.</summary>
    private static readonly AsyncLocal<TimeZoneInfo?> Asked = new();

    /// <summary>The machine's zone, unless another is asked for.</summary>
    public static TimeZoneInfo Zone
    {
        get => Asked.Value ?? TimeZoneInfo.Local;
        set => Asked.Value = value;
    }

    public static DateTimeOffset InZone(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, Zone);

    /// <summary>To the second.</summary>
    public static string Of(DateTimeOffset time) => Text(time, "yyyy-MM-dd HH:mm:ss");

    /// <summary>To the minute.</summary>
    public static string Minute(DateTimeOffset time) => Text(time, "yyyy-MM-dd HH:mm");

    /// <summary>With all its digits, in one word, as <c>--to-time</c> takes it.</summary>
    public static string Exact(DateTimeOffset time) => Text(time, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF");

    private static string Text(DateTimeOffset time, string format)
    {
        var shown = InZone(time);
        return shown.ToString(format, CultureInfo.InvariantCulture)
            + (shown.Offset == TimeSpan.Zero ? "Z" : shown.ToString("zzz", CultureInfo.InvariantCulture));
    }
}

using System.Text;

namespace PgFlow.Cli;

/// <summary>Writes for a terminal whose locale isn't UTF-8: each sign of PgFlow's as one of ASCII, so that tables keep
/// their widths. What people have typed is left as it is.</summary>
internal sealed class PlainWriter(TextWriter writer) : TextWriter
{
    private const string Signs = "✓✗‼▶·↷●○■◆◉⏲⚠…“”–";
    private static readonly string[] Locale = ["LC_ALL", "LC_CTYPE", "LANG"];
    private const string Plain = "+x!>.-*o#*@%!~\"\"-";

    public override Encoding Encoding => writer.Encoding;

    public override void Write(char value) => writer.Write(OfAscii(value));

    public override void Write(char[] buffer, int index, int count)
    {
        var copy = buffer.AsSpan(index, count).ToArray();
        foreach (ref var value in copy.AsSpan())
        {
            value = OfAscii(value);
        }

        writer.Write(copy); // at once: a terminal gets its escape sequences whole
    }

    private static char OfAscii(char value) =>
        Signs.IndexOf(value, StringComparison.Ordinal) is >= 0 and var at ? Plain[at] : value;

    public override void Flush() => writer.Flush();

    /// <summary>By the variables that C's <c>setlocale</c> reads, in its order; none set is the C locale.</summary>
    public static bool IsUtf8(Func<string, string?> variable) =>
        OperatingSystem.IsWindows()
        || (Locale.Select(variable).FirstOrDefault(set => set is { Length: > 0 }) ?? "")
            .Replace("-", "", StringComparison.Ordinal)
            .Contains("utf8", StringComparison.OrdinalIgnoreCase);
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Values;

/// <summary>A position in the WAL, in bytes; written as PostgreSQL writes pg_lsn (<c>16/B374D848</c>).</summary>
/// <param name="Value">Bytes since the start of the WAL.</param>
[JsonConverter(typeof(TextConverter<Lsn>))]
public readonly record struct Lsn(ulong Value) : IParsable<Lsn>, IComparable<Lsn>
{
    /// <summary>What a position looks like, for error messages.</summary>
    public const string Syntax = "two hexadecimal numbers with a slash between them, as 0/3000148";

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Lsn result)
    {
        result = default;
        var slash = s?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 1 || !TryHex(s.AsSpan(0, slash), out var high) || !TryHex(s.AsSpan(slash + 1), out var low))
        {
            return false;
        }

        result = new(((ulong)high << 32) | low);
        return true;
    }

    /// <summary>Reads a position that is known to be well formed.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static Lsn Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var lsn) ? lsn : throw new FormatException($"'{s}' is no LSN: {Syntax}");

    /// <inheritdoc/>
    public int CompareTo(Lsn other) => Value.CompareTo(other.Value);

    /// <summary>The bytes from <paramref name="start"/> to here; 0 when it is not before.</summary>
    public long BytesSince(Lsn start) => start.Value >= Value ? 0 : (long)(Value - start.Value);

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Value >> 32:X}/{(uint)Value:X}");

    /// <summary>Earlier in the WAL.</summary>
    public static bool operator <(Lsn left, Lsn right) => left.Value < right.Value;

    /// <summary>Later in the WAL.</summary>
    public static bool operator >(Lsn left, Lsn right) => left.Value > right.Value;

    /// <summary>Not later in the WAL.</summary>
    public static bool operator <=(Lsn left, Lsn right) => left.Value <= right.Value;

    /// <summary>Not earlier in the WAL.</summary>
    public static bool operator >=(Lsn left, Lsn right) => left.Value >= right.Value;

    private static bool TryHex(ReadOnlySpan<char> text, out uint value) =>
        uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}

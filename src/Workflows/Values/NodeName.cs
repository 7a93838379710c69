using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace PgFlow.Workflows.Values;

/// <summary>The name of a node in its cluster: <c>p1</c>, <c>p2</c>, … It is also its application_name and the name of
/// its slot.</summary>
[JsonConverter(typeof(TextConverter<NodeName>))]
public readonly partial record struct NodeName : IParsable<NodeName>, IComparable<NodeName>
{
    /// <summary>What a name looks like, for error messages.</summary>
    public const string Syntax = "p1, p2, …";

    private readonly string? _value;

    private NodeName(string value) => _value = value;

    /// <summary>The number in the name, from 1.</summary>
    public int Number => _value is null ? 0 : int.Parse(_value.AsSpan(1), CultureInfo.InvariantCulture);

    /// <summary>The node with this number.</summary>
    public static NodeName Of(int number) => new(string.Create(CultureInfo.InvariantCulture, $"p{number}"));

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out NodeName result)
    {
        var ok = s is not null && Pattern().IsMatch(s);
        result = ok ? new(s!) : default;
        return ok;
    }

    /// <summary>Reads a name that is known to be well formed.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static NodeName Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var name) ? name : throw new FormatException($"'{s}' is no node name: {Syntax}");

    /// <inheritdoc/>
    public int CompareTo(NodeName other) => Number.CompareTo(other.Number);

    /// <inheritdoc/>
    public override string ToString() => _value ?? "";

    /// <summary>Orders by number.</summary>
    public static bool operator <(NodeName left, NodeName right) => left.CompareTo(right) < 0;

    /// <summary>Orders by number.</summary>
    public static bool operator >(NodeName left, NodeName right) => left.CompareTo(right) > 0;

    /// <summary>Orders by number.</summary>
    public static bool operator <=(NodeName left, NodeName right) => left.CompareTo(right) <= 0;

    /// <summary>Orders by number.</summary>
    public static bool operator >=(NodeName left, NodeName right) => left.CompareTo(right) >= 0;

    [GeneratedRegex("^p[1-9][0-9]?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}

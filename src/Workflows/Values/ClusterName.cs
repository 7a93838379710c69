using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace PgFlow.Workflows.Values;

/// <summary>The name of a cluster: a lower-case letter, then up to 30 letters, digits or hyphens. It is part of every
/// Docker name.</summary>
[JsonConverter(typeof(TextConverter<ClusterName>))]
public readonly partial record struct ClusterName : IParsable<ClusterName>
{
    /// <summary>What a name looks like, for error messages.</summary>
    public const string Syntax = "a lower-case letter, then up to 30 lower-case letters, digits or hyphens";

    private readonly string? _value;

    private ClusterName(string value) => _value = value;

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out ClusterName result)
    {
        var ok = s is not null && Pattern().IsMatch(s);
        result = ok ? new(s!) : default;
        return ok;
    }

    /// <summary>Reads a name that is known to be well formed.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static ClusterName Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var name) ? name : throw new FormatException($"'{s}' is no cluster name: {Syntax}");

    /// <inheritdoc/>
    public override string ToString() => _value ?? "";

    [GeneratedRegex("^[a-z][a-z0-9-]{0,30}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}

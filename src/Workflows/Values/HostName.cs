using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace PgFlow.Workflows.Values;

/// <summary>The Docker host of a node. Workers beside its daemon poll a task queue of this name.</summary>
[JsonConverter(typeof(TextConverter<HostName>))]
public readonly partial record struct HostName : IParsable<HostName>
{
    /// <summary>What a name looks like, for error messages.</summary>
    public const string Syntax = "a lower-case letter, then up to 62 lower-case letters, digits or hyphens";

    private readonly string? _value;

    private HostName(string value) => _value = value == "local" ? null : value;

    /// <summary>The only host of today: that of the worker.</summary>
    public static HostName Local { get; }

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out HostName result)
    {
        var ok = s is not null && Pattern().IsMatch(s);
        result = ok ? new(s!) : default;
        return ok;
    }

    /// <summary>Reads a name that is known to be well formed.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static HostName Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var name) ? name : throw new FormatException($"'{s}' is no host name: {Syntax}");

    /// <inheritdoc/>
    public override string ToString() => _value ?? "local";

    [GeneratedRegex("^[a-z][a-z0-9-]{0,62}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}

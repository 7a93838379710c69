using System.Globalization;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace PgFlow.Workflows.Observation;

/// <summary>A row of pg_settings, and the file that decides about it.</summary>
/// <param name="Name">The setting.</param>
/// <param name="Type">vartype: bool, enum, integer, real or string.</param>
/// <param name="Context">When it can be changed: <c>postmaster</c> at a start only, <c>internal</c> never.</param>
/// <param name="Value">What is in force.</param>
public sealed partial record Setting(string Name, string Type, string Context, string Value)
{
    /// <summary>The units of memory in bytes, those of time in milliseconds (<c>memory_unit_conversion_table</c> and
    /// <c>time_unit_conversion_table</c> in guc.c).</summary>
    private static readonly IReadOnlyList<(string Kind, string Name, double Size)> Units =
    [
        ("memory", "B", 1),
        ("memory", "kB", 1024),
        ("memory", "MB", 1024.0 * 1024),
        ("memory", "GB", 1024.0 * 1024 * 1024),
        ("memory", "TB", 1024.0 * 1024 * 1024 * 1024),
        ("time", "us", 0.001),
        ("time", "ms", 1),
        ("time", "s", 1000),
        ("time", "min", 60_000),
        ("time", "h", 3_600_000),
        ("time", "d", 86_400_000),
    ];

    private static readonly string[] Booleans = ["on", "off", "true", "false", "yes", "no", "1", "0"];

    /// <summary>The settings of which a standby needs as much as its primary has
    /// (<c>CheckRequiredParameterValues</c> in xlogrecovery.c).</summary>
    public static IReadOnlyList<string> Capacities { get; } =
    [
        "max_connections",
        "max_worker_processes",
        "max_wal_senders",
        "max_prepared_transactions",
        "max_locks_per_transaction",
    ];

    /// <summary>What a number without a unit counts, as <c>8kB</c>.</summary>
    public string? Unit { get; init; }

    /// <summary>The least value.</summary>
    public string? Minimum { get; init; }

    /// <summary>The greatest value.</summary>
    public string? Maximum { get; init; }

    /// <summary>The values of an enum.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    /// <summary>The file that has the last word; null where none has any.</summary>
    public string? File { get; init; }

    /// <summary>What that file says: what is in force after a start.</summary>
    public string? FileValue { get; init; }

    /// <summary>What is in force after a start when it is taken from the cluster's settings; null where another file
    /// decides about it.</summary>
    public string? Unset { get; init; }

    /// <summary>Whether another value is in force after a restart.</summary>
    public bool PendingRestart { get; init; }

    /// <summary>Whether a file has it that goes before the cluster's settings.</summary>
    public bool IsOverridden { get; init; }

    /// <summary>Whether PgFlow sets it by itself.</summary>
    public bool IsOwned { get; init; }

    /// <summary>Whether a reload is not enough.</summary>
    [JsonIgnore]
    public bool NeedsRestart => Context == "postmaster";

    /// <summary>The number that is in force.</summary>
    internal double? Now => Number(Value);

    /// <summary>Whether that value is in force.</summary>
    internal bool Has(string value) =>
        string.Equals(value, Value, StringComparison.OrdinalIgnoreCase)
        || (Type is "bool" && IsTrue(value) == IsTrue(Value))
        || (Type is "integer" or "real" && Number(value) is { } number && number == Now);

    private static bool IsTrue(string value) =>
        value.Equals("on", StringComparison.OrdinalIgnoreCase)
        || value.Equals("true", StringComparison.OrdinalIgnoreCase)
        || value.Equals("yes", StringComparison.OrdinalIgnoreCase)
        || value is "1";

    /// <summary>How much a node has of it after its restart, with the settings that it is to get.</summary>
    internal double? After(NodeTarget target) =>
        Number(target.Settings.TryGetValue(Name, out var set) && !IsOverridden ? set : Unset ?? FileValue ?? Value);

    /// <summary>What stands against that value; null where nothing does.</summary>
    public string? ProblemOf(string value) =>
        IsOwned ? "is PgFlow's own"
        : Context == "internal" ? "can't be changed"
        : Type switch
        {
            "bool" => Booleans.Contains(value, StringComparer.OrdinalIgnoreCase) ? null : Invalid(value, "on or off"),
            "enum" => Choices?.Contains(value, StringComparer.OrdinalIgnoreCase) is false
                ? Invalid(value, string.Join(", ", Choices))
                : null,
            "integer" or "real" => ProblemOfNumber(value),
            _ => value.Any(char.IsControl) ? "has a control character" : null,
        };

    /// <summary>A number in the setting's own unit; null where it is none.</summary>
    public double? Number(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (NumberWithUnit().Match(value) is not { Success: true } match)
        {
            return null;
        }

        var number = double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);
        if (match.Groups["unit"].Value is { Length: > 0 } given)
        {
            if (SizeOf(given) is not { } size || SizeOfOwnUnit is not { } own || size.Kind != own.Kind)
            {
                return null;
            }

            number = number * size.Size / own.Size;
        }

        return Type == "integer" ? Math.Round(number) : number;
    }

    private (string Kind, double Size)? SizeOfOwnUnit =>
        Unit is { } unit && NumberWithUnit().Match(char.IsDigit(unit[0]) ? unit : $"1{unit}") is { Success: true } match
            ? SizeOf(match.Groups["unit"].Value) is { } one
                ? (one.Kind, one.Size * double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture))
                : null
            : null;

    private static (string Kind, double Size)? SizeOf(string unit) =>
        Units.FirstOrDefault(known => known.Name == unit) is { Name: not null } found ? (found.Kind, found.Size) : null;

    private string? ProblemOfNumber(string value) =>
        Number(value) is not { } number ? Invalid(value, $"{An(Type)} {Type} {UnitsText}")
        : number < Limit(Minimum) || number > Limit(Maximum)
            ? $"\"{value}\" is outside the valid range ({Minimum} .. {Maximum}{(Unit is null ? "" : $" in {Unit}")})"
        : null;

    private string UnitsText =>
        SizeOfOwnUnit is { } own
            ? $"in {Unit}, or with a unit of "
                + string.Join(", ", Units.Where(unit => unit.Kind == own.Kind).Select(unit => unit.Name))
            : "without a unit";

    private static string An(string word) => word[0] is 'i' ? "an" : "a";

    private static double? Limit(string? limit) =>
        limit is null ? null : double.Parse(limit, CultureInfo.InvariantCulture);

    private static string Invalid(string value, string valid) => $"\"{value}\" is not valid; expected {valid}";

    [GeneratedRegex(@"^\s*(?<number>[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)\s*(?<unit>[A-Za-z]*)\s*$")]
    private static partial Regex NumberWithUnit();
}

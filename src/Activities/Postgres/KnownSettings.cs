using System.Globalization;
using System.Text;

namespace PgFlow.Activities.Postgres;

/// <summary>What a node's files say of the cluster: of a node that can't be asked it is known from there
/// only.</summary>
internal sealed record KnownSettings
{
    /// <summary>What synchronous_standby_names was, where not all that was acknowledged then is proven to be where its
    /// present value says. Several values are separated by semicolons.</summary>
    public const string Earlier = "pgflow.earlier_standby_names";

    /// <summary>What ALTER SYSTEM writes, and PostgreSQL reads after all other files.</summary>
    public const string AutomaticPath = $"{Names.Data}/postgresql.auto.conf";

    private readonly ILookup<string, string> _own;
    private readonly string? _override;

    /// <summary>Reads them.</summary>
    /// <param name="own">PgFlow's own file; null where there is none.</param>
    /// <param name="automatic">What ALTER SYSTEM has written; null where there is none.</param>
    public KnownSettings(byte[]? own, byte[]? automatic = null)
        : this(ValuesOf(own)) => _override = ValuesOf(automatic)[SettingsFile.StandbyNames].LastOrDefault();

    /// <summary>What PostgreSQL has read of PgFlow's own file.</summary>
    public KnownSettings(IEnumerable<KeyValuePair<string, string>> own)
        : this(own.ToLookup(setting => setting.Key, setting => setting.Value)) { }

    private KnownSettings(ILookup<string, string> own) => _own = own;

    /// <summary>How many standbys are to confirm each commit; null where that is not known.</summary>
    public int? Quorum =>
        int.TryParse(Value(SettingsFile.Quorum), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>The nodes that the cluster is meant to have; none where that is not known.</summary>
    public IReadOnlyList<NodeName> Members =>
        [
            .. (Value(SettingsFile.Members) ?? "")
                .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Where(name => NodeName.TryParse(name, null, out _))
                .Select(name => NodeName.Parse(name)),
        ];

    public bool ReadOnly => Value("pgflow.read_only") == "on";

    public string SynchronousStandbyNames => _override ?? Value(SettingsFile.StandbyNames) ?? "";

    /// <summary>What else its commits may have waited for: what ALTER SYSTEM wrote may not have been read
    /// yet.</summary>
    public string? EarlierStandbyNames =>
        _override is not null && Value(SettingsFile.StandbyNames) is { } overridden
            ? string.Join(';', [overridden, .. Value(Earlier)?.Split(';') ?? []])
            : Value(Earlier);

    /// <summary>What overrides PgFlow's file.</summary>
    public IReadOnlyList<OverriddenSetting> Drift =>
        _override is null ? [] : [new(SettingsFile.StandbyNames, AutomaticPath)];

    /// <summary>All that a commit of the node may have waited for, by its file: nothing, where it followed or replayed
    /// up to a target and was not to become the primary.</summary>
    public IEnumerable<string> Former =>
        [
            .. EarlierStandbyNames?.Split(';') ?? [],
            .. Value(SettingsFile.StandbyNames) is { } names && (names.Length > 0 || (!Follows && !IsRecovering))
                ? [names]
                : Array.Empty<string>(),
        ];

    /// <summary>Whether it is another node's standby.</summary>
    public bool Follows => Value("primary_conninfo") is { Length: > 0 };

    private bool IsRecovering => Value("recovery_target_action") is not null;

    private string? Value(string name) => _own[name].LastOrDefault();

    private static ILookup<string, string> ValuesOf(byte[]? file) =>
        (file is null ? "" : Encoding.UTF8.GetString(file))
            .Split('\n')
            .Select(line => line.Split(" = '", 2))
            .Where(setting => setting.Length == 2)
            .ToLookup(setting => setting[0], setting => Unquoted(setting[1].TrimEnd()));

    private static string Unquoted(string value) =>
        (value.EndsWith('\'') ? value[..^1] : value).Replace("''", "'", StringComparison.Ordinal);
}

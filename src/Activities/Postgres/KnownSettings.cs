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
    {
        _own = ValuesOf(own);
        _override = ValuesOf(automatic)[SettingsFile.StandbyNames].LastOrDefault();
    }

    /// <summary>How many standbys are to confirm each commit; null where that is not known.</summary>
    public int? Quorum =>
        int.TryParse(Value(SettingsFile.Quorum), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    public bool ReadOnly => Value("pgflow.read_only") == "on";

    public string SynchronousStandbyNames => _override ?? Value(SettingsFile.StandbyNames) ?? "";

    /// <summary>What else its commits may have waited for: what ALTER SYSTEM wrote may not have been read yet.</summary>
    public string? EarlierStandbyNames =>
        _override is not null && Value(SettingsFile.StandbyNames) is { } overridden
            ? string.Join(';', [overridden, .. Value(Earlier)?.Split(';') ?? []])
            : Value(Earlier);

    /// <summary>What overrides PgFlow's file.</summary>
    public IReadOnlyList<OverriddenSetting> Drift =>
        _override is null ? [] : [new(SettingsFile.StandbyNames, AutomaticPath)];

    /// <summary>What a commit of the node may have waited for that is not proven to be where
    /// <paramref name="next"/> says; null where there is none.</summary>
    /// <param name="next">What its file says from now on.</param>
    /// <param name="inForce">What it uses, where it runs as a primary; else its file is believed, unless it followed, or
    /// replayed up to a target.</param>
    public string? EarlierThan(Demand next, string? inForce = null)
    {
        var wrote = Value("primary_conninfo") is "" && Value("recovery_target_action") is null;
        List<string> former =
        [
            .. EarlierStandbyNames?.Split(';') ?? [],
            .. wrote ? [Value(SettingsFile.StandbyNames) ?? ""] : Array.Empty<string>(),
            .. inForce is null ? Array.Empty<string>() : [inForce],
        ];
        former.RemoveAll(one => one == next.ToString());
        return former.TrueForAll(one => !next.IsNone && Demand.Parse(one).Implies(next))
            ? null
            : string.Join(';', former.Distinct());
    }

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

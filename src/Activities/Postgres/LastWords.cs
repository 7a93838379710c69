using System.Globalization;
using System.Text.RegularExpressions;

namespace PgFlow.Activities.Postgres;

/// <summary>What the end of a server's log says of its end.</summary>
internal static partial class LastWords
{
    /// <summary>Why it ended, without what differs from one restart to the next.</summary>
    public static string? Why(string log) => Dying().Matches(log).LastOrDefault()?.Groups[1].Value.Trim();

    /// <summary>Which settings a standby had too little of: before PostgreSQL 14 it ends as soon as it replays that,
    /// since then where it starts or is resumed with it.</summary>
    public static IReadOnlyList<LowSetting> TooLow(string log) =>
        [
            .. Lower()
                .Matches(log)
                .Select(found => new LowSetting(
                    found.Groups["name"].Value,
                    int.Parse(found.Groups["own"].Value, CultureInfo.InvariantCulture),
                    int.Parse(found.Groups["wanted"].Value, CultureInfo.InvariantCulture)
                ))
                .DistinctBy(setting => setting.Name),
        ];

    [GeneratedRegex("(?:FATAL|PANIC): +(.*)")]
    private static partial Regex Dying();

    [GeneratedRegex(@"(?<name>\w+) = (?<own>\d+) is a lower setting than on the \w+ server.* was (?<wanted>\d+)")]
    private static partial Regex Lower();
}

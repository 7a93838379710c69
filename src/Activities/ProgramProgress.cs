using System.Globalization;
using System.Text.RegularExpressions;

namespace PgFlow.Activities;

/// <summary>How far a program has got that says so in a line: PostgreSQL's with <c>--progress</c>, and ours, which say
/// it in the same form.</summary>
/// <param name="Done">How much is done.</param>
/// <param name="Total">Of how much.</param>
/// <param name="InBytes">Whether those are bytes.</param>
internal sealed partial record ProgramProgress(long Done, long Total, bool InBytes)
{
    /// <summary>Reads <c>12345/67890 kB (18%)</c> and what may follow, <c>3/10 segments (30%)</c>, and the positions of
    /// a replay.</summary>
    /// <returns>Null for any other line.</returns>
    public static ProgramProgress? Parse(string line)
    {
        if (Amount().Match(line) is { Success: true } amount)
        {
            var inBytes = amount.Groups["unit"].Value is "kB";
            var unit = inBytes ? 1024 : 1;
            return
                long.TryParse(amount.Groups["done"].Value, CultureInfo.InvariantCulture, out var done)
                && long.TryParse(amount.Groups["total"].Value, CultureInfo.InvariantCulture, out var total)
                && total is > 0 and < long.MaxValue / 1024
                && done < long.MaxValue / 1024
                ? new(done * unit, total * unit, inBytes)
                : null;
        }

        return
            Replay().Match(line) is { Success: true } replay
            && Lsn.TryParse(replay.Groups["at"].Value, null, out var at)
            && Lsn.TryParse(replay.Groups["first"].Value, null, out var first)
            && Lsn.TryParse(replay.Groups["target"].Value, null, out var target)
            ? new(at.BytesSince(first), target.BytesSince(first), InBytes: true)
            : null;
    }

    [GeneratedRegex(@"^\s*(?<done>[0-9]{1,18})/(?<total>[0-9]{1,18}) (?<unit>kB|segments) \([0-9]+%\)")]
    private static partial Regex Amount();

    [GeneratedRegex(
        "^replays: (?<at>[0-9A-F]+/[0-9A-F]+); from (?<first>[0-9A-F]+/[0-9A-F]+) to (?<target>[0-9A-F]+/[0-9A-F]+)$"
    )]
    private static partial Regex Replay();
}

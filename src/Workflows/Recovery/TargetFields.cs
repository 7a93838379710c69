using System.Globalization;
using System.Text.RegularExpressions;

namespace PgFlow.Workflows;

/// <summary>A target as people write it: the fields of an input, read or refused all at once.</summary>
internal static partial class TargetFields
{
    private const int LongestPoint = 63; // MAXFNAMELEN - 1 in access/xlog_internal.h
    private const uint FirstXid = 3; // FirstNormalTransactionId
    private const string Kinds = "toTime, toPoint, toLsn, toXid, toBackup or latest";

    /// <summary>The target, or every wrong field with the mend; never both.</summary>
    public static (RecoveryTarget? Target, IReadOnlyList<string> Problems) Read(
        string? toTime, string? toPoint, string? toLsn, string? toXid, string? toBackup, bool latest, uint? timeline)
    {
        var problems = new List<string>();
        string?[] given =
        [
            toTime is null ? null : nameof(toTime),
            toPoint is null ? null : nameof(toPoint),
            toLsn is null ? null : nameof(toLsn),
            toXid is null ? null : nameof(toXid),
            toBackup is null ? null : nameof(toBackup),
            latest ? nameof(latest) : null,
        ];
        if (given.Count(field => field is not null) is not 1 and var count)
        {
            problems.Add(count == 0
                ? $"target: none is given; give one of {Kinds}"
                : $"{string.Join(", ", given.Where(field => field is not null))}: are {count} targets; give only one of {Kinds}");
        }

        var target = new RecoveryTarget
        {
            Time = toTime is null ? null : Time(toTime, problems),
            Point = toPoint is null ? null : Name(nameof(toPoint), toPoint, "the name of a restore point", problems),
            Lsn = toLsn is null ? null : Position(toLsn, problems),
            Xid = toXid is null ? null : Xid(toXid, problems),
            Backup = toBackup is null ? null : Name(nameof(toBackup), toBackup, "the ID of a backup", problems),
            Latest = latest,
            Timeline = timeline is { } number ? new(number) : null,
        };
        if (timeline == 0)
        {
            problems.Add("timeline: 0 is none; they are numbered from 1");
        }

        return (problems.Count == 0 ? target : null, problems);
    }

    private static DateTimeOffset? Time(string text, List<string> problems)
    {
        var form = Iso().Match(text);
        var zone = form.Groups["zone"].Value;
        if (!form.Success
            || !DateTimeOffset.TryParse($"{form.Groups["local"].Value}{(zone.Length == 0 ? "Z" : zone)}", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            problems.Add($"toTime: '{text}' is no time; write it as 2026-11-24T10:05:00Z or 2026-11-24T12:05:00.123456+02:00");
            return null;
        }

        if (zone.Length == 0)
        {
            problems.Add($"toTime: '{text}' has no offset, so it could be {text}Z (UTC) or, say, {text}+02:00 (local time two hours ahead of it); write which");
            return null;
        }

        return time;
    }

    private static string Name(string field, string text, string what, List<string> problems)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > LongestPoint)
        {
            problems.Add($"{field}: '{text}' is not {what}; give one of 1 to {LongestPoint} characters");
        }

        return text;
    }

    private static Lsn? Position(string text, List<string> problems)
    {
        if (Lsn.TryParse(text, out var lsn) && lsn > default(Lsn))
        {
            return lsn;
        }

        problems.Add($"toLsn: '{text}' is no LSN; write {Lsn.Form}");
        return null;
    }

    private static uint? Xid(string text, List<string> problems)
    {
        if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var xid) && xid >= FirstXid)
        {
            return xid;
        }

        problems.Add($"toXid: '{text}' is no transaction; write a number from {FirstXid} to {uint.MaxValue}, without the epoch");
        return null;
    }

    [GeneratedRegex(@"^(?<local>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,7})?)?)(?<zone>Z|[+-]\d\d(:?\d\d)?)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Iso();
}

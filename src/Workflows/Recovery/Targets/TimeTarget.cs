using System.Globalization;
using System.Text.RegularExpressions;

namespace PgFlow.Workflows.Recovery.Targets;

public partial record TargetInput
{
    /// <summary>Everything committed up to this time: ISO 8601 with an offset or Z.</summary>
    [Flag(
        "Everything committed up to this time: ISO 8601 with an offset or Z, as 2026-11-24T10:05:00Z",
        Value = "TIME"
    )]
    public string? ToTime { get; init; }
}

/// <summary>Everything that was committed up to a time, and nothing later.</summary>
/// <param name="Time">The time.</param>
public sealed partial record TimeTarget(DateTimeOffset Time) : RecoveryTarget
{
    internal static TargetKind Description { get; } =
        new("toTime", "time", input => input.ToTime, Parse, json => new TimeTarget(json.GetDateTimeOffset()));

    internal override TargetKind Kind => Description;

    internal override object Value => Time;

    internal override async Task<Position> FindAsync(TargetSearch search)
    {
        if (Time > search.Contents.ReadAt)
        {
            throw Failure.Refuse(
                $"{TargetSearch.Text(Time)} is in the future: it is "
                    + $"{TargetSearch.Text(search.Contents.ReadAt)}; for all there is, ask for the latest"
            );
        }

        if (Timeline is { } timeline)
        {
            var named = search.BranchOf(timeline);
            var own = search.Periods.FirstOrDefault(period => period.Branch == named);
            return own?.Successor is { } next && Time >= next.OpenedAt
                    ? throw Failure.Refuse(
                        $"timeline {timeline} ended at {TargetSearch.Text(own.EndedAt!.Value)}, before "
                            + $"{TargetSearch.Text(Time)}; its end is recoverable as the latest on timeline "
                            + $"{timeline}, that time without a timeline"
                    )
                : own?.EndedAt < Time
                    ? await search.AtEndAsync(
                        named,
                        $"timeline {timeline} was asked for; it ended at {TargetSearch.Text(own.EndedAt!.Value)}"
                    )
                : await OnBranchAtAsync(search, named, $"timeline {timeline} was asked for");
        }

        var period = PeriodAt(search);
        var (from, until) = (
            TargetSearch.Text(period.From),
            period.EndedAt is { } left ? $"to {TargetSearch.Text(left)}" : "until now"
        );
        if (period.EndedAt is null || Time <= period.EndedAt)
        {
            return await OnBranchAtAsync(
                search,
                period.Branch,
                $"timeline {period.Branch.Timeline} was live at {TargetSearch.Text(Time)} (from {from} {until})"
            );
        }

        return period.IsContinued
            ? AtOpening(
                search.Find(period.Successor!.Timeline),
                $"at {TargetSearch.Text(Time)} timeline {period.Branch.Timeline} had ended and timeline "
                    + $"{period.Successor.Timeline}, which continues it, was not open yet (from "
                    + $"{TargetSearch.Text(period.Successor.OpenedAt)})"
            )
            : await search.AtEndAsync(
                period.Branch,
                $"at {TargetSearch.Text(Time)} nothing was live: timeline {period.Branch.Timeline} ended at "
                    + $"{TargetSearch.Text(period.EndedAt.Value)}, timeline {period.Successor!.Timeline} was opened at "
                    + $"{TargetSearch.Text(period.Successor.OpenedAt)}"
            );
    }

    /// <summary>Branches are numbered in the order of their opening: one without a time lies between its
    /// neighbours.</summary>
    private LivePeriod PeriodAt(TargetSearch search)
    {
        var period = search.Periods.LastOrDefault(period => period.From <= Time);
        var next = period is null
            ? search.Periods is [var first, ..]
                ? first.Branch.Timeline
                : null
            : period.Successor?.Timeline;
        var dark = search
            .Contents.Branches.Where(branch =>
                branch.Opening is null && !(branch.Timeline < period?.Branch.Timeline) && !(branch.Timeline > next)
            )
            .Select(branch => branch.Timeline)
            .ToList();
        if (period is null)
        {
            throw Failure.Refuse(
                "no branch is known to have been live at "
                    + $"{TargetSearch.Text(Time)}{(dark.Count > 0 ? $"; {Unknown(dark)}" : "")}; {search.Spans()}"
            );
        }

        return dark.Count == 0
            ? period
            : throw Failure.Refuse(
                $"which branch was live at {TargetSearch.Text(Time)} is not known: {Unknown(dark)}; {search.Spans()}"
            );
    }

    private static string Unknown(List<Timeline> dark) =>
        $"when timeline {string.Join(", ", dark)} was opened is not known, so it can only be chosen by number "
        + $"(timeline {dark[0]})";

    private static Position AtOpening(Branch branch, string why) => new(branch.Path(), branch.Path()[^1].Start, why);

    /// <summary>The first commit or rollback in WAL order with a later time is the first one not replayed, as
    /// PostgreSQL itself would decide.</summary>
    private async Task<Position> OnBranchAtAsync(TargetSearch search, Branch branch, string why)
    {
        var path = search.Contents.PathThroughCopies(branch);
        var usable = search.Contents.UsableOn(path);
        WalSpan? broken = null;
        foreach (var backup in usable.Where(backup => backup.StoppedAt <= Time))
        {
            var span = search.SpanFrom(backup, path);
            if (!span.IsEmpty && await search.Wal.FirstAfterAsync(span.Path, Time) is { } later)
            {
                return new(
                    path,
                    await KeptEndAsync(search, branch, backup, span.Path.Until(later.Lsn, search.Contents.SegmentSize)),
                    why
                );
            }

            if (span.Gap is null)
            {
                return await search.AtEndAsync(branch, $"{why}; nothing was committed on it later");
            }

            broken ??= span;
        }

        throw broken is null
            ? search.TooEarly(
                branch,
                usable,
                $"{TargetSearch.Text(Time)}",
                backup => backup.StartedAt <= Time && Time < backup.StoppedAt
            )
            : search.Gap(broken, usable);
    }

    /// <summary>
    /// The end of the last transaction that is kept. What lies between that and the first one dropped belongs to
    /// transactions that are dropped, or to none;
    /// and some of it acts before its commit: the files of a dropped database are removed first. Not before the
    /// backup's end, nor where the branch begins.
    /// </summary>
    private async Task<Lsn> KeptEndAsync(
        TargetSearch search,
        Branch branch,
        Backup backup,
        IReadOnlyList<WalRange> kept
    )
    {
        Lsn[] ends = [await search.Wal.LastKeptAsync(kept, Time) ?? default, backup.End, branch.Path()[^1].Start];
        return ends.Where(end => end <= kept[^1].End).Max();
    }

    private static TimeTarget? Parse(string text, List<InputProblem> problems)
    {
        var form = Iso().Match(text);
        var zone = form.Groups["zone"].Value;
        if (
            !form.Success
            || !DateTimeOffset.TryParse(
                $"{form.Groups["local"].Value}{(zone.Length == 0 ? "Z" : zone)}",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var time
            )
        )
        {
            problems.Add(
                new(
                    "toTime",
                    $"'{text}' is no time; write it as 2026-11-24T10:05:00Z or 2026-11-24T12:05:00.123456+02:00"
                )
            );
            return null;
        }

        if (zone.Length == 0)
        {
            problems.Add(
                new(
                    "toTime",
                    $"'{text}' has no offset, so it could be {text}Z (UTC) or, say, {text}+02:00 (local time two hours "
                        + "ahead of it); write which"
                )
            );
            return null;
        }

        return new TimeTarget(time);
    }

    [GeneratedRegex(
        @"^(?<local>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,7})?)?)(?<zone>Z|[+-]\d\d(:?\d\d)?)?\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Iso();
}

using System.Globalization;

namespace PgFlow.Workflows.Recovery;

/// <summary>What a ledger lacks and the WAL tells.</summary>
public sealed record Unrecorded
{
    /// <summary>The openings of timelines, in order of time. The workflow that writes them fills itself in.</summary>
    public IReadOnlyList<Found<TimelineOpened>> Openings { get; init; } = [];

    /// <summary>The restore points, in order of time.</summary>
    public IReadOnlyList<Found<RestorePoint>> RestorePoints { get; init; } = [];

    /// <summary>What stays unknown, each in a sentence.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];
}

/// <summary>Something that was found.</summary>
/// <param name="Entry">What.</param>
/// <param name="Source">Where.</param>
public sealed record Found<T>(T Entry, string Source);

/// <summary>Finds in the WAL what a ledger lacks. Pure but for the WAL that it has read.</summary>
/// <remarks>
/// A promotion's first record on its timeline (END_OF_RECOVERY, or a shutdown checkpoint) has time and parent; the
/// system identifier begins with the time of initdb. Neither tells
/// by whom or why.
/// </remarks>
internal sealed class LedgerRebuilder
{
    /// <summary>Restore points that are found at once, the newest first: an application may make thousands.</summary>
    private const int MostPoints = 200;

    private readonly RepositoryContents _contents;
    private readonly IWalReader _wal;
    private readonly IReadOnlyList<WalMark> _marks;

    private LedgerRebuilder(RepositoryContents contents, IWalReader wal, IReadOnlyList<WalMark> marks) =>
        (_contents, _wal, _marks) = (contents, wal, marks);

    /// <summary>Everything that <paramref name="contents"/> lacks.</summary>
    public static async Task<Unrecorded> OfAsync(RepositoryContents contents, IWalReader wal)
    {
        ArgumentNullException.ThrowIfNull(contents);
        ArgumentNullException.ThrowIfNull(wal);
        var marks = new List<WalMark>();
        foreach (var timeline in contents.Segments.Select(run => run.Timeline).Distinct().Order())
        {
            marks.AddRange(await wal.MarksAsync(timeline));
        }

        // A copy is needed only where the original's segment was lost; what a clone has from its source is not its own
        // past.
        return await new LedgerRebuilder(
            contents,
            wal,
            [.. marks.Where(mark => contents.HasAnyOf(mark.Timeline)).DistinctBy(mark => (mark.Timeline, mark.Lsn))]
        ).FindAsync();
    }

    private async Task<Unrecorded> FindAsync()
    {
        var lacking = _contents
            .Branches.Where(branch => branch.Opening is null)
            .Select(branch => (Branch: branch, Found: OpeningOf(branch)))
            .ToList();
        var (openings, strays) = (new List<Found<TimelineOpened>>(), new List<string>());
        List<TimelineOpened> known = [.. _contents.Branches.Select(branch => branch.Opening).OfType<TimelineOpened>()];
        foreach (
            var found in lacking
                .Select(branch => branch.Found)
                .OfType<Found<TimelineOpened>>()
                .OrderBy(found => found.Entry.OpenedAt)
        )
        {
            if (await IsStrayAsync(found.Entry))
            {
                strays.Add(
                    $"timeline {found.Entry.Timeline}: somebody promoted a node by hand; timeline "
                        + $"{found.Entry.Parent} was written on, so this one is no part of the cluster's past"
                );
                continue;
            }

            openings.Add(found with { Entry = await WithPreviousAsync(found.Entry, known) });
            known.Add(found.Entry);
        }

        var recorded = _contents.RestorePoints.Select(point => point.Name).ToHashSet();
        var names = _marks
            .Where(mark => mark.Name is { } name && !recorded.Contains(name))
            .ToLookup(mark => mark.Name!);
        var points = names.Where(IsPoint).Select(marks => marks.Single()).OrderBy(mark => mark.At).ToList();
        return new()
        {
            Openings = openings,
            RestorePoints =
            [
                .. points
                    .TakeLast(MostPoints)
                    .Select(mark => new Found<RestorePoint>(
                        new(mark.Name!, mark.Timeline, mark.End, mark.At!.Value),
                        Source(mark)
                    )),
            ],
            Unknown =
            [
                .. lacking.Where(branch => branch.Found is null).Select(branch => WhyUnknown(branch.Branch)),
                .. strays,
                .. names.Where(marks => !IsPoint(marks)).Select(WhyNoPoint),
                .. points.Count > MostPoints
                    ? [$"{points.Count - MostPoints} older restore points are left out this time: run it again"]
                    : Array.Empty<string>(),
            ],
        };
    }

    // ---- openings ----

    private Found<TimelineOpened>? OpeningOf(Branch branch) =>
        branch.Timeline == new Timeline(1)
            ? SystemIdentifier is { } identifier && _contents.HasAnyOf(branch.Timeline)
                ? new(
                    new(null, branch.Timeline, null, default, TimeOf(identifier), "", TimelineOpened.Initdb),
                    $"the system identifier {identifier}"
                )
                : null
            : _marks.FirstOrDefault(mark => mark.Opened == branch.Timeline) is { At: { } at } mark
                ? new(
                    new(
                        null,
                        branch.Timeline,
                        mark.Parent,
                        branch.Path() is [_, .., var own] ? own.Start : mark.Lsn,
                        at,
                        "",
                        TimelineOpened.Promotion
                    ),
                    Source(mark)
                )
                : null;

    private string? SystemIdentifier =>
        _contents.SystemIdentifier ?? _contents.Backups.Select(backup => backup.SystemIdentifier).FirstOrDefault();

    /// <summary>Seconds in its upper half, then 20 bits of microseconds (<c>BootStrapXLOG</c>).</summary>
    private static DateTimeOffset TimeOf(string systemIdentifier)
    {
        var number = ulong.Parse(systemIdentifier, CultureInfo.InvariantCulture);
        return DateTimeOffset.FromUnixTimeSeconds((long)(number >> 32)).AddMicroseconds((number >> 12) & 0xF_FFFF);
    }

    /// <summary>What an opening says of the branch that was live before: its last time, and whether this one goes on
    /// where it ended.</summary>
    private async Task<TimelineOpened> WithPreviousAsync(TimelineOpened opening, IReadOnlyList<TimelineOpened> others)
    {
        if (
            others
                .Where(other => other.OpenedAt <= opening.OpenedAt)
                .OrderBy(other => other.OpenedAt)
                .ThenBy(other => other.Timeline)
                .LastOrDefault()
            is not { } previous
        )
        {
            return opening;
        }

        return opening with
        {
            PreviousEndedAt = await LastTimeOfAsync(previous.Timeline, opening.OpenedAt),
            Continued = previous.Timeline == opening.Parent && await IsEndAsync(previous.Timeline, opening.SwitchedAt),
        };
    }

    /// <summary>A procedure opens a branch when nobody writes to its parent any more.</summary>
    private async Task<bool> IsStrayAsync(TimelineOpened opening) =>
        opening.Parent is { } parent
        && _contents.Find(parent) is not null
        && await LastTimeOfAsync(parent, _contents.ReadAt) > opening.OpenedAt;

    private async Task<bool> IsEndAsync(Timeline timeline, Lsn position) =>
        _contents.Segments.All(run => run.Timeline != timeline || run.Last <= _contents.SegmentOf(position))
        && await _wal.EndOfAsync(timeline, position) <= position;

    /// <summary>The latest time in a branch's last WAL. Commits are not in order of time: nothing may be later, or a
    /// time behind the branch's end would bring it back.</summary>
    private async Task<DateTimeOffset?> LastTimeOfAsync(Timeline timeline, DateTimeOffset until)
    {
        if (_contents.TailOf(_contents.Find(timeline)!) is not [var tip, ..] tail)
        {
            return null;
        }

        var marked = _marks
            .Where(mark => mark.Timeline == timeline && mark.Lsn >= tip.Start && mark.At <= until)
            .Max(mark => mark.At);
        var latest = await _wal.LastAsync(tail) is { } last && !(last.At < marked) ? last.At : marked;
        while (latest is { } time && await _wal.FirstAfterAsync(tail, time) is { } later)
        {
            latest = later.At;
        }

        return latest;
    }

    private string WhyUnknown(Branch branch) =>
        branch.Timeline switch
        {
            var timeline when !_contents.HasAnyOf(timeline) =>
                $"timeline {timeline}: when it was opened stays unknown, none of its WAL and no backup of it is "
                    + "here (a clone has none of its source's)",
            { Number: 1 } =>
                "timeline 1: when it was opened stays unknown, no node and no backup has the system identifier",
            var timeline => $"timeline {timeline}: when it was opened stays unknown, "
                + $"{_contents.NameOf(timeline, _contents.SegmentOf(branch.Path()[^1].Start))} is not there or "
                + "has no record of it",
        };

    // ---- restore points ----

    private static bool IsPoint(IGrouping<string, WalMark> marks) =>
        CreateRestorePointInput.IsName(marks.Key) && marks.ToList() is [{ At: not null }];

    private static string WhyNoPoint(IGrouping<string, WalMark> marks) =>
        $"restore point '{marks.Key}' at "
        + $"{string.Join(", ", marks.Select(mark => $"{mark.End} on timeline {mark.Timeline}"))} is left out: "
        + marks.Count() switch
        {
            > 1 => "a name is one position",
            _ when !CreateRestorePointInput.IsName(marks.Key) => "that is no name that the ledger takes",
            _ => "its time can't be read",
        };

    private static string Source(WalMark mark) => $"{mark.Record} at {mark.Lsn} on timeline {mark.Timeline}";
}

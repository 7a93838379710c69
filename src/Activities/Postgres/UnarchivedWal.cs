namespace PgFlow.Activities.Postgres;

/// <summary>The result of list-wal: what a stopped node has of WAL.</summary>
/// <param name="State">What pg_control says the server was; empty where there is no WAL.</param>
/// <param name="Timeline">The timeline of its last checkpoint, in pg_control.</param>
/// <param name="Segments">The segments in pg_wal.</param>
/// <param name="Ready">The files that wait for the archive: a segment has a status when it is complete.</param>
/// <param name="Archived">Those that are in it.</param>
/// <param name="Ancestors">Of each history the timelines that it descends from, as <c>TIMELINE ANCESTOR</c>.</param>
internal sealed record UnarchivedWal(
    string State,
    string Timeline,
    IReadOnlyList<string> Segments,
    IReadOnlyList<string> Ready,
    IReadOnlyList<string> Archived,
    IReadOnlyList<string> Ancestors
)
{
    /// <summary>
    /// The segment that a server which did not shut down was writing: it has no status yet, and lies before those made
    /// in advance. Null where there is none.
    /// </summary>
    public string? Tail
    {
        get
        {
            if (State.Length == 0 || State.StartsWith("shut down", StringComparison.Ordinal))
            {
                return null;
            }

            var timeline = LastTimeline;
            var complete = Archived
                .Concat(Ready)
                .Where(name => name.Length == 24 && IsOf(name, timeline))
                .Max(StringComparer.Ordinal);
            return Segments
                .Where(name => IsOf(name, timeline) && string.CompareOrdinal(name, complete) > 0)
                .Min(StringComparer.Ordinal);
        }
    }

    /// <summary>Directly after a promotion pg_control still names the parent: what counts is the last timeline that
    /// descends from it and has WAL here.</summary>
    private string LastTimeline =>
        Ancestors
            .Where(line => line[8..].Trim() == Timeline)
            .Select(line => line[..8])
            .Where(timeline => Segments.Any(segment => IsOf(segment, timeline)))
            .Append($"{uint.Parse(Timeline, System.Globalization.CultureInfo.InvariantCulture):X8}")
            .Max(StringComparer.Ordinal)!;

    private static bool IsOf(string segment, string timeline) => segment.StartsWith(timeline, StringComparison.Ordinal);
}

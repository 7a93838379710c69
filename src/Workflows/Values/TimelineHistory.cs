using System.Globalization;

namespace PgFlow.Workflows.Values;

/// <summary>The lineage of a timeline: which timelines lead to it, and where each was left.</summary>
/// <param name="Tip">The timeline itself.</param>
/// <param name="Ancestors">Its ancestors, oldest first.</param>
/// <remarks>
/// PostgreSQL looks a position up newest first (tliOfPointInHistory), so an ancestor ends at the smallest switch point
/// from its own line on:
/// a history that goes back (1→4 recorded before an earlier switch point of 2) would otherwise promise WAL that
/// recovery refuses.
/// </remarks>
public sealed record TimelineHistory(Timeline Tip, IReadOnlyList<TimelineSwitch> Ancestors)
{
    /// <summary>Reads a <c>.history</c> file: parent, switch LSN and reason, parted by tabs; comments and blank lines
    /// are legal.</summary>
    public static TimelineHistory Parse(Timeline tip, string? text)
    {
        var ancestors = new List<TimelineSwitch>();
        foreach (var line in (text ?? "").Split('\n'))
        {
            var fields = line.Split('\t', ' ').Where(field => field.Length > 0).ToArray();
            if (
                fields.Length >= 2
                && uint.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var parent)
                && Lsn.TryParse(fields[1], null, out var end)
            )
            {
                ancestors.Add(new(new(parent), end));
            }
        }

        return new(tip, ancestors);
    }

    /// <summary>Where the lineage left <paramref name="timeline"/>; null when it never was on it or is still
    /// there.</summary>
    public Lsn? EndOf(Timeline timeline)
    {
        var from = Ancestors.ToList().FindIndex(ancestor => ancestor.Timeline == timeline);
        return from < 0 ? null : Ancestors.Skip(from).Min(ancestor => ancestor.End);
    }

    /// <summary>Whether both are one branch; two promotions can take the same number.</summary>
    public bool IsSame(TimelineHistory other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Tip == other.Tip && Ancestors.SequenceEqual(other.Ancestors);
    }

    /// <summary>Whether the lineage goes through <paramref name="timeline"/>.</summary>
    public bool Contains(Timeline timeline) => timeline == Tip || EndOf(timeline) is not null;
}

/// <summary>One line of a history file.</summary>
/// <param name="Timeline">The timeline that was left.</param>
/// <param name="End">The first position that is no longer on it.</param>
public sealed record TimelineSwitch(Timeline Timeline, Lsn End);

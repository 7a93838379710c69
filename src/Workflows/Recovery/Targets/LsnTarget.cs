namespace PgFlow.Workflows.Recovery.Targets;

public partial record TargetInput
{
    /// <summary>Every record that begins before this position.</summary>
    [Flag("Every record that begins before this position", Value = "LSN")]
    public string? ToLsn { get; init; }
}

/// <summary>Every record that begins before a position.</summary>
/// <param name="Lsn">The position.</param>
public sealed record LsnTarget(Lsn Lsn) : RecoveryTarget
{
    internal static TargetKind Description { get; } =
        new("toLsn", "lsn", input => input.ToLsn, Parse, json => new LsnTarget(Lsn.Parse(json.GetString()!)));

    internal override TargetKind Kind => Description;

    internal override object Value => Lsn;

    internal override async Task<Position> FindAsync(TargetSearch search)
    {
        var branch = search.BranchOf(Timeline);
        var path = search.Contents.PathThroughCopies(branch);
        var isBeforeGap = search
            .Contents.UsableOn(path)
            .Any(backup => search.SpanFrom(backup, path) is { Gap: not null } span && Lsn < span.End);
        if (Lsn >= path[^1].Start && !isBeforeGap && await search.EndAsync(branch) is var end && Lsn > end.End)
        {
            throw Failure.Refuse(
                $"{Lsn} is beyond the end of timeline {branch.Timeline}, which is "
                    + $"{end.End}{OtherBranches(search, branch)}"
            );
        }

        return new(path, Lsn, $"{Lsn} lies on timeline {path.At(Lsn)}, {search.WhyBranch(branch)}");
    }

    private string OtherBranches(TargetSearch search, Branch branch) =>
        search
            .Contents.Segments.Where(run =>
                run.Timeline != branch.Timeline
                && run.First <= search.Contents.SegmentOf(Lsn)
                && search.Contents.SegmentOf(Lsn) <= run.Last
            )
            .Select(run => run.Timeline)
            .Distinct()
            .ToList()
            is { Count: > 0 } others
            ? $"; there is WAL of that position on timeline {string.Join(", ", others)}"
            : "";

    private static LsnTarget? Parse(string text, List<InputProblem> problems)
    {
        if (Lsn.TryParse(text, null, out var lsn) && lsn > default(Lsn))
        {
            return new(lsn);
        }

        problems.Add(new("toLsn", $"'{text}' is no LSN; write {Lsn.Syntax}"));
        return null;
    }
}

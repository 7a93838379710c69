using System.Globalization;

namespace PgFlow.Workflows.Recovery.Targets;

public partial record TargetInput
{
    /// <summary>Everything up to this transaction's commit, and it.</summary>
    [Flag("Everything up to this transaction's commit, and it", Value = "XID")]
    public string? ToXid { get; init; }
}

/// <summary>Everything up to a transaction's commit, and it.</summary>
/// <param name="Xid">The transaction, without the epoch.</param>
public sealed record XidTarget(uint Xid) : RecoveryTarget
{
    private const uint FirstXid = 3; // FirstNormalTransactionId

    internal static TargetKind Description { get; } =
        new("toXid", "xid", input => input.ToXid, Parse, json => new XidTarget(json.GetUInt32()));

    internal override TargetKind Kind => Description;

    internal override object Value => Xid;

    /// <summary>Newest WAL first: a number may have been used before, 4 billion transactions ago.</summary>
    internal override async Task<Position> FindAsync(TargetSearch search)
    {
        var branch = search.BranchOf(Timeline);
        var path = search.Contents.PathThroughCopies(branch);
        var usable = search.Contents.UsableOn(path);
        Lsn? searched = null;
        foreach (var backup in usable)
        {
            var span = search.SpanFrom(backup, path);
            if (span.IsEmpty || span.Path[0].Start >= searched)
            {
                continue;
            }

            if (
                await search.Wal.CommitOfAsync(
                    searched is { } behind ? span.Path.Until(behind, search.Contents.SegmentSize) : span.Path,
                    Xid
                ) is
                { } found
            )
            {
                return found.Committed
                    ? new(
                        path,
                        found.End,
                        $"transaction {Xid} committed on timeline {found.Timeline} at "
                            + $"{TargetSearch.Text(found.At)}, {search.WhyBranch(branch)}"
                    )
                    : throw Failure.Refuse(
                        $"transaction {Xid} did not commit: it was rolled back at "
                            + $"{TargetSearch.Text(found.At)}; {found.Lsn} is the position before that"
                    );
            }

            searched = span.Path[0].Start;
        }

        throw Failure.Refuse(
            searched is { } start
                ? $"no commit of transaction {Xid} is in the WAL of timeline {branch.Timeline} from {start} on; "
                    + $"another branch is chosen by its number; {search.Spans()}"
                : $"no backup leads to timeline {branch.Timeline}; {search.Spans()}"
        );
    }

    private static XidTarget? Parse(string text, List<InputProblem> problems)
    {
        if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var xid) && xid >= FirstXid)
        {
            return new(xid);
        }

        problems.Add(
            new(
                "toXid",
                $"'{text}' is no transaction; write a number from {FirstXid} to {uint.MaxValue}, without the epoch"
            )
        );
        return null;
    }
}

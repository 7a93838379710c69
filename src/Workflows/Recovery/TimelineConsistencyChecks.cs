namespace PgFlow.Workflows.Recovery;

/// <summary>What a repository lacks, and where it contradicts itself.</summary>
internal static class TimelineConsistencyChecks
{
    public static IReadOnlyList<Finding> Of(RepositoryContents contents) =>
        [
            .. Holes(contents)
                .Select(hole => new Finding(
                    FindingCode.HistoryMissing,
                    Detail: $"timeline {hole} has no history: PostgreSQL would give its number to the next branch; no "
                        + $"recovery before {new Timeline(hole).HistoryFile} is back"
                )),
            .. contents
                .Branches.Where(branch => IsStray(contents, branch))
                .Select(branch => new Finding(
                    FindingCode.BranchUnknown,
                    Detail: $"timeline {branch.Timeline}: the ledger does not know it, and the live one does not come "
                        + "from it: somebody promoted a node by hand, or its entry was lost; only its number leads "
                        + "to it",
                    Hint: Rebuild(contents)
                )),
            .. contents
                .Branches.Where(branch =>
                    branch.Opening is null && !IsStray(contents, branch) && IsKnown(contents, branch)
                )
                .Select(branch => new Finding(
                    FindingCode.OpeningUnknown,
                    Detail: $"timeline {branch.Timeline}: nobody knows when it was opened, so a time can't choose it, "
                        + "only its number",
                    Hint: Rebuild(contents)
                )),
            .. contents.Branches.SelectMany(GoingBack),
            .. Gaps(contents)
                .Select(gap => new Finding(
                    FindingCode.WalMissing,
                    Detail: $"timeline {gap.Timeline} lacks {gap.First} to {gap.Last}"
                )),
            .. contents
                .Branches.Where(branch => IsKnown(contents, branch))
                .SelectMany(branch => LostEnd(contents, branch)),
            .. OutOfOrder(contents),
            .. contents
                .Backups.Where(backup => contents.ChainOf(backup) is null)
                .Select(backup => new Finding(
                    FindingCode.BackupUnusable,
                    Detail: $"backup {backup.Id} can't be restored: {backup.Parent}, or one that it builds on, is not "
                        + "there"
                )),
        ];

    private static Hint Rebuild(RepositoryContents contents) =>
        Hint.Run("the WAL may tell", nameof(RebuildLedger), contents.Cluster);

    /// <summary>Whether a branch was opened past every procedure: the ledger, which knows the live one, does not know
    /// it.</summary>
    public static bool IsStray(RepositoryContents contents, Branch branch) =>
        branch.Opening is null
        && IsKnown(contents, branch)
        && LivePeriod.Of(contents) is [.., var live]
        && live.Branch.Opening!.Node is not null
        && !live.Branch.History.Contains(branch.Timeline);

    /// <summary>A clone knows nothing of its source's branches, and can't go back there.</summary>
    private static bool IsKnown(RepositoryContents contents, Branch branch) =>
        contents.UsableOn(branch.Path()).Count > 0;

    /// <summary>Numbers up to the highest that PostgreSQL would find free, looking for one history after the
    /// other.</summary>
    public static IEnumerable<uint> Holes(RepositoryContents contents)
    {
        var known = contents
            .Branches.Where(branch => branch.History.Ancestors.Count > 0)
            .Select(branch => branch.Timeline.Number)
            .ToHashSet();
        var highest = contents.Branches.Select(branch => branch.Timeline.Number).DefaultIfEmpty(1u).Max();
        for (var number = 2u; number <= highest; number++)
        {
            if (!known.Contains(number))
            {
                yield return number;
            }
        }
    }

    /// <summary>What is missing between two segments of a timeline.</summary>
    public static IEnumerable<WalGap> Gaps(RepositoryContents contents) =>
        contents.Branches.SelectMany(branch =>
        {
            var runs = contents
                .Segments.Where(run => run.Timeline == branch.Timeline)
                .OrderBy(run => run.First)
                .ToList();
            return runs.Zip(runs.Skip(1))
                .Where(pair => pair.Second.First > pair.First.Last + 1)
                .Select(pair => new WalGap(
                    branch.Timeline,
                    contents.NameOf(branch.Timeline, pair.First.Last + 1),
                    contents.NameOf(branch.Timeline, pair.Second.First - 1)
                ));
        });

    private static IEnumerable<Finding> GoingBack(Branch branch) =>
        branch
            .History.Ancestors.Zip(branch.History.Ancestors.Skip(1))
            .Where(pair => pair.Second.End < pair.First.End)
            .Select(pair => new Finding(
                FindingCode.HistoryContradicts,
                Detail: $"timeline {branch.Timeline}: its history goes back from {pair.First.End} (end of "
                    + $"{pair.First.Timeline}) to {pair.Second.End} (end of {pair.Second.Timeline}); the earlier one "
                    + "counts"
            ));

    /// <summary>A parent's WAL must reach the segment in which the child begins; of that one the child has a
    /// copy.</summary>
    private static IEnumerable<Finding> LostEnd(RepositoryContents contents, Branch branch)
    {
        if (
            branch.Path() is [.., var parent, var own]
            && contents.Segments.Where(run => run.Timeline == parent.Timeline).Select(run => (ulong?)run.Last).Max()
                is { } last
            && last + 1 < contents.SegmentOf(own.Start)
        )
        {
            yield return new(
                FindingCode.WalMissing,
                Detail: $"the parent's WAL ends before timeline {branch.Timeline}, which lacks "
                    + contents.NameOf(parent.Timeline, last + 1)
            );
        }
    }

    private static IEnumerable<Finding> OutOfOrder(RepositoryContents contents)
    {
        var periods = LivePeriod.Of(contents);
        return periods
            .Zip(periods.Skip(1))
            .Where(pair => pair.Second.Branch.Timeline < pair.First.Branch.Timeline)
            .Select(pair => new Finding(
                FindingCode.ClocksDisagree,
                Detail: $"timeline {pair.Second.Branch.Timeline} was opened after {pair.First.Branch.Timeline} by the "
                    + "clocks, before it by the numbers",
                Hint: new("check whether a clock was changed")
            ));
    }
}

namespace PgFlow.Workflows;

/// <summary>What a catalogue lacks or says against itself.</summary>
internal static class TimelineConsistencyChecks
{
    public static IReadOnlyList<string> Of(Catalogue catalogue) =>
        [
            .. Holes(catalogue)
                .Select(hole =>
                    $"timeline {hole} has no history: PostgreSQL would give its number to the next branch; no "
                    + $"recovery before {new Timeline(hole).HistoryFile} is back"
                ),
            .. catalogue
                .Branches.Where(branch => IsStray(catalogue, branch))
                .Select(branch =>
                    $"timeline {branch.Timeline}: the ledger does not know it, and the live one does not come "
                    + "from it: somebody promoted a node by hand, or its entry was lost "
                    + $"(pgflow timeline {catalogue.Cluster} --rebuild); only --timeline {branch.Timeline} leads to it"
                ),
            .. catalogue
                .Branches.Where(branch =>
                    branch.Opening is null && !IsStray(catalogue, branch) && IsKnown(catalogue, branch)
                )
                .Select(branch =>
                    $"timeline {branch.Timeline}: nobody knows when it was opened, so a time can't choose it; "
                    + $"the WAL may tell: pgflow timeline {catalogue.Cluster} --rebuild; else name it with "
                    + $"--timeline {branch.Timeline}"
                ),
            .. catalogue.Branches.SelectMany(GoingBack),
            .. Gaps(catalogue).Select(gap => $"timeline {gap.Timeline}: WAL is missing from {gap.First} to {gap.Last}"),
            .. catalogue.Branches.SelectMany(branch => LostEnd(catalogue, branch)),
            .. OutOfOrder(catalogue),
            .. catalogue
                .Backups.Where(backup => catalogue.ChainOf(backup) is null)
                .Select(backup =>
                    $"backup {backup.Id} builds on {backup.Parent}, of which the chain is broken: it is worth nothing"
                ),
        ];

    /// <summary>Whether a branch was opened past every procedure: the ledger, which knows the live one, does not know
    /// it.</summary>
    public static bool IsStray(Catalogue catalogue, Branch branch) =>
        branch.Opening is null
        && IsKnown(catalogue, branch)
        && LivePeriod.Of(catalogue) is [.., var live]
        && live.Branch.Opening!.Node is not null
        && !live.Branch.History.Contains(branch.Timeline);

    /// <summary>A clone knows nothing of its source's branches, and can't go back there.</summary>
    private static bool IsKnown(Catalogue catalogue, Branch branch) => catalogue.UsableOn(branch.Path()).Count > 0;

    /// <summary>Numbers up to the highest that PostgreSQL would find free, looking for one history after the
    /// other.</summary>
    public static IEnumerable<uint> Holes(Catalogue catalogue)
    {
        var known = catalogue
            .Branches.Where(branch => branch.History.Ancestors.Count > 0)
            .Select(branch => branch.Timeline.Number)
            .ToHashSet();
        var highest = catalogue.Branches.Select(branch => branch.Timeline.Number).DefaultIfEmpty(1u).Max();
        for (var number = 2u; number <= highest; number++)
        {
            if (!known.Contains(number))
            {
                yield return number;
            }
        }
    }

    /// <summary>What is missing between two segments of a timeline.</summary>
    public static IEnumerable<WalGap> Gaps(Catalogue catalogue) =>
        catalogue.Branches.SelectMany(branch =>
        {
            var runs = catalogue
                .Segments.Where(run => run.Timeline == branch.Timeline)
                .OrderBy(run => run.First)
                .ToList();
            return runs.Zip(runs.Skip(1))
                .Where(pair => pair.Second.First > pair.First.Last + 1)
                .Select(pair => new WalGap(
                    branch.Timeline,
                    catalogue.NameOf(branch.Timeline, pair.First.Last + 1),
                    catalogue.NameOf(branch.Timeline, pair.Second.First - 1)
                ));
        });

    private static IEnumerable<string> GoingBack(Branch branch) =>
        branch
            .History.Ancestors.Zip(branch.History.Ancestors.Skip(1))
            .Where(pair => pair.Second.End < pair.First.End)
            .Select(pair =>
                $"timeline {branch.Timeline}: its history goes back from {pair.First.End} (end of "
                + $"{pair.First.Timeline}) to {pair.Second.End} (end of {pair.Second.Timeline}); the earlier one "
                + "counts"
            );

    /// <summary>A parent's WAL must reach the segment in which the child begins; of that one the child has a
    /// copy.</summary>
    private static IEnumerable<string> LostEnd(Catalogue catalogue, Branch branch)
    {
        if (
            branch.Path() is [.., var parent, var own]
            && catalogue.Segments.Where(run => run.Timeline == parent.Timeline).Select(run => (ulong?)run.Last).Max()
                is { } last
            && last + 1 < catalogue.SegmentOf(own.Start)
        )
        {
            yield return $"timeline {branch.Timeline}: its parent's WAL ends before it, {catalogue.NameOf(parent.Timeline, last + 1)} is missing";
        }
    }

    private static IEnumerable<string> OutOfOrder(Catalogue catalogue)
    {
        var eras = LivePeriod.Of(catalogue);
        return eras.Zip(eras.Skip(1))
            .Where(pair => pair.Second.Branch.Timeline < pair.First.Branch.Timeline)
            .Select(pair =>
                $"timeline {pair.Second.Branch.Timeline} was opened after {pair.First.Branch.Timeline} by the "
                + "clocks, before it by the numbers: were the clocks set?"
            );
    }
}

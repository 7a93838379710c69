namespace PgFlow.Workflows.Recovery;

/// <summary>The time in which a branch was the one that clients wrote to.</summary>
/// <param name="Branch">The branch.</param>
/// <param name="From">When it was opened.</param>
/// <param name="Left">When it could be written to last; null while it is live.</param>
/// <param name="Next">What was opened then, which need not be a child of it.</param>
internal sealed record LivePeriod(Branch Branch, DateTimeOffset From, DateTimeOffset? Left, TimelineOpened? Next)
{
    /// <summary>The eras in order of time. A branch of which nobody knows when it was opened has none.</summary>
    public static IReadOnlyList<LivePeriod> Of(RepositoryContents contents)
    {
        var opened = contents
            .Branches.Where(branch => branch.Opening is not null)
            .OrderBy(branch => branch.Opening!.OpenedAt)
            .ThenBy(branch => branch.Timeline)
            .ToList();
        return
        [
            .. opened.Select(
                (branch, index) =>
                {
                    var next = opened.ElementAtOrDefault(index + 1)?.Opening;
                    return new LivePeriod(
                        branch,
                        branch.Opening!.OpenedAt,
                        next is null ? null : Earlier(next.PreviousEndedAt ?? next.OpenedAt, next.OpenedAt),
                        next
                    );
                }
            ),
        ];
    }

    /// <summary>Whether the next branch goes on where this one ended.</summary>
    public bool IsContinued => Next?.Continues is true;

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}

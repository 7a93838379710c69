namespace PgFlow.Workflows.Recovery;

/// <summary>What a server keeps to know which blocks have changed since an earlier backup
/// (<c>summarize_wal</c>).</summary>
public static class WalSummaries
{
    /// <summary>Whether <paramref name="summaries"/> tell of everything from <paramref name="start"/> on, without a
    /// gap.</summary>
    /// <remarks>The newest WAL has none yet; the server waits for those itself.</remarks>
    public static bool Cover(IEnumerable<WalRange> summaries, Timeline timeline, Lsn start)
    {
        ArgumentNullException.ThrowIfNull(summaries);
        Lsn? reached = null;
        foreach (
            var summary in summaries
                .Where(summary => summary.Timeline == timeline && summary.End >= start)
                .OrderBy(summary => summary.Start)
        )
        {
            if (summary.Start > (reached ?? start))
            {
                return false;
            }

            reached = reached > summary.End ? reached : summary.End;
        }

        return reached is not null;
    }
}

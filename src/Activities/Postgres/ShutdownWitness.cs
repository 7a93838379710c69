using System.Diagnostics;
using Npgsql;

namespace PgFlow.Activities.Postgres;

/// <summary>A standby sees its primary's end: it has replayed the checkpoint of a shutdown, and there is nothing behind
/// it.</summary>
/// <remarks>
/// That is the last record that a server writes, and one that archives begins a segment with it (<c>ShutdownXLOG</c>
/// switches to the next one before). The end of a crash recovery writes the same record: a session of the primary, from
/// before the stop, tells that there was none.
/// </remarks>
/// <param name="primary">A session from before the stop.</param>
/// <param name="standby">A session on the standby.</param>
/// <param name="start">Where the primary was before it.</param>
internal sealed class ShutdownWitness(SqlSession primary, SqlSession standby, ShutdownWitness.Start start)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>Its sessions are told before a server writes that checkpoint.</summary>
    private static readonly TimeSpan Told = TimeSpan.FromMilliseconds(200);

    /// <summary>To be called before the primary is told to stop.</summary>
    public static async Task<ShutdownWitness> BeginAsync(SqlSession primary, SqlSession standby) =>
        new(
            primary,
            standby,
            await Sql.QueryJsonAsync<Start>(
                primary,
                """
                SELECT json_build_object('lsn', pg_current_wal_insert_lsn(),
                    'timeline', ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int,
                    'segmentSize', (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'))::text
                """
            )
        );

    /// <returns>What the primary ended with; null where that was not seen in time, or its session was not told to
    /// end.</returns>
    public async Task<CleanShutdown?> WaitAsync(TimeSpan limit)
    {
        for (
            var clock = Stopwatch.StartNew();
            clock.Elapsed < limit;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            if (await SeenAsync() is { } seen)
            {
                return await primary.EndedWithAsync(Told) is PostgresErrorCodes.AdminShutdown ? seen : null;
            }
        }

        return null;
    }

    /// <summary>The shutdown that the first page of a segment ends with.</summary>
    /// <param name="page">The page.</param>
    /// <param name="replayed">How far the standby has replayed, within this page.</param>
    /// <param name="start">Where the primary was before.</param>
    internal static CleanShutdown? Find(byte[] page, Lsn replayed, Start start)
    {
        WalMark? last = null;
        new WalDecoder(start.SegmentSize).Read(
            page,
            new(replayed.Value - replayed.Value % WalPage.Size),
            (in WalRecord record) =>
            {
                last = record.Mark(start.Timeline);
                return true;
            }
        );
        return last is { Kind: WalMarkKind.Stop } stop && stop.Lsn > start.Lsn && stop.End == replayed
            ? new(start.Timeline, stop.Lsn)
            : null;
    }

    private async Task<CleanShutdown?> SeenAsync()
    {
        var replayed = Lsn.Parse(await standby.QueryScalarAsync<string>("SELECT pg_last_wal_replay_lsn()::text"));
        var size = (ulong)start.SegmentSize;
        return replayed > start.Lsn && replayed.Value % size is > 0 and < WalPage.Size
            ? Find(await FirstPageAsync(replayed.Value / size), replayed, start)
            : null;
    }

    private async Task<byte[]> FirstPageAsync(ulong segment) =>
        Convert.FromBase64String(
            await standby.QueryScalarAsync<string>(
                $"SELECT encode(pg_read_binary_file('pg_wal/' || $1, 0, {WalPage.Size}), 'base64')",
                WalSegments.Name(start.Timeline, segment, start.SegmentSize)
            )
        );

    /// <param name="Lsn">Where the primary was going to write.</param>
    /// <param name="Timeline">On which branch.</param>
    /// <param name="SegmentSize">In bytes.</param>
    internal sealed record Start(Lsn Lsn, Timeline Timeline, long SegmentSize);
}

using System.Diagnostics;
using Npgsql;
using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>A standby that sees its primary's end: it has replayed the checkpoint of its shutdown, and nothing
/// behind.</summary>
/// <remarks>That is the last record that a server writes, and one that archives begins a segment with it
/// (<c>ShutdownXLOG</c> switches the segment before). The end of a crash recovery writes the same record: a session on
/// the primary, from before the stop, tells that there was none.</remarks>
internal sealed class ShutdownWitness : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private readonly SqlSession _primary;
    private readonly SqlSession _standby;
    private readonly Beginning _beginning;
    private readonly Task _ended;

    private ShutdownWitness(SqlSession primary, SqlSession standby, Beginning beginning)
    {
        (_primary, _standby, _beginning) = (primary, standby, beginning);
        _ended = primary.AskAsync<string>("SELECT pg_sleep(86400)::text");
    }

    /// <summary>To be called before the primary is told to stop.</summary>
    public static async Task<ShutdownWitness> OpenAsync(Sql sql, NodeContainer primary, NodeContainer standby)
    {
        var session = await sql.OpenAsync(primary, Timeout.InfiniteTimeSpan);
        var beginning = await Sql.AskJsonAsync<Beginning>(
            session,
            """
            SELECT json_build_object('lsn', pg_current_wal_insert_lsn(), 'file', pg_walfile_name(pg_current_wal_insert_lsn()),
                'segmentSize', (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'))::text
            """
        );
        return new(session, await sql.OpenAsync(standby), beginning);
    }

    /// <summary>Waits for it.</summary>
    /// <returns>What the primary ended with; null where that was not seen in time.</returns>
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
                return await WasToldToStopAsync(limit) ? seen : null;
            }
        }

        return null;
    }

    private async Task<bool> WasToldToStopAsync(TimeSpan limit)
    {
        try
        {
            await _ended.WaitAsync(limit, DockerEngine.ActivityToken);
            return false;
        }
        catch (PostgresException e)
        {
            return e.SqlState is PostgresErrorCodes.AdminShutdown;
        }
        catch (Exception e) when (e is TimeoutException or NpgsqlException or IOException)
        {
            return false;
        }
    }

    private async Task<CleanShutdown?> SeenAsync()
    {
        var size = (ulong)_beginning.SegmentSize;
        var replayed = Lsn.Parse(await _standby.AskAsync<string>("SELECT pg_last_wal_replay_lsn()::text"));
        if (replayed <= _beginning.Lsn || replayed.Value % size is 0 or >= WalPage.Size)
        {
            return null;
        }

        var number = replayed.Value / size;
        var (timeline, _) = WalSegments.Parse(_beginning.File, _beginning.SegmentSize);
        var page = Convert.FromBase64String(
            await _standby.AskAsync<string>(
                $"SELECT encode(pg_read_binary_file('pg_wal/' || $1, 0, {WalPage.Size}), 'base64')",
                WalSegments.Name(timeline, number, _beginning.SegmentSize)
            )
        );
        WalMark? last = null;
        new WalDecoder(_beginning.SegmentSize).Read(
            page,
            new(number * size),
            (in WalRecord record) =>
            {
                last = record.Mark(timeline);
                return record.End < replayed;
            }
        );
        return last is { Kind: WalMarkKind.Stop } stop && stop.End == replayed && stop.Lsn > _beginning.Lsn
            ? new(timeline, stop.Lsn)
            : null;
    }

    public async ValueTask DisposeAsync()
    {
        await _standby.DisposeAsync();
        await _primary.DisposeAsync();
    }

    /// <param name="Lsn">Where the primary was going to write.</param>
    /// <param name="File">In which segment.</param>
    /// <param name="SegmentSize">In bytes.</param>
    private sealed record Beginning(Lsn Lsn, string File, long SegmentSize);
}

using System.Diagnostics;

namespace PgFlow.Activities;

/// <summary>The standbys that can confirm a primary's commits, as the primary sees them.</summary>
internal sealed class Confirmers(Replay replay, Sql sql)
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <summary>Who streams; who is still far behind does not yet.</summary>
    public async Task<IReadOnlyList<NodeName>> StreamingAsync(NodeContainer primary)
    {
        var names = await sql.QueryScalarAsync<string>(
            primary,
            """
            SELECT coalesce(string_agg(DISTINCT application_name, ','), '') FROM pg_stat_replication
            WHERE usename = 'replicator' AND state = 'streaming'
            """
        );
        return
        [
            .. names
                .Split(',')
                .Where(name => NodeName.TryParse(name, null, out _))
                .Select(name => NodeName.Parse(name)),
        ];
    }

    /// <summary>Waits until as many as are demanded have on their disks what the primary has written until
    /// now.</summary>
    /// <remarks>Not until they have replayed it: a confirmation does not wait for that, unless a user's
    /// synchronous_commit is <c>remote_apply</c>.</remarks>
    public async Task ReceivedAsync(NodeContainer primary, Demand demand, TimeSpan? patience = null)
    {
        if (demand.IsNone)
        {
            return;
        }

        var marker = await sql.WriteMarkerAsync(primary);
        await replay.AdvancesAsync(
            $"{demand.Number} of {string.Join(", ", demand.Names)} receive up to {marker}",
            () => FurthestAsync(primary, demand),
            answer => IsPast(answer, marker),
            [primary],
            patience,
            marker
        );
    }

    /// <summary>Whether they have within a moment.</summary>
    public async Task<bool> HaveReceivedAsync(NodeContainer primary, Demand demand)
    {
        var (marker, clock) = (await sql.WriteMarkerAsync(primary), Stopwatch.StartNew());
        while (!IsPast(await FurthestAsync(primary, demand), marker))
        {
            if (clock.Elapsed > Moment)
            {
                return false;
            }

            await Task.Delay(Poll, DockerEngine.ActivityToken);
        }

        return true;
    }

    /// <summary>How far as many as are demanded have received; nothing where fewer stream. One that has not answered
    /// yet has received nothing.</summary>
    private Task<string> FurthestAsync(NodeContainer primary, Demand demand) =>
        sql.QueryTextOrEmptyAsync(
            primary,
            """
            SELECT coalesce((SELECT min(coalesce(flush_lsn, '0/0'))::text FROM pg_stat_replication
                WHERE usename = 'replicator' AND state = 'streaming'
                    AND application_name = ANY (string_to_array($1, ','))
                GROUP BY application_name ORDER BY min(coalesce(flush_lsn, '0/0')) DESC OFFSET $2 LIMIT 1), '')
            """,
            string.Join(',', demand.Names),
            demand.Number - 1
        );

    private static bool IsPast(string answer, Lsn marker) =>
        Lsn.TryParse(answer, null, out var received) && received >= marker;
}

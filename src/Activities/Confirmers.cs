namespace PgFlow.Activities;

/// <summary>The standbys that can confirm a primary's commits, as the primary sees them.</summary>
internal sealed class Confirmers(Replay replay, Sql sql)
{
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
        return [.. names.Split(',').Where(name => NodeName.TryParse(name, null, out _)).Select(name => NodeName.Parse(name))];
    }

    /// <summary>Waits until all of them have on their disks what the primary has written until now.</summary>
    /// <remarks>Not until they have replayed it: a confirmation does not wait for that, unless a user's
    /// synchronous_commit is <c>remote_apply</c>.</remarks>
    public async Task ReceivedAsync(NodeContainer primary, IReadOnlyList<NodeName> standbys)
    {
        if (standbys.Count == 0)
        {
            return;
        }

        var (marker, names) = (await sql.WriteMarkerAsync(primary), string.Join(',', standbys));
        await replay.AdvancesAsync(
            $"{names} receive up to {marker}",
            () =>
                sql.QueryTextOrEmptyAsync(
                    primary,
                    """
                    SELECT CASE WHEN count(DISTINCT application_name) = cardinality(string_to_array($1, ','))
                        THEN min(flush_lsn)::text END
                    FROM pg_stat_replication
                    WHERE usename = 'replicator' AND state = 'streaming'
                        AND application_name = ANY (string_to_array($1, ','))
                    """,
                    names
                ),
            answer => Lsn.TryParse(answer, null, out var received) && received >= marker,
            [primary],
            end: marker
        );
    }
}

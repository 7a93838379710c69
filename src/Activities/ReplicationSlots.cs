namespace PgFlow.Activities;

/// <summary>The slots by which a primary keeps WAL for its standbys, each under the name of the node.</summary>
internal sealed class ReplicationSlots(Sql sql)
{
    /// <summary>Post-condition: there is a slot for that node; one that was lost is made anew. It stands still while
    /// the node is copied, and may pass max_slot_wal_keep_size.</summary>
    public async Task RenewAsync(NodeContainer node, NodeName name)
    {
        await using var connection = await sql.OpenAsync(node);
        await connection.ChangeAsync<long>(
            """
            SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots
            WHERE slot_name = $1 AND wal_status = 'lost' AND NOT active
            """,
            name.ToString()
        );
        await connection.ChangeAsync<long>(
            """
            SELECT count(pg_create_physical_replication_slot($1, true))
            WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)
            """,
            name.ToString()
        );
    }

    /// <summary>Post-condition: those of PgFlow's that nobody uses are for <paramref name="others"/>, and there is none
    /// for <paramref name="gone"/>; a slot can't be dropped while it is used.</summary>
    public async Task SetAsync(NodeContainer node, IReadOnlyList<NodeName> others, NodeName? gone)
    {
        await using var connection = await sql.OpenAsync(node);
        var names = string.Join(',', others);
        await connection.ChangeAsync<long>(
            """
            SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots
            WHERE slot_type = 'physical' AND NOT temporary AND NOT active AND slot_name ~ '^p[1-9][0-9]?$'
                AND (wal_status = 'lost' OR NOT slot_name = ANY (string_to_array($1, ',')))
            """,
            names
        );
        await connection.ChangeAsync<long>(
            """
            SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots AS slot
            WHERE pg_is_in_recovery() AND slot_type = 'logical' AND NOT active
                AND to_jsonb(slot) ->> 'failover' = 'true' AND to_jsonb(slot) ->> 'synced' = 'false'
            """
        );
        await connection.ChangeAsync<long>(
            """
            SELECT count(pg_create_physical_replication_slot(name, true))
            FROM unnest(string_to_array($1, ',')) AS wanted(name)
            WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = wanted.name)
            """,
            names
        );
        if (
            gone is { } name
            && await connection.QueryScalarAsync<bool>(
                "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)",
                name.ToString()
            )
        )
        {
            throw Failure.Fail($"the slot for {name} on {node.Id} is still in use");
        }
    }
}

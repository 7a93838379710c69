namespace PgFlow.Workflows.Recovery;

/// <summary>What a WAL record removes at once.</summary>
public enum RemovedThing
{
    /// <summary>The files of a database.</summary>
    Database,

    /// <summary>A tablespace's directories.</summary>
    Tablespace,
}

/// <summary>A record that removes files before its transaction commits: whoever stops between the two has the entry in
/// the catalog and not the files.</summary>
/// <param name="Thing">What is removed.</param>
/// <param name="Oid">Its OID.</param>
/// <param name="Xid">The transaction.</param>
/// <param name="Timeline">On which timeline's WAL.</param>
/// <param name="Lsn">Where the record begins.</param>
/// <param name="End">The first position behind it.</param>
public sealed record EarlyRemoval(RemovedThing Thing, uint Oid, uint Xid, Timeline Timeline, Lsn Lsn, Lsn End);

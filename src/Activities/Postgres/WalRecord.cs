using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace PgFlow.Activities.Postgres;

/// <summary>A WAL record and what its bytes say (<c>access/xlogrecord.h</c>; the same layout from PostgreSQL 13 to
/// 18).</summary>
internal readonly ref struct WalRecord(ReadOnlySpan<byte> bytes, Lsn lsn, Lsn end, ushort magic)
{
    /// <summary>SizeOfXLogRecord.</summary>
    public const int HeaderLength = 24;

    /// <summary>XLogRecordMaxSize.</summary>
    public const int LongestLength = 1020 * 1024 * 1024;

    /// <summary>The magic numbers of pages (XLOG_PAGE_MAGIC) from which on a layout is different.</summary>
    private const ushort Postgres15 = 0xD110;
    private const ushort Postgres18 = 0xD118;

    /// <summary>From when PostgreSQL counts microseconds.</summary>
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public Lsn Lsn => lsn;

    /// <summary>The first position behind it: where the next record begins, or the page that it begins on.</summary>
    public Lsn End => end;

    public uint Xid => UInt32(_bytes, 4);

    public bool IsSwitch => (Manager, Operation) is (ResourceManager.Xlog, 0x40);

    /// <summary>It may tell of what <see cref="Transaction"/> and its like look for; few do.</summary>
    public bool IsOfInterest =>
        Manager
            is ResourceManager.Xlog
                or ResourceManager.Transaction
                or ResourceManager.Database
                or ResourceManager.Tablespace;

    public bool ChecksumFits
    {
        get
        {
            var checksum = Checksum(Checksum(uint.MaxValue, _bytes[HeaderLength..]), _bytes[..20]);
            return ~checksum == UInt32(_bytes, 20);
        }
    }

    private ResourceManager Manager => (ResourceManager)_bytes[17];

    private byte Info => _bytes[16];

    /// <summary>The half of the info that belongs to the resource manager.</summary>
    private byte Operation => (byte)(Info & 0xF0);

    public static Lsn PreviousOf(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));

    /// <summary>The commit or abort that it is; null where it is none.</summary>
    public Transaction? Transaction(Timeline timeline)
    {
        if (Manager is not ResourceManager.Transaction)
        {
            return null;
        }

        var operation = (TransactionOperation)(Info & 0x70);
        if (
            operation
            is not (
                TransactionOperation.Commit
                or TransactionOperation.Abort
                or TransactionOperation.CommitPrepared
                or TransactionOperation.AbortPrepared
            )
        )
        {
            return null;
        }

        var data = Data();
        var isCommit = operation is TransactionOperation.Commit or TransactionOperation.CommitPrepared;
        var isPrepared = operation is TransactionOperation.CommitPrepared or TransactionOperation.AbortPrepared;
        return new(isPrepared ? PreparedXid(data) : Xid, timeline, lsn, end, Microseconds(data, 0), isCommit);
    }

    /// <summary>When a transaction was prepared, where that is what it tells (<c>xl_xact_prepare</c>).</summary>
    public DateTimeOffset? PreparedAt() =>
        Manager is ResourceManager.Transaction && (TransactionOperation)(Info & 0x70) is TransactionOperation.Prepare
            ? Microseconds(Data(), 16)
            : null;

    /// <summary>A timeline's opening, a stop or a restore point; null where it is none.</summary>
    public WalMark? Mark(Timeline timeline) =>
        Manager is not ResourceManager.Xlog
            ? null
            : Operation switch
            {
                0x00 => Life(
                    "CHECKPOINT_SHUTDOWN",
                    timeline,
                    opened: 8,
                    DateTimeOffset.FromUnixTimeSeconds(Int64(Data(), 64))
                ), // CheckPoint in catalog/pg_control.h
                0x90 => Life("END_OF_RECOVERY", timeline, opened: 8, Microseconds(Data(), 0)), // xl_end_of_recovery
                0x70 => new(WalMarkKind.Point, "RESTORE_POINT", timeline, lsn, end, Microseconds(Data(), 0))
                {
                    Name = Text(Data()[8..]),
                }, // xl_restore_point
                _ => null,
            };

    /// <summary>What acts when it is replayed, whether its transaction commits or not: files that are removed; null
    /// where it is nothing like that.</summary>
    public EarlyRemoval? Removal(Timeline timeline) =>
        (Manager, Operation, Xid) switch
        {
            (_, _, 0) => null, // ALTER DATABASE SET TABLESPACE, behind its commit
            (ResourceManager.Database, var operation, _) when operation == (magic >= Postgres15 ? 0x20 : 0x10) => new(
                RemovedThing.Database,
                UInt32(Data(), 0),
                Xid,
                timeline,
                lsn,
                end
            ), // xl_dbase_drop_rec
            (ResourceManager.Tablespace, 0x10, _) => new(
                RemovedThing.Tablespace,
                UInt32(Data(), 0),
                Xid,
                timeline,
                lsn,
                end
            ), // xl_tblspc_drop_rec
            _ => null,
        };

    private WalMark Life(string name, Timeline timeline, int opened, DateTimeOffset at)
    {
        var (own, parent) = (new Timeline(UInt32(Data(), opened)), new Timeline(UInt32(Data(), opened + 4)));
        return own == parent
            ? new(WalMarkKind.Stop, name, timeline, lsn, end, at)
            : new(WalMarkKind.Opening, name, timeline, lsn, end, at) { Opened = own, Parent = parent };
    }

    /// <summary>The record's own data; it stands last, behind the headers of all parts
    /// (<c>DecodeXLogRecord</c>).</summary>
    private ReadOnlySpan<byte> Data()
    {
        for (var at = HeaderLength; at < _bytes.Length; )
        {
            switch (_bytes[at])
            {
                case 255: // XLR_BLOCK_ID_DATA_SHORT
                    return _bytes[^_bytes[at + 1]..];
                case 254: // XLR_BLOCK_ID_DATA_LONG
                    return _bytes[^(int)UInt32(_bytes, at + 1)..];
                case 253: // XLR_BLOCK_ID_ORIGIN
                    at += 3;
                    break;
                case 252: // XLR_BLOCK_ID_TOPLEVEL_XID
                    at += 5;
                    break;
                default:
                    throw new InvalidDataException(
                        $"the WAL record at {lsn} has a part of an unknown kind ({_bytes[at]})"
                    );
            }
        }

        return [];
    }

    /// <summary>The transaction that a COMMIT or ROLLBACK PREPARED ends (<c>ParseCommitRecord</c>,
    /// <c>ParseAbortRecord</c>).</summary>
    private uint PreparedXid(ReadOnlySpan<byte> data)
    {
        const int databaseInfo = 1,
            subtransactions = 2,
            relations = 4,
            invalidations = 8,
            twoPhase = 16,
            droppedStatistics = 256;
        var (parts, at) = ((Info & 0x80) == 0 ? 0 : UInt32(data, 8), 12);
        at += (parts & databaseInfo) != 0 ? 8 : 0;
        foreach (
            var (part, size) in ((uint, int)[])
                [
                    (subtransactions, 4),
                    (relations, 12),
                    (droppedStatistics, magic >= Postgres18 ? 16 : 12),
                    (invalidations, 16),
                ]
        )
        {
            at += (parts & part) != 0 ? 4 + size * (int)UInt32(data, at) : 0;
        }

        return (parts & twoPhase) != 0
            ? UInt32(data, at)
            : throw new InvalidDataException($"the end of a prepared transaction at {lsn} does not say which");
    }

    private static uint Checksum(uint checksum, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            checksum = BitOperations.Crc32C(checksum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (var single in bytes)
        {
            checksum = BitOperations.Crc32C(checksum, single);
        }

        return checksum;
    }

    private static DateTimeOffset Microseconds(ReadOnlySpan<byte> data, int at) =>
        Epoch.AddTicks(Int64(data, at) * TimeSpan.TicksPerMicrosecond);

    private static uint UInt32(ReadOnlySpan<byte> data, int at) => BinaryPrimitives.ReadUInt32LittleEndian(data[at..]);

    private static long Int64(ReadOnlySpan<byte> data, int at) => BinaryPrimitives.ReadInt64LittleEndian(data[at..]);

    private static string Text(ReadOnlySpan<byte> data) =>
        Encoding.UTF8.GetString(data.IndexOf((byte)0) is var end and >= 0 ? data[..end] : data);

    /// <summary>Who replays it (<c>access/rmgrlist.h</c>).</summary>
    private enum ResourceManager : byte
    {
        Xlog = 0,
        Transaction = 1,
        Database = 4,
        Tablespace = 5,
    }

    /// <summary>What it says of a transaction (XLOG_XACT_OPMASK in <c>access/xact.h</c>).</summary>
    private enum TransactionOperation : byte
    {
        Commit = 0x00,
        Prepare = 0x10,
        Abort = 0x20,
        CommitPrepared = 0x30,
        AbortPrepared = 0x40,
    }
}

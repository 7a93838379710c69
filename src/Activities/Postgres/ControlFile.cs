using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace PgFlow.Activities.Postgres;

/// <summary>The part of pg_control that is the same from PostgreSQL 13 to 18 (<c>ControlFileData</c> in
/// <c>catalog/pg_control.h</c>).</summary>
internal sealed record ControlFile(
    string SystemIdentifier,
    ControlState State,
    Lsn Checkpoint,
    Timeline Timeline,
    long SegmentSize
)
{
    private const int ShortestBeforeChecksum = 200;
    private const int LongestBeforeChecksum = 400;

    /// <summary>What stands before the sizes of blocks and segments (FLOATFORMAT_VALUE).</summary>
    private static readonly byte[] FloatFormat = BitConverter.GetBytes(1234567.0);

    /// <summary>The settings that stand together in it, in its order.</summary>
    private static readonly string[] Capacities =
    [
        "max_connections",
        "max_worker_processes",
        "max_wal_senders",
        "max_prepared_transactions",
        "max_locks_per_transaction",
    ];

    /// <summary>Reads it; null where its checksum is wrong, as it is while the server writes it.</summary>
    public static ControlFile? Parse(byte[] file) =>
        !ChecksumFits(file)
            ? null
            : new(
                BinaryPrimitives.ReadUInt64LittleEndian(file).ToString(CultureInfo.InvariantCulture),
                (ControlState)BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(16)),
                new(BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(32))),
                new(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(48))),
                BinaryPrimitives.ReadUInt32LittleEndian(
                    file.AsSpan(file.AsSpan().IndexOf(FloatFormat) + FloatFormat.Length + 3 * sizeof(uint))
                )
            );

    /// <summary>The settings that the WAL was written with: a standby with less of one can't replay it
    /// (<c>CheckRequiredParameterValues</c>). None where its checksum is wrong.</summary>
    /// <remarks>The structure before them differs by version; what follows them (a bool, maxAlign, and floatFormat,
    /// which is 1234567.0) does not.</remarks>
    public static IReadOnlyDictionary<string, int> CapacitiesOf(byte[] file)
    {
        var format = ChecksumFits(file) ? file.AsSpan().IndexOf(FloatFormat) : -1;
        var align =
            format < 40 ? -1
            : BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(format - 4)) == 8 ? format - 4
            : format - 8;
        return align < 0
            ? new Dictionary<string, int>()
            : Capacities
                .Select((name, index) => (name, index))
                .ToDictionary(
                    setting => setting.name,
                    setting =>
                        BinaryPrimitives.ReadInt32LittleEndian(
                            file.AsSpan(align - 4 * (Capacities.Length + 1 - setting.index))
                        )
                );
    }

    /// <summary>The checksum stands last in the structure, whose length differs by version: it is where it
    /// fits.</summary>
    private static bool ChecksumFits(byte[] file)
    {
        var checksum = uint.MaxValue;
        for (var at = 0; at + 4 <= Math.Min(file.Length, LongestBeforeChecksum); at += 4)
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at));
            if (at >= ShortestBeforeChecksum && ~checksum == word)
            {
                return true;
            }

            checksum = BitOperations.Crc32C(checksum, word);
        }

        return false;
    }
}

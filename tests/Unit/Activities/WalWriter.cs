using System.Buffers.Binary;
using System.Numerics;

namespace PgFlow.UnitTests.Activities;

/// <summary>Writes WAL as PostgreSQL lays it out, with whatever content a test wants.</summary>
internal sealed class WalWriter(long segmentSize, Lsn start)
{
    private readonly List<byte> _wal = [];
    private ulong _previous;

    public Lsn End => new(start.Value + (ulong)_wal.Count);

    /// <summary>The bytes, filled up to a whole segment.</summary>
    public byte[] Wal => [.. _wal, .. new byte[(segmentSize - _wal.Count % segmentSize) % segmentSize]];

    /// <summary>A record with main data of any length.</summary>
    /// <returns>Where it begins.</returns>
    public Lsn Write(byte manager, byte info, uint xid, byte[] data)
    {
        byte[] header = data.Length < 256 ? [255, (byte)data.Length] : [254, .. BitConverter.GetBytes(data.Length)];
        byte[] record = [.. new byte[24], .. header, .. data];
        BinaryPrimitives.WriteInt32LittleEndian(record, record.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), xid);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(8), _previous);
        (record[16], record[17]) = (info, manager);
        BinaryPrimitives.WriteUInt32LittleEndian(
            record.AsSpan(20),
            ~Checksum(Checksum(uint.MaxValue, record.AsSpan(24)), record.AsSpan(0, 20))
        );

        Pad();
        Page(0);
        var lsn = End;
        for (var left = record.AsSpan(); left.Length > 0; )
        {
            Page((uint)left.Length, isWithin: left.Length < record.Length);
            var part = Math.Min(left.Length, 8192 - (int)(_wal.Count % 8192));
            _wal.AddRange(left[..part]);
            left = left[part..];
        }

        Pad();
        _previous = lsn.Value;
        return lsn;
    }

    private void Pad() => _wal.AddRange(new byte[(8 - _wal.Count % 8) % 8]);

    /// <summary>A page's header, where one begins.</summary>
    private void Page(uint rest, bool isWithin = false)
    {
        if (_wal.Count % 8192 != 0)
        {
            return;
        }

        var isLong = End.Value % (ulong)segmentSize == 0;
        var header = new byte[isLong ? 40 : 24];
        BinaryPrimitives.WriteUInt16LittleEndian(header, 0xD116);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(2), (ushort)((isLong ? 2 : 0) | (isWithin ? 1 : 0)));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), End.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), isWithin ? rest : 0);
        _wal.AddRange(header);
    }

    private static uint Checksum(uint checksum, ReadOnlySpan<byte> bytes)
    {
        foreach (var single in bytes)
        {
            checksum = BitOperations.Crc32C(checksum, single);
        }

        return checksum;
    }
}

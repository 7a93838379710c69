using System.Buffers.Binary;
using System.Numerics;

namespace PgFlow.UnitTests.Activities;

/// <summary>A pg_control as PostgreSQL 17 lays it out, with no more in it than PgFlow reads.</summary>
internal static class ControlFileFixture
{
    private const int MaxConnections = 204;
    private const int MaxAlign = 228;
    private const int FloatFormat = 232;
    private const int Checksum = 288;

    public static byte[] Of(ulong systemIdentifier, uint segmentSize = 16 * 1024 * 1024)
    {
        var file = new byte[8192];
        BinaryPrimitives.WriteUInt64LittleEndian(file, systemIdentifier);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(MaxConnections), 100);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(MaxAlign), 8);
        BinaryPrimitives.WriteDoubleLittleEndian(file.AsSpan(FloatFormat), 1234567.0);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(FloatFormat + 20), segmentSize);
        var checksum = file.AsSpan(0, Checksum).ToArray().Aggregate(uint.MaxValue, BitOperations.Crc32C);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(Checksum), ~checksum);
        return file;
    }
}

using System.IO.Compression;

namespace PgFlow.UnitTests.Activities;

/// <summary>Segments that PostgreSQL 17 wrote (initdb --wal-segsize=1), and reading them.</summary>
internal static class WalFixture
{
    public const long SegmentSize = 1024 * 1024;

    public static byte[] Segment(string name)
    {
        using var packed = new GZipStream(
            typeof(WalFixture).Assembly.GetManifestResourceStream(name)!,
            CompressionMode.Decompress
        );
        using var content = new MemoryStream();
        packed.CopyTo(content);
        return content.ToArray();
    }

    /// <summary>Feeds whole segments; the first begins at <paramref name="start"/>.</summary>
    public static WalDecoder Decode(Lsn start, byte[] wal, WalVisitor visit, long segmentSize = SegmentSize)
    {
        var decoder = new WalDecoder(segmentSize);
        for (var at = 0; at + (int)WalPage.Size <= wal.Length; at += (int)WalPage.Size)
        {
            if (!decoder.Read(wal.AsSpan(at, (int)WalPage.Size), new(start.Value + (ulong)at), visit))
            {
                break;
            }
        }

        return decoder;
    }
}

namespace PgFlow.Workflows.Recovery;

/// <summary>The layout of WAL pages (<c>access/xlog_internal.h</c>).</summary>
internal static class WalPage
{
    /// <summary>Bytes in a page (XLOG_BLCKSZ).</summary>
    public const ulong Size = 8192;

    /// <summary>Bytes of a page's header (SizeOfXLogShortPHD).</summary>
    public const ulong ShortHeader = 24;

    /// <summary>The same on the first page of a segment (SizeOfXLogLongPHD).</summary>
    public const ulong LongHeader = 40;
}

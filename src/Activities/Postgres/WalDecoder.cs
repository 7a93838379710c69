using System.Buffers.Binary;

namespace PgFlow.Activities.Postgres;

/// <summary>What is done with a record.</summary>
/// <returns>Whether to read on.</returns>
internal delegate bool WalVisitor(in WalRecord record);

/// <summary>Follows the chain of WAL records through pages, as PostgreSQL's own reader does
/// (<c>access/transam/xlogreader.c</c>).</summary>
/// <remarks>A record counts only with the checksum of all its bytes and with the position of the record before it: no
/// text that somebody wrote into the WAL can pass for one.</remarks>
internal sealed class WalDecoder(long segmentSize)
{
    private const int PageSize = (int)WalPage.Size;

    /// <summary>The record that goes on in the next page; empty where none does.</summary>
    private byte[] _record = [];
    private int _known;
    private Lsn _begin;

    /// <summary>Where the record before the next one begins; null at the beginning, when it is not known.</summary>
    private Lsn? _previous;
    private Lsn _skip;
    private uint _timeline;
    private bool _isBeginning = true;

    /// <summary>The first position behind the last valid record; where the next one begins.</summary>
    public Lsn End { get; private set; }

    /// <summary>Why nothing follows behind <see cref="End"/>; null as long as more pages are wanted.</summary>
    public string? Broken { get; private set; }

    /// <summary>What stands there is no record, nor is it what PostgreSQL leaves behind its last one: no WAL at all, or
    /// a file's former content.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Part of a record has been read; the rest is on the next page.</summary>
    public bool IsWithinRecord => _record.Length > 0;

    /// <summary>Reads the page at <paramref name="address"/>; what began before the first page is left out.</summary>
    /// <returns>Whether the next page is wanted.</returns>
    public bool Read(ReadOnlySpan<byte> page, Lsn address, WalVisitor visit)
    {
        if (address < _skip)
        {
            return true;
        }

        if (HeaderOf(page, address) is not { } header)
        {
            return false;
        }

        var at = header.Length;
        if (header.IsOverwrite)
        {
            (_record, _known) = ([], 0); // its end was never written: the server crashed, and went on here instead
        }
        else if (_isBeginning)
        {
            at += header.Rest <= (uint)(PageSize - at) ? Aligned((int)header.Rest) : PageSize;
        }
        else if (!Continue(page, header, ref at, visit))
        {
            return false;
        }

        _isBeginning = at > PageSize;
        return at >= PageSize || address < _skip || Records(page, address, at, visit);
    }

    private bool Continue(ReadOnlySpan<byte> page, PageHeader header, ref int at, WalVisitor visit)
    {
        var left = _record.Length - _known;
        if (header.Rest != left)
        {
            return Break(
                $"the page at {header.Address} has {header.Rest} more bytes of a record, not {left}",
                isDamaged: true
            );
        }

        if (left == 0)
        {
            return true;
        }

        var part = Math.Min(left, PageSize - at);
        page.Slice(at, part).CopyTo(_record.AsSpan(_known));
        (_known, at) = (_known + part, at + Aligned(part));
        if (part < left)
        {
            return true;
        }

        var record = _record;
        (_record, _known) = ([], 0);
        return Record(record, _begin, new(header.Address.Value + (ulong)at), header.Magic, visit);
    }

    private bool Records(ReadOnlySpan<byte> page, Lsn address, int at, WalVisitor visit)
    {
        var magic = BinaryPrimitives.ReadUInt16LittleEndian(page);
        while (at < PageSize)
        {
            var lsn = new Lsn(address.Value + (ulong)at);
            End = _previous is null ? lsn : End; // else where the one before ends, be it before this page's header
            var length = BinaryPrimitives.ReadUInt32LittleEndian(page[at..]);
            if (length is < WalRecord.HeaderLength or > WalRecord.LongestLength)
            {
                return length == 0
                    ? Break("there is no record")
                    : Break($"a record can't be {length} bytes long", isDamaged: true);
            }

            if (length > PageSize - at)
            {
                return Begin(page[at..], lsn, (int)length);
            }

            at += Aligned((int)length);
            if (
                !Record(
                    page.Slice((int)(lsn.Value - address.Value), (int)length),
                    lsn,
                    new(address.Value + (ulong)at),
                    magic,
                    visit
                )
            )
            {
                return false;
            }

            if (address < _skip)
            {
                return true;
            }
        }

        return true;
    }

    /// <summary>The first part of a record. Whoever claims to be longer than a page must have a header that fits, if it
    /// is there.</summary>
    private bool Begin(ReadOnlySpan<byte> part, Lsn lsn, int length)
    {
        if (part.Length >= WalRecord.HeaderLength && !FollowsPrevious(part, lsn))
        {
            return false;
        }

        (_record, _known, _begin) = (new byte[length], part.Length, lsn);
        part.CopyTo(_record);
        return true;
    }

    private bool Record(ReadOnlySpan<byte> bytes, Lsn lsn, Lsn end, ushort magic, WalVisitor visit)
    {
        if (!FollowsPrevious(bytes, lsn))
        {
            return false;
        }

        var record = new WalRecord(bytes, lsn, end, magic);
        if (!record.ChecksumFits)
        {
            return Break("the checksum of the record is wrong", isDamaged: true);
        }

        if (record.IsSwitch)
        {
            var size = (ulong)segmentSize;
            _skip = new((end.Value + size - 1) / size * size);
            record = new(bytes, lsn, _skip, magic);
        }

        (_previous, End) = (lsn, record.End);
        return visit(record);
    }

    private bool FollowsPrevious(ReadOnlySpan<byte> bytes, Lsn lsn)
    {
        var previous = WalRecord.PreviousOf(bytes);
        return (_previous is { } known ? previous == known : previous < lsn)
            || Break($"the record says that it follows {previous}", isDamaged: true);
    }

    private PageHeader? HeaderOf(ReadOnlySpan<byte> page, Lsn address)
    {
        var header = PageHeader.Read(page);
        var why = header switch
        {
            { Magic: 0 } => "there is no page",
            _ when header.Magic >> 8 != 0xD1 => $"the page at {address} has the magic number {header.Magic:X4}",
            // the file was recycled
            _ when header.Address != address => $"the page at {address} is one of {header.Address}",
            _ when header.IsLong != (address.Value % (ulong)segmentSize == 0) =>
                $"the page at {address} has the header of another place",
            _ when header.Timeline < _timeline =>
                $"the page at {address} is of timeline {header.Timeline}, the one before of {_timeline}",
            _ => null,
        };
        if (why is not null)
        {
            Break(why);
            return null;
        }

        End = End == default ? address : End;
        _timeline = header.Timeline;
        return header;
    }

    private bool Break(string why, bool isDamaged = false)
    {
        (Broken, IsDamaged) = (why, isDamaged);
        return false;
    }

    private static int Aligned(int length) => (length + 7) & ~7;
}

/// <summary>The header of a WAL page (<c>XLogPageHeaderData</c> in <c>access/xlog_internal.h</c>).</summary>
/// <param name="Magic">The format: one for each version of PostgreSQL.</param>
/// <param name="Info">Flags.</param>
/// <param name="Timeline">On which timeline it was begun.</param>
/// <param name="Address">The position of its first byte.</param>
/// <param name="Rest">How much of a record that began on an earlier page is still to come.</param>
internal readonly record struct PageHeader(ushort Magic, ushort Info, uint Timeline, Lsn Address, uint Rest)
{
    public bool IsLong => (Info & 2) != 0;

    public bool IsOverwrite => (Info & 8) != 0;

    public int Length => (int)(IsLong ? WalPage.LongHeader : WalPage.ShortHeader);

    public static PageHeader Read(ReadOnlySpan<byte> page)
    {
        var info = BinaryPrimitives.ReadUInt16LittleEndian(page[2..]);
        return new(
            BinaryPrimitives.ReadUInt16LittleEndian(page),
            info,
            BinaryPrimitives.ReadUInt32LittleEndian(page[4..]),
            new(BinaryPrimitives.ReadUInt64LittleEndian(page[8..])),
            (info & 1) == 0 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(page[16..])
        );
    }
}

using System.Globalization;

namespace PgFlow.UnitTests.Activities;

/// <summary>Questions to real WAL that is full of hostile names.</summary>
public sealed class WalReaderTests
{
    private static readonly IReadOnlyList<WalRange> Path = [new(new(1), new(0xB00028), Lineage.Endless)];

    [Theory]
    [InlineData("22.000000", 739)]
    [InlineData("22.000908", 742)]
    [InlineData("22.003000", 747)] // the prepared transaction that is named as a commit of 2099
    [InlineData("22.006160", 750)] // behind the one whose name has a whole line
    [InlineData("22.009458", 754)] // in another segment
    public async Task The_first_transaction_that_is_later(string time, uint xid)
    {
        var found = await new SomeWal().Reader.FirstAfterAsync(Path, At(time));

        Assert.Equal(xid, found!.Xid);
        Assert.Null(await new SomeWal().Reader.FirstAfterAsync(Path, At("22.037415")));
    }

    [Theory]
    [InlineData(0xB03C58, "22.000908", 0xB03C18, "a commit")]
    [InlineData(0xB09518, "22.003000", 0xB063A0, "what was prepared later is not kept")]
    [InlineData(0xB09518, "22.005300", 0xB09518, "what was prepared before is")]
    [InlineData(0xB0C6E8, "22.008200", 0xB0C530, "no restore point, no message")]
    public async Task The_end_of_the_last_transaction_that_is_kept(ulong to, string time, ulong end, string why) =>
        Assert.True(
            new Lsn(end) == await new SomeWal().Reader.LastKeptAsync([new(new(1), new(0xB00028), new(to))], At(time)),
            why
        );

    [Fact]
    public async Task Each_other_question_has_its_answer()
    {
        var wal = new SomeWal();

        Assert.Equal(739u, (await wal.Reader.FirstAsync(Path))!.Xid);
        Assert.Equal(755u, (await wal.Reader.LastAsync(Path))!.Xid);
        Assert.Equal(
            (754u, new Lsn(0xD75858)),
            await wal.Reader.CommitOfAsync(Path, 754) is { } found ? (found.Xid, found.Lsn) : default
        );
        Assert.Equal(new Lsn(0xB09518), (await wal.Reader.CommitOfAsync(Path, 747))!.Lsn);
        Assert.Null(await wal.Reader.CommitOfAsync(Path, 999));
        Assert.Equal(new Lsn(0xE00000), await wal.Reader.EndOfAsync(new(1), new(0xB00028)));
        Assert.Equal(2, (await wal.Reader.MarksAsync(new(1))).Count);
        Assert.Empty(await wal.Reader.OpenRemovalsAsync(Path));
    }

    [Fact]
    public async Task What_the_index_has_is_not_read_again_and_another_version_is_made_anew()
    {
        var wal = new SomeWal();
        wal.Index["00000001000000000000000B"] = "none"; // as the first version wrote it
        Assert.Null(await wal.Reader.FirstAfterAsync(Path, At("59")));
        await wal.Reader.RememberAsync();
        Assert.Equal(3, wal.Read.Count);
        Assert.Equal(3, wal.Index.Count);
        Assert.All(
            wal.Index.Values,
            digest => Assert.Equal(SegmentDigest.CurrentVersion, SegmentDigest.Parse(digest)!.Version)
        );

        var again = new SomeWal { Index = wal.Index };
        Assert.Null(await again.Reader.FirstAfterAsync(Path, At("59")));
        Assert.Empty(again.Read);
        Assert.Equal(754u, (await again.Reader.FirstAfterAsync(Path, At("22.009458")))!.Xid);
        Assert.Equal(["00000001000000000000000D"], again.Read.Take(1));
    }

    [Fact]
    public async Task WAL_that_is_damaged_in_an_archive_is_an_error_and_never_nothing_later()
    {
        var wal = new SomeWal();
        wal.Files["00000001000000000000000B"][0x9520] ^= 1;

        var refusal = await Assert.ThrowsAsync<PgFlowException>(() => wal.Reader.FirstAfterAsync(Path, At("22.003")));
        Assert.Equal(FailureTypes.Broken, refusal.Type);
        Assert.StartsWith(
            "the WAL can't be read beyond 0/B09518, in /archive/00000001000000000000000B: ",
            refusal.Message,
            StringComparison.Ordinal
        );
        await Assert.ThrowsAsync<PgFlowException>(() => wal.Reader.CommitOfAsync(Path, 754));
        await Assert.ThrowsAsync<PgFlowException>(() =>
            wal.Reader.LastKeptAsync([new(new(1), new(0xB00028), new(0xC00000))], At("59"))
        );
        Assert.Equal(739u, (await wal.Reader.FirstAfterAsync(Path, At("22")))!.Xid);
    }

    [Fact]
    public async Task A_file_that_is_too_short_is_an_error()
    {
        var wal = new SomeWal();
        wal.Files["00000001000000000000000D"] = wal.Files["00000001000000000000000D"][..0x2000];

        Assert.EndsWith(
            "the file is too short",
            (await Assert.ThrowsAsync<PgFlowException>(() => wal.Reader.LastAsync(Path))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_WAL_of_a_node_that_crashed_ends_where_its_valid_records_do()
    {
        var wal = new SomeWal { Open = "00000001000000000000000D" };
        wal.Files[wal.Open].AsSpan(0x75860).Clear();

        Assert.Equal(753u, (await wal.Reader.LastAsync(Path))!.Xid);
        Assert.Equal(new Lsn(0xD75858), await wal.Reader.EndOfAsync(new(1), new(0xB00028)));
        Assert.Null(await wal.Reader.FirstAfterAsync(Path, At("22.009458")));
        Assert.DoesNotContain(wal.Open, wal.Index.Keys);
    }

    /// <remarks>As after a clean shutdown: the server that archives switches to another segment, for the checkpoint
    /// alone.</remarks>
    [Fact]
    public async Task A_branch_that_ended_with_its_segment_is_read_to_its_end_however_far_others_have_gone()
    {
        var wal = new SomeWal { Others = [new(new(2), 0xB, 0x20)] };

        Assert.Equal(755u, (await wal.Reader.LastAsync(Path))!.Xid);
        Assert.Null(await wal.Reader.FirstAfterAsync(Path, At("59")));
        Assert.Equal(new Lsn(0xE00000), await wal.Reader.EndOfAsync(new(1), new(0xB00028)));
    }

    [Fact]
    public async Task A_branch_that_lacks_WAL_before_another_left_it_is_not_read_as_if_it_had_ended()
    {
        var wal = new SomeWal { Others = [new(new(2), 0xE, 0x20)], Left = new(new(2), [new(new(1), new(0xE01000))]) };

        await Assert.ThrowsAsync<PgFlowException>(() => wal.Reader.FirstAfterAsync(Path, At("59")));
    }

    [Fact]
    public async Task A_removal_is_open_until_its_transaction_ends()
    {
        var wal = new SomeWal
        {
            Files = { ["000000010000000000000012"] = WalFixture.Segment("000000020000000000000012") },
        };
        async Task<IEnumerable<uint>> Open(ulong to) =>
            (await wal.Reader.OpenRemovalsAsync([new(new(1), new(0x1200000), new(to))])).Select(removal => removal.Xid);

        Assert.Empty(await Open(0x123A7B8));
        Assert.Equal([759u], await Open(0x123A7E0));
        Assert.Equal([759u], await Open(0x123A820));
        Assert.Empty(await Open(0x123A888));
        Assert.Equal([762u], await Open(0x123ADE0));
    }

    private static DateTimeOffset At(string seconds) =>
        DateTimeOffset.Parse($"2026-11-26T12:54:{seconds}Z", CultureInfo.InvariantCulture);

    private sealed class SomeWal : IWalFiles
    {
        public Dictionary<string, byte[]> Files { get; } =
            new[] { "B", "C", "D" }
                .Select(number => $"00000001000000000000000{number}")
                .ToDictionary(name => name, WalFixture.Segment);

        public Dictionary<string, string> Index { get; init; } = [];

        public List<string> Read { get; } = [];

        public string? Open { get; init; }

        public IReadOnlyList<SegmentRun> Others { get; init; } = [];

        public TimelineHistory? Left { get; init; }

        public WalReader Reader =>
            field ??= new(
                this,
                new()
                {
                    Cluster = ClusterName.Parse("demo"),
                    ReadAt = DateTimeOffset.UnixEpoch,
                    SegmentSize = WalFixture.SegmentSize,
                    Branches =
                    [
                        new(new(1), new(new(1), []), null),
                        .. Left is null ? Array.Empty<Branch>() : [new(new(2), Left, null)],
                    ],
                    Segments =
                    [
                        .. Files
                            .Keys.Select(name => WalSegments.Parse(name, WalFixture.SegmentSize))
                            .GroupBy(_ => Files.Count)
                            .Select(all => new SegmentRun(
                                new(1),
                                all.Min(segment => segment.Number),
                                all.Max(segment => segment.Number)
                            )),
                        .. Others,
                    ],
                }
            );

        public Task<IReadOnlyList<WalFile>> FindAsync(IReadOnlyList<string> segments) =>
            Task.FromResult<IReadOnlyList<WalFile>>([
                .. segments.Select(name => new WalFile(
                    name,
                    Files.ContainsKey(name) ? $"/archive/{name}" : "",
                    name != Open,
                    Index.GetValueOrDefault(name, "")
                )),
            ]);

        public async IAsyncEnumerable<ReadOnlyMemory<byte>> PagesAsync(IReadOnlyList<WalFile> files)
        {
            await Task.Yield();
            foreach (var file in files)
            {
                Read.Add(file.Segment);
                for (var at = 0; at < Files[file.Segment].Length; at += (int)WalPage.Size)
                {
                    yield return Files[file.Segment].AsMemory(at, (int)WalPage.Size);
                }
            }
        }

        public Task RememberAsync(IReadOnlyDictionary<string, string> digests)
        {
            foreach (var (segment, digest) in digests)
            {
                Index[segment] = digest;
            }

            return Task.CompletedTask;
        }
    }
}

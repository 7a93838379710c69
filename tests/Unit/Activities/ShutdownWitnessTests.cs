namespace PgFlow.UnitTests.Activities;

/// <summary>The first page of a segment that PostgreSQL 17 wrote when it was stopped, and again after it had been
/// started and had written more.</summary>
public sealed class ShutdownWitnessTests
{
    private static readonly byte[] Stopped = WalFixture.Segment("000000010000000000000007.stopped");
    private static readonly byte[] Started = WalFixture.Segment("000000010000000000000007.started");
    private static readonly Lsn End = new(0x7000A0);

    private static readonly ShutdownWitness.Start Before = new(new(0x62F518), new(1), WalFixture.SegmentSize);

    [Fact]
    public void A_shutdown_is_seen_once_its_checkpoint_is_replayed() =>
        Assert.Equal(new(new(1), new(0x700028)), ShutdownWitness.Find(Stopped, End, Before));

    [Fact]
    public void What_a_recycled_segment_held_before_is_not_behind_it() =>
        Assert.NotNull(
            ShutdownWitness.Find(
                [.. Stopped[..0xA0], .. WalFixture.Segment("00000001000000000000000C")[0xA0..(int)WalPage.Size]],
                End,
                Before
            )
        );

    [Theory]
    [InlineData(0x700028)] // before its checkpoint
    [InlineData(0x700090)] // within it
    [InlineData(0x700110)] // behind all that is there
    public void One_that_is_not_replayed_to_its_end_is_none(ulong replayed) =>
        Assert.Null(ShutdownWitness.Find(Stopped, new(replayed), Before));

    [Fact]
    public void A_shutdown_with_more_WAL_behind_it_is_no_end()
    {
        var ends = new List<Lsn>();
        WalFixture.Decode(
            new(0x700000),
            Started,
            (in WalRecord record) =>
            {
                ends.Add(record.End);
                return true;
            }
        );

        Assert.Equal(End, ends[0]);
        Assert.True(ends.Count > 2);
        Assert.All(ends, replayed => Assert.Null(ShutdownWitness.Find(Started, replayed, Before)));
    }

    [Fact]
    public void A_shutdown_from_before_this_stop_is_no_end() =>
        Assert.Null(ShutdownWitness.Find(Stopped, End, Before with { Lsn = new(0x700028) }));
}

namespace PgFlow.UnitTests.Activities;

public sealed class UnarchivedWalTests
{
    private static readonly UnarchivedWal Crashed = new(
        "in production",
        "1",
        [Segment(1, 1), Segment(1, 2), Segment(1, 3), Segment(1, 4)],
        [Segment(1, 2)],
        [Segment(1, 1), "00000001.history", "000000010000000000000001.00000028.backup"],
        []
    );

    [Fact]
    public void The_first_segment_behind_the_complete_ones_was_being_written() =>
        Assert.Equal(Segment(1, 3), Crashed.Tail);

    [Fact]
    public void Where_none_is_complete_it_is_the_first() =>
        Assert.Equal(Segment(1, 1), (Crashed with { Ready = [], Archived = [] }).Tail);

    [Theory]
    [InlineData("shut down")]
    [InlineData("shut down in recovery")]
    [InlineData("")]
    public void Who_shut_down_or_has_no_data_was_writing_none(string state) =>
        Assert.Null((Crashed with { State = state }).Tail);

    [Fact]
    public void Only_segments_of_its_timeline_count()
    {
        var promoted = Crashed with { Segments = [.. Crashed.Segments, Segment(2, 3)] };

        Assert.Equal(Segment(1, 3), promoted.Tail);
        // pg_control still names the parent
        Assert.Equal(Segment(2, 3), (promoted with { Ancestors = ["00000002 1"] }).Tail);
        Assert.Equal(Segment(1, 3), (promoted with { Ancestors = ["00000003 1"] }).Tail); // of which it has no WAL
        Assert.Equal(Segment(1, 3), (promoted with { Ancestors = ["00000002 7"] }).Tail); // which is no descendant
    }

    [Fact]
    public void Where_all_segments_are_complete_there_is_none() =>
        Assert.Null((Crashed with { Ready = [.. Crashed.Segments] }).Tail);

    private static string Segment(uint timeline, uint number) => $"{timeline:X8}00000000{number:X8}";
}

namespace PgFlow.UnitTests.Values;

public sealed class TimelineHistoryTests
{
    private const string Text =
        "1\t0/3000000\tno recovery target specified\n\n# a comment\n2\t0/5000148\tbefore 2026-01-01 00:00:00+00\n";

    [Fact]
    public void Reads_what_PostgreSQL_writes()
    {
        var history = TimelineHistory.Parse(new(3), Text);

        Assert.Equal([new(new(1), new(0x3000000)), new(new(2), new(0x5000148))], history.Ancestors);
        Assert.Equal("00000003.history", history.Tip.HistoryFile);
        Assert.Equal("0000001F.history", new Timeline(31).HistoryFile);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("no history\n")]
    public void The_first_timeline_has_no_ancestors(string? text) =>
        Assert.Empty(TimelineHistory.Parse(new(1), text).Ancestors);

    [Fact]
    public void Says_where_each_ancestor_was_left()
    {
        var history = TimelineHistory.Parse(new(3), Text);

        Assert.Equal(new Lsn(0x3000000), history.EndOf(new(1)));
        Assert.Equal(new Lsn(0x5000148), history.EndOf(new(2)));
        Assert.Null(history.EndOf(new(3)));
        Assert.Null(history.EndOf(new(4)));
        Assert.Equal(
            [true, true, true, false],
            Enumerable.Range(1, 4).Select(number => history.Contains(new((uint)number)))
        );
    }

    [Fact]
    public void An_ancestor_ends_no_later_than_those_after_it()
    {
        // 2 was opened at 0/5000000 and left at 0/3000000, before its own beginning: recovery to an earlier point of
        // 1's WAL, seen from 2.
        var history = new TimelineHistory(
            new(4),
            [new(new(1), new(0x5000000)), new(new(2), new(0x3000000)), new(new(3), new(0x7000000))]
        );

        Assert.Equal(new Lsn(0x3000000), history.EndOf(new(1)));
        Assert.Equal(new Lsn(0x3000000), history.EndOf(new(2)));
        Assert.Equal(new Lsn(0x7000000), history.EndOf(new(3)));
    }
}

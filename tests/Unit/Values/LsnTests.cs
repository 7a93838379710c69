namespace PgFlow.UnitTests.Values;

public sealed class LsnTests
{
    [Theory]
    [InlineData("0/0", 0ul)]
    [InlineData("0/3000148", 0x3000148ul)]
    [InlineData("16/B374D848", 0x16B374D848ul)]
    [InlineData("FFFFFFFF/FFFFFFFF", ulong.MaxValue)]
    public void Is_written_as_it_is_read(string text, ulong value)
    {
        Assert.Equal(new(value), Lsn.Parse(text));
        Assert.Equal(text, new Lsn(value).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("0/")]
    [InlineData("/0")]
    [InlineData("0/0/0")]
    [InlineData("0/G")]
    [InlineData("0/ 1")]
    [InlineData("0/-1")]
    [InlineData("0/1\n")]
    [InlineData("0/100000000")]
    [InlineData("0x1/1")]
    public void Other_texts_are_none(string text)
    {
        Assert.False(Lsn.TryParse(text, null, out _));
        Assert.Throws<FormatException>(() => Lsn.Parse(text));
    }

    [Fact]
    public void Is_ordered_and_measured_over_the_slash()
    {
        var (before, after) = (Lsn.Parse("0/FFFFFFFF"), Lsn.Parse("1/0"));
        Assert.True(
            before < after && after > before && before <= after && after >= before && before.CompareTo(after) < 0
        );
        Assert.Equal(1, after.BytesSince(before));
        Assert.Equal(0, before.BytesSince(after));
    }
}

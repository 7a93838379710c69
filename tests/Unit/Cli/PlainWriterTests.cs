namespace PgFlow.UnitTests.Cli;

public sealed class PlainWriterTests
{
    [Theory]
    [InlineData("C.UTF-8", null, null, true)]
    [InlineData(null, "en_US.utf8", null, true)]
    [InlineData("", null, "de_CH.UTF-8", true)]
    [InlineData("C", "C.UTF-8", "C.UTF-8", false)]
    [InlineData(null, null, "de_CH.ISO-8859-1", false)]
    [InlineData(null, null, null, false)]
    public void The_locale_is_read_as_C_reads_it(string? all, string? ctype, string? lang, bool isUtf8) =>
        Assert.Equal(
            isUtf8,
            PlainWriter.IsUtf8(name =>
                name switch
                {
                    "LC_ALL" => all,
                    "LC_CTYPE" => ctype,
                    _ => lang,
                }
            )
        );

    [Fact]
    public void Every_sign_that_pgflow_shows_becomes_one_of_ASCII()
    {
        var shown =
            string.Concat(Enum.GetValues<StepState>().Select(PgFlowText.Sign)) + "“step” 1 – 2 … ‼ ⚠ ◉ ⏲ ● ○ ■ ◆";
        using var text = new StringWriter();
        using var plain = new PlainWriter(text);
        plain.WriteLine(shown);
        Assert.All(text.ToString(), symbol => Assert.True(char.IsAscii(symbol), text.ToString()));
        Assert.Equal(shown.Length, text.ToString().TrimEnd().Length);
    }

    [Fact]
    public void What_people_have_typed_is_left_as_it_is()
    {
        using var text = new StringWriter();
        using var plain = new PlainWriter(text);
        plain.Write("für Zürich");
        Assert.Equal("für Zürich", text.ToString());
    }
}

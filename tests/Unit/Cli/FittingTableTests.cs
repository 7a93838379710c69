using Spectre.Console.Testing;

namespace PgFlow.UnitTests.Cli;

/// <summary>What a narrow terminal shows can still be copied.</summary>
public sealed class FittingTableTests
{
    private const string Id = "recover-cluster-production-20261128T165000Z-ab12";

    [Theory]
    [InlineData(200, "took", "by", "reason")]
    [InlineData(80, "took")]
    [InlineData(64)]
    public void Columns_are_given_up_by_importance(int width, params string[] shown)
    {
        var said = Write(width);
        Assert.Contains(Id, said, StringComparison.Ordinal);
        Assert.Contains("succeeded", said, StringComparison.Ordinal);
        string[] optional = ["took", "by", "reason"];
        Assert.Equal(shown, optional.Where(column => said.Contains(column, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(50, "  outcome succeeded  took 1m49s  by ann@host", "  reason the disk of p1 is gone")]
    [InlineData(20, "  outcome succeeded", "  took 1m49s", "  by ann@host", "  reason the disk of p1 is gone")]
    public void Where_what_must_be_shown_does_not_fit_each_row_is_a_record_with_all_of_it(
        int width,
        params string[] lines
    ) => Assert.Equal([Id, .. lines], Write(width).Split('\n', StringSplitOptions.RemoveEmptyEntries));

    [Fact]
    public void A_column_that_says_nothing_is_not_there()
    {
        var console = new TestConsole().Width(80);
        var table = new FittingTable(new("ID"), new("took", 1));
        table.Add("a", "");
        table.Write(console);
        Assert.DoesNotContain("took", console.Output, StringComparison.Ordinal);
    }

    private static string Write(int width)
    {
        var console = new TestConsole().Width(width);
        var table = new FittingTable(new("ID"), new("outcome"), new("took", 2), new("by", 1), new("reason", 0));
        table.Add(Id, "succeeded", "1m49s", "ann@host", "the disk of p1 is gone");
        table.Write(console);
        return console.Output;
    }
}

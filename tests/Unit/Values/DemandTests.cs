namespace PgFlow.UnitTests.Values;

public sealed class DemandTests
{
    [Theory]
    [InlineData("", 0, "")]
    [InlineData("ANY 1 (p2)", 1, "p2")]
    [InlineData("ANY 2 (p2, p3, p4)", 2, "p2 p3 p4")]
    [InlineData("any 2(p2,p3)", 2, "p2 p3")]
    [InlineData("FIRST 2 (p2, p3)", 2, "p2 p3")]
    [InlineData("2 (p2, p3)", 2, "p2 p3")]
    [InlineData("p2, \"p3\"", 1, "p2 p3")]
    [InlineData("p2, P2", 1, "p2")]
    [InlineData("*", 1, "*")]
    [InlineData("ANY 99999999999 (p2)", int.MaxValue, "p2")]
    public void Is_read_as_PostgreSQL_reads_it(string setting, int number, string names)
    {
        var demand = Demand.Parse(setting);

        Assert.Equal((number, names), (demand.Confirmations, string.Join(' ', demand.Names)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ANY 1 (p2)")]
    [InlineData("ANY 2 (p2, p3)")]
    public void Is_written_as_it_is_read(string setting) => Assert.Equal(setting, Demand.Parse(setting).ToString());

    /// <summary>Whoever confirmed the commits: if as many as are demanded did, one of them was read.</summary>
    [Fact]
    public void Nothing_is_missing_where_every_choice_of_confirmers_has_one_that_was_read()
    {
        foreach (var (count, number) in from n in Enumerable.Range(1, 5) from k in Enumerable.Range(1, n) select (n, k))
        {
            var nodes = Enumerable.Range(2, count).Select(NodeName.Of).ToList();
            var demand = new Demand(number, [.. nodes.Select(node => node.ToString())]);
            foreach (var read in Choices(nodes))
            {
                var proven = Choices(nodes)
                    .Where(confirmers => confirmers.Count == number)
                    .All(confirmers => confirmers.Intersect(read).Any());
                Assert.Equal(proven, demand.MissingFrom(read).Count == 0);
            }
        }
    }

    [Theory]
    [InlineData("ANY 2 (p2, p3)", "ANY 1 (p2)", true)]
    [InlineData("ANY 2 (p2, p3)", "ANY 1 (p2, p3, p4)", true)]
    [InlineData("ANY 1 (p2)", "ANY 1 (p2, p3)", true)]
    [InlineData("ANY 1 (p2, p3)", "ANY 1 (p2)", false)]
    [InlineData("ANY 1 (p2, p3)", "ANY 2 (p2, p3)", false)]
    [InlineData("", "ANY 1 (p2)", false)]
    [InlineData("ANY 1 (p2, p3)", "", true)]
    [InlineData("FIRST 2 (*)", "ANY 1 (p2)", false)]
    public void Who_confirmed_by_one_has_confirmed_by_another_where_enough_of_them_are_named(
        string today,
        string next,
        bool implied
    ) => Assert.Equal(implied, Demand.Parse(today).Implies(Demand.Parse(next)));

    [Theory]
    [InlineData("", 1, "p2 p3", "", "ANY 1 (p2, p3)")]
    [InlineData("", 2, "p2", "", "ANY 1 (p2)")] // never more than stream
    [InlineData("", 2, "", "", "")]
    [InlineData("ANY 1 (p2)", 2, "p2 p3", "", "ANY 2 (p2, p3)")]
    [InlineData("ANY 1 (p2)", 1, "p3", "", "ANY 1 (p2, p3)")] // one that is away for a moment comes back
    [InlineData("ANY 2 (p2, p3)", 2, "p2", "", "ANY 2 (p2, p3)")]
    [InlineData("ANY 1 (p2)", 1, "", "", "ANY 1 (p2)")]
    [InlineData("ANY 2 (p2, p3)", 1, "p2", "", "ANY 1 (p2, p3)")]
    [InlineData("ANY 2 (p2, p3)", 0, "p2 p3", "", "")]
    [InlineData("ANY 2 (p2, p3)", 2, "p2 p3", "p3", "ANY 1 (p2)")]
    [InlineData("ANY 1 (p2)", 1, "p2", "p2", "")]
    [InlineData("ANY 1 (p2, p3)", 1, "p3", "p3", "")] // p2 is away: nobody can take over from p3
    [InlineData("ANY 1 (p2)", 1, "p2 p3", "p2", "ANY 1 (p3)")]
    [InlineData("FIRST 1 (somebody)", 1, "p2", "", "ANY 1 (p2)")]
    public void Is_made_of_those_that_can_confirm(
        string now,
        int quorum,
        string streaming,
        string without,
        string next
    ) => Assert.Equal(next, Demand.Parse(now).Next(quorum, Names(streaming), Names(without)).ToString());

    private static List<NodeName> Names(string names) =>
        [.. names.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => NodeName.Parse(name))];

    private static IEnumerable<List<NodeName>> Choices(List<NodeName> nodes) =>
        Enumerable
            .Range(0, 1 << nodes.Count)
            .Select(bits => nodes.Where((_, index) => (bits & (1 << index)) != 0).ToList());
}

namespace PgFlow.UnitTests.Values;

public sealed class DemandChangeTests
{
    [Theory]
    [InlineData("ANY 1 (p2)", "ANY 1 (p2)", null)]
    [InlineData("ANY 1 (p2, p3)", "ANY 2 (p2, p3)", null)] // who confirmed by the second has confirmed by the first
    [InlineData("ANY 2 (p2, p3)", "ANY 1 (p2, p3)", "ANY 1 (p2, p3)")]
    [InlineData("ANY 1 (p3)", "ANY 1 (p2, p3)", "ANY 1 (p2, p3)")]
    [InlineData("ANY 1 (p2)", "", "")]
    [InlineData("", "ANY 1 (p2)", "ANY 1 (p2)")]
    [InlineData("ANY 1 (p3)", "|ANY 1 (p2)|ANY 1 (p3)|ANY 1 (p2)", ";ANY 1 (p2)")]
    public void What_is_not_proven_by_the_next_demand_is_kept(string next, string former, string? kept) =>
        Assert.Equal(kept, DemandChange.Of(Demand.Parse(next), former.Split('|')).Kept);

    [Theory]
    [InlineData("ANY 1 (p2)", "", true)]
    [InlineData("ANY 1 (p2)", "ANY 1 (p3)|", true)] // an attempt that was killed before its checkpoint
    [InlineData("ANY 2 (p2, p3)", "ANY 1 (p2)", false)]
    [InlineData("", "ANY 1 (p2)", false)]
    public void From_nothing_to_a_demand_a_checkpoint_says_that_it_is_in_force(
        string next,
        string former,
        bool needed
    ) => Assert.Equal(needed, DemandChange.Of(Demand.Parse(next), former.Split('|')).NeedsCheckpoint);
}

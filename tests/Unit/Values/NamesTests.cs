namespace PgFlow.UnitTests.Values;

public sealed class NamesTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("demo-2", true)]
    [InlineData("a23456789012345678901234567890x", true)]
    [InlineData("a23456789012345678901234567890xy", false)]
    [InlineData("", false)]
    [InlineData("Demo", false)]
    [InlineData("2demo", false)]
    [InlineData("-demo", false)]
    [InlineData("de_mo", false)]
    [InlineData("demo\n", false)]
    [InlineData("dämo", false)]
    [InlineData("demo;rm", false)]
    [InlineData(null, false)]
    public void Of_clusters(string? text, bool good) => Assert.Equal(good, ClusterName.TryParse(text, null, out _));

    [Theory]
    [InlineData("p1", true)]
    [InlineData("p10", true)]
    [InlineData("p99", true)]
    [InlineData("p0", false)]
    [InlineData("p01", false)]
    [InlineData("p100", false)]
    [InlineData("P1", false)]
    [InlineData("p1\n", false)]
    [InlineData("q1", false)]
    [InlineData("p", false)]
    [InlineData(null, false)]
    public void Of_nodes(string? text, bool good) => Assert.Equal(good, NodeName.TryParse(text, null, out _));

    [Fact]
    public void Of_nodes_are_ordered_by_number() => Assert.True(NodeName.Of(9) < NodeName.Parse("p10"));

    [Fact]
    public void Of_containers_hold_cluster_and_node() =>
        Assert.Equal("pgflow-demo-p2", new NodeId(ClusterName.Parse("demo"), NodeName.Of(2)).Container);
}

using Docker.DotNet.Models;

namespace PgFlow.UnitTests.Activities;

public sealed class VirtualIpTests
{
    private static readonly IPAMConfig[] Pools =
    [
        new() { Subnet = "fd00::/64" },
        new()
        {
            Subnet = "10.9.1.0/24",
            IPRange = "10.9.1.0/25",
            Gateway = "10.9.1.254",
        },
    ];

    [Theory]
    [InlineData("10.9.1.200", null)]
    [InlineData("10.9.1.128", null)]
    [InlineData(
        "10.9.1.5",
        "10.9.1.5 lies in the ip-range of lan (10.9.1.0/25), from which Docker gives addresses to other containers; "
            + "give a free one of 10.9.1.0/24 outside it"
    )]
    [InlineData("10.9.1.254", "10.9.1.254 is the gateway of lan; give a free address")]
    [InlineData("10.9.2.5", "10.9.2.5 is not on lan (fd00::/64, 10.9.1.0/24)")]
    public void Is_an_address_that_Docker_gives_to_nobody(string address, string? reason) =>
        Assert.Equal(reason, VirtualIp.ReasonAgainst(address, "lan", Pools));

    [Fact]
    public void A_network_that_keeps_no_address_back_is_told()
    {
        IPAMConfig[] open = [new() { Subnet = "10.9.1.0/24", Gateway = "10.9.1.1" }];

        Assert.Null(VirtualIp.ReasonAgainst("10.9.1.200", "lan", open));
        Assert.True(VirtualIp.IsAtRisk("10.9.1.200", open));
        Assert.False(VirtualIp.IsAtRisk("10.9.1.200", Pools));
    }

    [Theory]
    [InlineData("10.200.1.10", true)]
    [InlineData("10.200.1.129", false)]
    public void On_a_network_of_PgFlows_own_it_is_in_the_lower_half(string address, bool free) =>
        Assert.Equal(free, VirtualIp.ReasonAgainst(address, "own", [Creation.PoolOf(Names.SubnetOf(address))]) is null);
}

using System.Net;
using Docker.DotNet.Models;

namespace PgFlow.Activities.Docker;

/// <summary>Which addresses of a network Docker gives to nobody else.</summary>
internal static class VirtualIp
{
    /// <summary>Why an address can't be a cluster's virtual IP; null where it can.</summary>
    public static string? ReasonAgainst(string address, string network, IList<IPAMConfig> pools)
    {
        if (pools.FirstOrDefault(pool => Contains(pool.Subnet, address)) is not { } pool)
        {
            return $"{address} is not on {network} ({string.Join(", ", pools.Select(pool => pool.Subnet))})";
        }

        if (Contains(pool.IPRange, address))
        {
            return $"{address} lies in the ip-range of {network} ({pool.IPRange}), from which Docker gives addresses "
                + $"to other containers; give a free one of {pool.Subnet} outside it";
        }

        return pool.Gateway == address ? $"{address} is the gateway of {network}; give a free address" : null;
    }

    /// <summary>Whether Docker may give the address to another container all the same: the network keeps none
    /// back.</summary>
    public static bool IsAtRisk(string address, IList<IPAMConfig> pools) =>
        pools.Any(pool => string.IsNullOrEmpty(pool.IPRange) && Contains(pool.Subnet, address));

    private static bool Contains(string? subnet, string address) =>
        IPNetwork.TryParse(subnet, out var network) && network.Contains(IPAddress.Parse(address));
}

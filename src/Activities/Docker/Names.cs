using System.Net;

namespace PgFlow.Activities.Docker;

/// <summary>The names and addresses of a cluster's parts.</summary>
internal static class Names
{
    /// <summary>Where a node's volume is mounted.</summary>
    public const string NodeVolume = "/pgflow";

    /// <summary>Where the repository is mounted.</summary>
    public const string RepositoryVolume = "/repository";

    /// <summary>Where jobs see the repository of the cluster whose past they read.</summary>
    public const string SourceRepository = "/source";

    /// <summary>Where jobs see the volumes of that cluster's nodes.</summary>
    public const string NodeVolumes = "/nodes";

    /// <summary>Where a job has its programs, its files and its result.</summary>
    public const string Job = "/tmp/job";

    /// <summary>The data directory.</summary>
    public const string Data = $"{NodeVolume}/data";

    /// <summary>The first host of a network that a node may have; the virtual IP stands directly before the
    /// nodes.</summary>
    private const int FirstHost = 10;

    /// <summary>How all programs are told the paths above.</summary>
    public static IReadOnlyList<string> Environment { get; } =
    [
        $"VOLUME={NodeVolume}",
        $"REPOSITORY={RepositoryVolume}",
        $"SOURCE_REPOSITORY={SourceRepository}",
        $"NODES={NodeVolumes}",
        $"JOB={Job}",
    ];

    /// <summary>Where a node's segments go.</summary>
    public static string ArchiveOf(ClusterSpec spec) =>
        spec.Archive is ArchiveMode.Local ? $"{NodeVolume}/archive" : $"{RepositoryVolume}/wal";

    public static string Repository(ClusterName cluster) => $"pgflow-{cluster}-repository";

    public static string InternalNetwork(ClusterName cluster) => $"pgflow-{cluster}-internal";

    public static string ExternalNetwork(ClusterName cluster) => $"pgflow-{cluster}-external";

    /// <summary>The alias under which clients find the primary, or the standbys.</summary>
    public static string Alias(ClusterName cluster, bool readOnly) => $"{cluster}-{(readOnly ? "ro" : "rw")}";

    public static string AddressOf(ClusterSpec spec, NodeName node) => Host(spec.Subnet, FirstHost + node.Number);

    /// <summary>The virtual IP of a network of our own.</summary>
    public static string DefaultVip(string subnet) => Host(subnet, FirstHost);

    /// <summary>The upper half of the first /24: Docker gives addresses to others from there only, never a stopped
    /// node's.</summary>
    public static string RangeForOthers(string subnet) => $"{Host(subnet, 128)}/25";

    /// <summary>A run's short name: the random end of its ID, since a server's run IDs (UUID version 7) begin with the
    /// time and are alike for a minute.</summary>
    public static string ShortRun(string run) => run[^12..];

    /// <summary>The subnet of a network of our own whose virtual IP this is.</summary>
    public static string SubnetOf(string vip) => $"{Host($"{vip}/32", 0)}/24";

    private static string Host(string subnet, int number)
    {
        var bytes = IPNetwork.Parse(subnet).BaseAddress.GetAddressBytes();
        bytes[3] = (byte)number;
        return new IPAddress(bytes).ToString();
    }
}

using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Observation;

/// <summary>Where complete WAL segments go.</summary>
public enum ArchiveMode
{
    /// <summary>Into the cluster's repository.</summary>
    External,

    /// <summary>Into each node's own volume.</summary>
    Local,
}

/// <summary>What a cluster was made as; read back from its labels. An update gives it another image.</summary>
/// <param name="Cluster">Its name.</param>
/// <param name="Image">The image of its nodes and jobs.</param>
/// <param name="Postgres">What that image has.</param>
/// <param name="Archive">Where WAL goes.</param>
/// <param name="Subnet">The internal network, as CIDR.</param>
/// <param name="ExternalNetwork">The network of its clients.</param>
/// <param name="Vip">The virtual IP on it.</param>
public sealed record ClusterSpec(
    ClusterName Cluster,
    string Image,
    PostgresInstallation Postgres,
    ArchiveMode Archive,
    string Subnet,
    string ExternalNetwork,
    string Vip
)
{
    /// <summary>What its containers are made from, whatever the image's name has become.</summary>
    [JsonIgnore]
    public string ImageReference => Postgres.ImageId ?? Image;

    /// <summary>Whether PgFlow made the clients' network; else somebody gave it.</summary>
    [JsonIgnore]
    public bool OwnsExternalNetwork => ExternalNetwork == $"pgflow-{Cluster}-external";
}

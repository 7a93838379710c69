namespace PgFlow.WorkflowTests.Server;

/// <content>Images and settings of the nodes.</content>
internal sealed partial class InMemoryCluster : ISettingsActivities
{
    private const string FirstImage = "sha256:one";

    private readonly Dictionary<NodeName, IReadOnlyDictionary<string, string>> _settings = [];
    private readonly Dictionary<NodeName, ClusterSpec> _made = [];

    /// <summary>The cluster's settings as a node has them.</summary>
    public IReadOnlyDictionary<string, string> SettingsOf(string name) =>
        _settings.GetValueOrDefault(NodeName.Parse(name), new Dictionary<string, string>());

    /// <summary>The image that a node's container was made from.</summary>
    public string ImageOf(string name) => SpecOf(NodeName.Parse(name)).ImageReference;

    /// <summary>A node that does not start, made from that image.</summary>
    public (string Node, string Image) Broken { get; set; }

    private void RequireStartable(NodeId node)
    {
        if (Broken == (node.ToString(), ImageOf(node.ToString())))
        {
            throw TemporalFailures.Of(Failure.Stick($"{node} ended with 1 when it was started"));
        }
    }

    private ClusterSpec SpecOf(NodeName node) =>
        _made.GetValueOrDefault(node, _spec! with { Postgres = Postgres with { Minor = 6, ImageId = FirstImage } });

    Task<NodeSetup> ISettingsActivities.InspectSettingsAsync(NodeId node, IReadOnlyList<string> names) =>
        DoAsync(
            node,
            () =>
                new NodeSetup(
                    node,
                    SpecOf(node.Name),
                    SettingsOf(node.ToString()),
                    [
                        new("max_connections", "integer", "postmaster", Connections(node.Name))
                        {
                            Minimum = "1",
                            Maximum = "262143",
                        },
                        new("work_mem", "integer", "user", "4096")
                        {
                            Unit = "kB",
                            Minimum = "64",
                            Maximum = "2147483647",
                        },
                    ]
                )
                {
                    Version = "17.6",
                    NamedImage = FirstImage,
                }
        );

    Task ISettingsActivities.WriteClusterSettingsAsync(NodeId node, IReadOnlyDictionary<string, string> settings) =>
        DoAsync(
            node,
            () =>
            {
                Require(
                    _nodes[node.Name].Role is NodeRole.Stopped
                        || settings.GetValueOrDefault("max_connections", "100") == Connections(node.Name),
                    $"max_connections of {node} was changed while it ran"
                );
                _settings[node.Name] = settings;
            }
        );

    Task IClusterActivities.ReplaceContainerAsync(NodeId node, ClusterSpec spec) =>
        DoAsync(
            node,
            () =>
            {
                if (SpecOf(node.Name).ImageReference != spec.ImageReference)
                {
                    Require(_nodes[node.Name].Role is NodeRole.Stopped, $"{node} was replaced while it ran");
                    Set(node, state => state with { Container = "created", Endpoint = EndpointRole.None });
                    _made[node.Name] = spec;
                }
            }
        );

    private string Connections(NodeName node) =>
        SettingsOf(node.ToString()).GetValueOrDefault("max_connections", "100");

    /// <summary>A standby has at least as many connections as its primary.</summary>
    private void RequireFollowing(NodeId standby, NodeId primary) =>
        Require(
            int.Parse(Connections(standby.Name)) >= int.Parse(Connections(primary.Name)),
            $"{standby} follows {primary}, which has more connections"
        );
}

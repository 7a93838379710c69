namespace PgFlow.WorkflowTests.Server;

/// <content>Images and settings of the nodes.</content>
internal sealed partial class InMemoryCluster : ISettingsActivities
{
    private const string FirstImage = "sha256:one";

    private readonly Dictionary<NodeName, IReadOnlyDictionary<string, string>> _settings = [];
    private readonly Dictionary<NodeName, ClusterSpec> _specs = [];

    /// <summary>The cluster's settings as a node has them.</summary>
    public IReadOnlyDictionary<string, string> SettingsOf(string name) =>
        _settings.GetValueOrDefault(NodeName.Parse(name), new Dictionary<string, string>());

    /// <summary>An earlier update has set that on a node.</summary>
    public void Set(string name, string setting, string value) =>
        _settings[NodeName.Parse(name)] = new Dictionary<string, string>(SettingsOf(name)) { [setting] = value };

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

    private ClusterSpec SpecOf(NodeName node) => _specs.GetValueOrDefault(node, FirstSpec);

    /// <summary>What a node has that nobody has made.</summary>
    private ClusterSpec FirstSpec =>
        _spec!.Postgres.ImageId is not null
            ? _spec
            : _spec with
            {
                Postgres = Postgres with { Minor = 6, ImageId = FirstImage },
            };

    /// <summary>As the primary was made.</summary>
    private ClusterSpec? SpecOfPrimary() =>
        _spec is null ? null
        : ClusterIntent.PrimaryOf(_nodes.Values) is { } primary ? SpecOf(primary.Id.Name)
        : FirstSpec;

    private void Forget(NodeName node)
    {
        _specs.Remove(node);
        _settings.Remove(node);
    }

    Task<NodeSetup> ISettingsActivities.InspectSettingsAsync(NodeId node, IReadOnlyList<string> names) =>
        DoAsync(
            node,
            () =>
                new NodeSetup(
                    node,
                    SpecOf(node.Name),
                    SettingsOf(node.ToString()),
                    [.. RowsOf(node).Where(row => names.Contains(row.Name))]
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
                var before = RowsOf(node);
                _settings[node.Name] = settings;
                Require(
                    _nodes[node.Name].Role is NodeRole.Stopped
                        || before
                            .Where(row => row.NeedsRestart)
                            .SequenceEqual(RowsOf(node).Where(row => row.NeedsRestart)),
                    $"what {node} reads at a start only was changed while it ran"
                );
            }
        );

    Task IClusterActivities.ReplaceContainerAsync(NodeId node, ClusterSpec spec) =>
        DoAsync(
            node,
            () =>
            {
                var there = _nodes[node.Name].Role;
                if (there is NodeRole.Missing || SpecOf(node.Name).ImageReference != spec.ImageReference)
                {
                    Require(there is NodeRole.Stopped or NodeRole.Missing, $"{node} was replaced while it ran");
                    Set(
                        node,
                        state =>
                            state with
                            {
                                Role = NodeRole.Stopped,
                                Container = "created",
                                Endpoint = EndpointRole.None,
                            }
                    );
                    _specs[node.Name] = spec;
                }
            }
        );

    private List<Setting> RowsOf(NodeId node)
    {
        return [Row("max_connections", "postmaster"), Row("shared_buffers", "postmaster"), Row("work_mem", "user")];

        Setting Row(string name, string context) =>
            new(name, "integer", context, SettingsOf(node.ToString()).GetValueOrDefault(name, "100"))
            {
                Unit = name == "max_connections" ? null : "kB",
                Minimum = "1",
                Maximum = "2147483647",
            };
    }

    private string Connections(NodeName node) =>
        SettingsOf(node.ToString()).GetValueOrDefault("max_connections", "100");

    /// <summary>A standby has at least as many connections as its primary.</summary>
    private void RequireFollowing(NodeId standby, NodeId primary) =>
        Require(
            int.Parse(Connections(standby.Name)) >= int.Parse(Connections(primary.Name)),
            $"{standby} follows {primary}, which has more connections"
        );
}

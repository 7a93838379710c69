namespace PgFlow.Workflows.Activities;

/// <summary>What an activity is about.</summary>
/// <param name="Cluster">A cluster.</param>
/// <param name="Node">The node there; null for all of it.</param>
internal sealed record Subject(ClusterName Cluster, NodeId? Node = null)
{
    /// <summary>What an activity with these arguments is about; null where they do not say.</summary>
    public static Subject? Of(IReadOnlyCollection<object?> arguments) =>
        (object?[])[.. arguments] switch
        {
            [ClusterName, ClusterName to] => new(to),
            [ClusterName cluster, ..] => new(cluster),
            [NodeId node, ..] => Of(node),
            [ClusterSpec spec] => new(spec.Cluster),
            [WantedNetworks wanted] => new(wanted.Cluster),
            [NodeSettings settings, ..] => Of(settings.Node),
            [BackupOrder order] => Of(order.Source),
            [TimelineOpened { Node: { } node }] => Of(node),
            [Report report] => new(report.Cluster),
            [Notification notification, ..] => new(notification.Cluster),
            _ => null,
        };

    /// <inheritdoc/>
    public override string ToString() => Node is { } node ? $"{Cluster}/{node}" : Cluster.ToString();

    private static Subject Of(NodeId node) => new(node.Cluster, node);
}

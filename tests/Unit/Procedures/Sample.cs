namespace PgFlow.UnitTests.Procedures;

/// <summary>Observed clusters to plan from: p1 is the primary, the others stream from it.</summary>
internal static class Sample
{
    public static ClusterName Cluster { get; } = ClusterName.Parse("demo");

    /// <summary>A refusal as the CLI says it, with the commands of its hints.</summary>
    public static string Said(PgFlowException refusal) =>
        refusal.Hints.Count > 0 ? $"{refusal.Message}; {HintText.Of(refusal.Hints)}" : refusal.Message;

    public static NodeName P(int number) => NodeName.Of(number);

    public static ClusterState Healthy(int nodes = 3) =>
        Of([.. Enumerable.Range(1, nodes).Select(number => number == 1 ? Primary(1, nodes) : Standby(number))]);

    /// <summary>A synchronous cluster whose primary asks so for its confirmations.</summary>
    public static ClusterState Synchronous(string names, int nodes = 3, int quorum = 1)
    {
        var state = Healthy(nodes);
        return (state with { Nodes = [.. state.Nodes.Select(node => node with { Quorum = quorum })] }).With(
            1,
            node => node with { SynchronousStandbyNames = names }
        );
    }

    public static ClusterState Of(params NodeState[] nodes) =>
        new()
        {
            Cluster = Cluster,
            Spec = new(
                Cluster,
                "postgres:17",
                new(17, "/usr/lib/postgresql/17/bin", 999, 999),
                ArchiveMode.External,
                "10.77.1.0/24",
                "lan",
                "10.0.0.9"
            ),
            Nodes = nodes,
        };

    /// <summary>A setting of PgFlow's that somebody set by ALTER SYSTEM.</summary>
    public static OverriddenSetting Override { get; } = new("archive_command", "postgresql.auto.conf");

    public const string Overridden = "archive_command is set in postgresql.auto.conf, not in PgFlow's file";

    public static ClusterState Nothing { get; } = new() { Cluster = Cluster };

    /// <summary>The same cluster with one node as <paramref name="change"/> makes it.</summary>
    public static ClusterState With(this ClusterState state, int number, Func<NodeState, NodeState> change) =>
        state with
        {
            Nodes = [.. state.Nodes.Select(node => node.Id.Name == P(number) ? change(node) : node)],
        };

    /// <summary>The same cluster with what the primary knows of one standby changed; null forgets it.</summary>
    public static ClusterState WithFollower(this ClusterState state, int number, Func<Follower, Follower?> change) =>
        state.With(
            1,
            primary =>
                primary with
                {
                    Followers =
                    [
                        .. primary
                            .Followers.Select(row => row.Node == $"p{number}" ? change(row) : row)
                            .OfType<Follower>(),
                    ],
                }
        );

    public static NodeState Stopped(NodeState node) =>
        node with
        {
            Role = NodeRole.Stopped,
            Container = "exited",
            Control = ControlState.InProduction,
            StandbySignal = node.Role is NodeRole.Standby,
        };

    public static NodeState Missing(NodeState node) =>
        Stopped(node) with
        {
            Role = NodeRole.Missing,
            Container = "missing",
            RestartPolicy = "no",
            OnInternalNetwork = false,
            Endpoint = EndpointRole.None,
        };

    public static NodeState Hung(NodeState node) =>
        node with
        {
            Role = NodeRole.Unreachable,
            Login = new(LoginProblemKind.NoAnswer, "no answer within 2 s"),
        };

    private static NodeState Primary(int number, int nodes) =>
        Node(number) with
        {
            Role = NodeRole.Primary,
            Endpoint = EndpointRole.ReadWrite,
            Slots =
            [
                .. Enumerable
                    .Range(1, nodes)
                    .Where(other => other != number)
                    .Select(other => new Slot($"p{other}", Active: true, "reserved")),
            ],
            Followers =
            [
                .. Enumerable
                    .Range(1, nodes)
                    .Where(other => other != number)
                    .Select(other => new Follower($"p{other}", "streaming", new(0x5000000), 0, "async", 0)),
            ],
        };

    private static NodeState Standby(int number) =>
        Node(number) with
        {
            Role = NodeRole.Standby,
            Endpoint = EndpointRole.ReadOnly,
            Replayed = new(0x5000000),
        };

    private static NodeState Node(int number) =>
        new()
        {
            Id = new(Cluster, P(number)),
            Role = NodeRole.Stopped,
            Container = "running",
            RestartPolicy = "unless-stopped",
            Address = $"10.77.1.{10 + number}",
            SystemIdentifier = "74",
            Timeline = new(1),
            Wal = new(0x5000000),
        };
}

using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;

namespace PgFlow.WorkflowTests.Server;

/// <content>What the activities do to the cluster.</content>
internal sealed partial class InMemoryCluster
    : INodeActivities,
        IRoleActivities,
        IEndpointActivities,
        IArchiveActivities,
        IClusterActivities,
        IDataDirectoryActivities,
        ILeaseActivities,
        ILedgerActivities,
        IBackupActivities,
        INotificationActivities,
        IWitnessActivities
{
    private static readonly PostgresInstallation Postgres = new(17, "/usr/lib/postgresql/17/bin", 999, 999);

    private readonly SortedDictionary<NodeName, NodeState> _nodes = [];
    private readonly Dictionary<NodeName, NodeName?> _upstream = [];
    private readonly Dictionary<NodeName, Timeline?> _branch = [];
    private readonly HashSet<NodeName> _made = [];
    private ClusterSpec? _spec;

    /// <summary>Who says for itself whether its transactions may write.</summary>
    public IReadOnlyList<string> ReadOnlyExceptions { get; set; } = [];

    /// <summary>Whether a standby sees its primary's end.</summary>
    public bool Witnesses { get; set; }

    /// <summary>How a stopped node stands to the primary's line.</summary>
    public Divergence Divergence { get; set; } =
        new(
            SameSystem: true,
            ControlState.ShutDown,
            StandbySignal: true,
            new(1),
            new(0x5000000),
            CanRewind: true,
            new(2),
            new(0x6000000),
            new(0x4000000)
        );

    public NodeState this[string name]
    {
        get
        {
            lock (_lock)
            {
                return _nodes[NodeName.Parse(name)];
            }
        }
        set
        {
            lock (_lock)
            {
                _nodes[NodeName.Parse(name)] = value;
            }
        }
    }

    /// <summary>What the image has.</summary>
    public PostgresInstallation Image { get; set; } = Postgres;

    /// <summary>Somebody removes a node with its volume.</summary>
    public void Lose(string name)
    {
        lock (_lock)
        {
            _nodes.Remove(NodeName.Parse(name));
            Forget(NodeName.Parse(name));
        }
    }

    /// <summary>The power of a node fails.</summary>
    public void Crash(string name) =>
        this[name] = this[name] with
        {
            Role = NodeRole.Stopped,
            Container = "exited",
            Control = ControlState.InProduction,
            StandbySignal = false,
        };

    async Task<ClusterState> IClusterActivities.ObserveClusterAsync(ClusterName cluster)
    {
        var receivers = await Notifications.FindReceiversAsync();
        return await DoAsync(
            null,
            () =>
                cluster == Source
                    ? StateOfSource()
                    : new ClusterState
                    {
                        Cluster = cluster,
                        Spec = SpecOfPrimary(),
                        Receivers = receivers,
                        Nodes = Seen(),
                        Resources = Leftovers(),
                    }
        );
    }

    /// <summary>The nodes that are there, whether the cluster is meant to have them or not.</summary>
    public IReadOnlyList<NodeName> There
    {
        get
        {
            lock (_lock)
            {
                return [.. _nodes.Keys];
            }
        }
    }

    private Resource[] Leftovers() =>
        [
            .. _nodes
                .Keys.Except(Membership.Of(_nodes.Values))
                .Where(name => _nodes[name].Role is NodeRole.Stopped or NodeRole.Missing)
                .Select(name => new NodeId(Cluster, name).Container)
                .SelectMany(name =>
                    (Resource[])
                        [
                            new(ResourceKind.Container, name, ResourceState.Labelled),
                            new(ResourceKind.Volume, name, ResourceState.Labelled),
                        ]
                ),
        ];

    /// <summary>Those that it is meant to have, there or missed.</summary>
    private NodeState[] Seen()
    {
        var members = Membership.Of(_nodes.Values);
        return
        [
            .. _nodes
                .Values.Where(members.Includes)
                .Select(node =>
                    node with
                    {
                        Image = ImageOf(node.Id.ToString()),
                        Followers = node.Role is NodeRole.Primary ? FollowersOf(node) : [],
                    }
                )
                .Concat(members.Where(name => !_nodes.ContainsKey(name)).Select(Gone))
                .OrderBy(node => node.Id.Name),
        ];
    }

    private NodeState Gone(NodeName name) =>
        new()
        {
            Id = new(Cluster, name),
            Role = NodeRole.Missing,
            Container = "missing",
            RestartPolicy = "no",
            Address = $"10.77.1.{10 + name.Number}",
            HasVolume = false,
            OnInternalNetwork = false,
        };

    Task<PostgresInstallation> IClusterActivities.InspectImageAsync(ClusterName cluster, string image) =>
        DoAsync(
            null,
            () =>
                Image with
                {
                    Minor = image == FirstImage ? 6 : 7,
                    ImageId = image.StartsWith("sha256:", StringComparison.Ordinal) ? image : $"sha256:{image}",
                }
        );

    Task<CreatedNetworks> IClusterActivities.CreateNetworksAsync(WantedNetworks wanted) =>
        DoAsync(
            null,
            () =>
                new CreatedNetworks(
                    wanted.Subnet ?? "10.77.1.0/24",
                    wanted.ExternalNetwork ?? "ours",
                    wanted.Vip ?? "10.78.1.9"
                )
        );

    Task IClusterActivities.CreateRepositoryAsync(ClusterSpec spec) =>
        DoAsync(
            null,
            () =>
            {
                _nodes.Clear();
                _spec = spec;
            }
        );

    Task IClusterActivities.CreateNodeAsync(NodeId node, ClusterSpec spec) =>
        DoAsync(
            node,
            () =>
            {
                MakeNode(node.Name.Number, nodes: 1);
                _made.Add(node.Name);
                _specs[node.Name] = spec;
                Set(
                    node,
                    state =>
                        state with
                        {
                            Role = NodeRole.Stopped,
                            Container = "created",
                            Endpoint = EndpointRole.None,
                            StandbySignal = false,
                        }
                );
            }
        );

    Task IClusterActivities.InitializeDatabaseAsync(NodeId node) => DoAsync(node, () => { });

    Task IClusterActivities.SetRolesAsync(NodeId primary) =>
        DoAsync(
            primary,
            () =>
                Require(
                    _nodes[primary.Name].Role is NodeRole.Primary,
                    $"the roles were set on {primary}, which is {_nodes[primary.Name].Role}"
                )
        );

    Task IClusterActivities.RecreateRepositoryAsync(ClusterSpec spec) => DoAsync(null, () => { });

    Task IClusterActivities.RecreateNodeAsync(NodeId node, ClusterSpec spec) =>
        DoAsync(
            node,
            () =>
            {
                if (!_nodes.ContainsKey(node.Name))
                {
                    MakeNode(node.Name.Number, nodes: 1);
                    Set(node, state => state with { Role = NodeRole.Missing, Endpoint = EndpointRole.None });
                }

                if (_nodes[node.Name].Role is NodeRole.Missing)
                {
                    _specs[node.Name] = spec;
                    Set(
                        node,
                        state => state with { Role = NodeRole.Stopped, Container = "created", RestartPolicy = "no" }
                    );
                }
            }
        );

    Task IClusterActivities.TakeBackNodeAsync(NodeId node) =>
        DoAsync(
            node,
            () =>
            {
                if (_made.Remove(node.Name))
                {
                    Remove(node);
                }
            }
        );

    Task IClusterActivities.TakeBackClusterAsync(ClusterName cluster) => DoAsync(null, Vanish);

    Task IClusterActivities.RemoveNodeAsync(NodeId node) => DoAsync(node, () => Remove(node));

    private void Remove(NodeId node)
    {
        _nodes.Remove(node.Name);
        Forget(node.Name);
    }

    Task IClusterActivities.RemoveClusterAsync(ClusterName cluster) => DoAsync(null, Vanish);

    Task IClusterActivities.RemoveJobsAsync(ClusterName cluster) => DoAsync(null, () => { });

    Task IClusterActivities.TidyUpNodeAsync(NodeId node) => DoAsync(node, () => { });

    Task INodeActivities.StartPostgresAsync(NodeId node) =>
        DoAsync(
            node,
            () =>
            {
                RequireStartable(node);
                Run(node, _nodes[node.Name].StandbySignal is true ? NodeRole.Standby : NodeRole.Primary);
            }
        );

    Task INodeActivities.ConnectNodeAsync(NodeId node) =>
        DoAsync(node, () => Set(node, state => state with { RestartPolicy = "unless-stopped" }));

    Task<CleanShutdown> IRoleActivities.StopPostgresAsync(NodeId node, int withinSeconds, NodeId? witness) =>
        DoAsync(
            node,
            () =>
            {
                Set(
                    node,
                    state =>
                        state with
                        {
                            Role = NodeRole.Stopped,
                            Container = "exited",
                            RestartPolicy = "no",
                            Control = ControlState.ShutDown,
                        }
                );
                return new CleanShutdown(_nodes[node.Name].Timeline!.Value, _nodes[node.Name].Wal!.Value)
                {
                    ReplayedBy = Witnesses ? witness?.Name : null,
                };
            }
        );

    Task IRoleActivities.MarkStandbyAsync(NodeId node) => DoAsync(node, () => Mark(node));

    Task IRoleActivities.FenceNodeAsync(NodeId node, bool atOnce) =>
        DoAsync(
            node,
            () =>
            {
                RequireContainer(node);
                Mark(node);
                Set(
                    node,
                    state =>
                        state with
                        {
                            Role = NodeRole.Stopped,
                            Container = "exited",
                            RestartPolicy = "no",
                            Endpoint = EndpointRole.None,
                        }
                );
            }
        );

    Task IRoleActivities.UnfenceNodeAsync(NodeId node, bool running, bool? standby) =>
        DoAsync(
            node,
            () =>
            {
                Set(
                    node,
                    state => state with { RestartPolicy = "unless-stopped", StandbySignal = standby is not false }
                );
                if (running)
                {
                    RequireStartable(node);
                    Run(node, standby is not false ? NodeRole.Standby : NodeRole.Primary);
                }
            }
        );

    Task INodeActivities.CheckpointAsync(NodeId node) => DoAsync(node, () => { });

    Task<bool> INodeActivities.RestartSummarizerAsync(NodeId node) =>
        DoAsync(
            node,
            () =>
            {
                Set(node, state => state with { SummarizerFails = false });
                return true;
            }
        );

    Task INodeActivities.PrepareStopAsync(NodeId node) => DoAsync(node, () => { });

    Task INodeActivities.WaitForReplayAsync(NodeId standby, NodeId primary) => DoAsync(standby, () => { });

    Task IRoleActivities.ProveShutdownReplayedAsync(NodeId candidate, CleanShutdown shutdown) =>
        DoAsync(
            candidate,
            () =>
                Require(
                    shutdown.Checkpoint == _nodes[candidate.Name].Wal,
                    $"{candidate} was asked for another shutdown"
                )
        );

    Task<Candidate> IRoleActivities.ObserveCandidateAsync(NodeId node, TimelineHistory? live) =>
        DoAsync(
            node,
            () =>
            {
                var (answers, state) = (_nodes[node.Name].Role is NodeRole.Standby, _nodes[node.Name]);
                return new Candidate(node, state.Timeline!.Value, state.Wal!.Value)
                {
                    Runs = answers,
                    Answers = answers,
                };
            }
        );

    Task IRoleActivities.RestartCandidateAsync(NodeId node) => DoAsync(node, () => Run(node, NodeRole.Standby));

    Task<Promotion> IRoleActivities.PromoteStandbyAsync(NodeId node, Timeline from) =>
        DoAsync(
            node,
            () =>
            {
                foreach (var other in _nodes.Values.Where(other => other.Id != node))
                {
                    Require(
                        other.Role is NodeRole.Standby
                            || other is { Role: NodeRole.Stopped, StandbySignal: true } or { Container: "created" },
                        $"{node} was promoted while {other.Id} was {other.Role} and could accept writes"
                    );
                }

                Require(_nodes[node.Name] is { Role: NodeRole.Standby }, $"{node} was promoted, which is no standby");
                Require(
                    _nodes[node.Name].Timeline == from,
                    $"{node} was promoted from {from}, it is on {_nodes[node.Name].Timeline}"
                );
                var timeline = new Timeline(from.Number + 1);
                Set(node, state => state with { Role = NodeRole.Primary, Timeline = timeline, StandbySignal = false });
                _upstream[node.Name] = null;
                return new Promotion(node, timeline, from, _nodes[node.Name].Wal!.Value);
            }
        );

    Task INodeActivities.WriteSettingsAsync(NodeSettings settings) =>
        DoAsync(
            settings.Node,
            () =>
            {
                _upstream[settings.Node.Name] = settings.Upstream;
                _branch[settings.Node.Name] = settings.Timeline;
                Set(
                    settings.Node,
                    state =>
                        state with
                        {
                            EarlierStandbyNames = EarlierThan(settings, state),
                            Quorum = settings.Quorum,
                            ReadOnly = settings.ReadOnly,
                            Members = settings.Members,
                            SynchronousStandbyNames = settings.SynchronousStandbyNames,
                        }
                );
            }
        );

    Task INodeActivities.DemandConfirmationsAsync(NodeSettings settings, IReadOnlyList<NodeName> without, int least) =>
        DoAsync(
            settings.Node,
            () =>
            {
                var primary = _nodes[settings.Node.Name] with { Followers = FollowersOf(_nodes[settings.Node.Name]) };
                var next = primary.Demand.Next(settings.Quorum, [.. primary.Streaming], without);
                if (next.Confirmations < least)
                {
                    throw new ApplicationFailureException($"only {next.Confirmations} of {least} can confirm now");
                }

                Set(
                    settings.Node,
                    state =>
                        state with
                        {
                            EarlierStandbyNames = null,
                            Quorum = settings.Quorum,
                            Members = settings.Members,
                            SynchronousStandbyNames = next.ToString(),
                        }
                );
            }
        );

    Task INodeActivities.WriteQuorumAsync(NodeId node, int quorum) =>
        DoAsync(node, () => Set(node, state => state with { Quorum = quorum }));

    Task INodeActivities.WriteMembersAsync(NodeId node, IReadOnlyList<NodeName> members) =>
        DoAsync(node, () => Set(node, state => state with { Members = members }));

    Task<IReadOnlyList<string>> ILeaseActivities.EndSchedulesAsync(ClusterName cluster) =>
        DoAsync<IReadOnlyList<string>>(null, () => ["schedule pgflow-backup-x has ended"]);

    Task INodeActivities.SetReadOnlyAsync(NodeId node, bool isOn) =>
        DoAsync(node, () => Set(node, state => state with { ReadOnly = isOn }));

    Task INodeActivities.SetReplicationSlotsAsync(NodeId node, IReadOnlyList<NodeName> others, NodeName? gone) =>
        DoAsync(
            node,
            () =>
                Set(
                    node,
                    state =>
                        state with
                        {
                            Slots = [.. others.Select(other => new Slot(other.ToString(), Active: false, "reserved"))],
                        }
                )
        );

    Task INodeActivities.ProveStreamingAsync(NodeId standby, NodeId primary) =>
        DoAsync(
            standby,
            () =>
            {
                Require(
                    _upstream[standby.Name] == primary.Name,
                    $"{standby} follows {_upstream[standby.Name]}, not {primary}"
                );
                Require(
                    _nodes[primary.Name].Slots.Any(slot => slot.Name == standby.ToString()),
                    $"{primary} has no slot for {standby}"
                );
                RequireFollowing(standby, primary);
                Require(
                    _branch[standby.Name] == _nodes[primary.Name].Timeline,
                    $"{standby} follows timeline {_branch[standby.Name]}, {primary} writes "
                        + $"{_nodes[primary.Name].Timeline}"
                );
                Set(standby, state => state with { Timeline = _nodes[primary.Name].Timeline });
            }
        );

    Task IEndpointActivities.ReleaseVirtualIpAsync(NodeId node, bool hasShutDown) =>
        DoAsync(
            node,
            () =>
            {
                if (_nodes[node.Name] is { Endpoint: EndpointRole.ReadWrite } holder)
                {
                    Require(
                        holder.Role is not NodeRole.Primary,
                        $"the virtual IP was taken from {node}, which accepts writes"
                    );
                    Set(node, state => state with { Endpoint = EndpointRole.None });
                }
            }
        );

    Task IEndpointActivities.TakeVirtualIpAsync(NodeId node) =>
        DoAsync(
            node,
            () =>
            {
                foreach (var other in _nodes.Values.Where(other => other.Id != node))
                {
                    Require(
                        other.Endpoint is not EndpointRole.ReadWrite,
                        $"{node} was given the virtual IP, which {other.Id} holds"
                    );
                }

                Set(node, state => state with { Endpoint = EndpointRole.ReadWrite });
            }
        );

    Task IEndpointActivities.LeaveEndpointAsync(NodeId node) =>
        DoAsync(node, () => Set(node, state => state with { Endpoint = EndpointRole.None }));

    Task IEndpointActivities.OfferReadOnlyAsync(NodeId node) =>
        DoAsync(node, () => Set(node, state => state with { Endpoint = EndpointRole.ReadOnly }));

    Task IEndpointActivities.EndSessionsAsync(NodeId primary) => DoAsync(primary, () => { });

    Task<IReadOnlyList<string>> IEndpointActivities.ProveReadOnlyAsync(NodeId primary, bool isOn) =>
        DoAsync<IReadOnlyList<string>>(
            primary,
            () =>
            {
                Require(
                    _nodes.Values.All(node => node.ReadOnly == isOn || node.Role is NodeRole.Missing),
                    $"read-only was proven on {primary} before all nodes had it"
                );
                return ReadOnlyExceptions;
            }
        );

    Task IEndpointActivities.ProveEndpointAsync(NodeId primary) =>
        DoAsync(
            primary,
            () =>
                Require(
                    _nodes[primary.Name] is { Role: NodeRole.Primary, Endpoint: EndpointRole.ReadWrite },
                    $"the endpoint was proven on {primary}, which is {_nodes[primary.Name].Role}"
                )
        );

    Task<int> IArchiveActivities.SalvageWalAsync(NodeId node) =>
        DoAsync(
            node,
            () =>
            {
                RequireContainer(node);
                return 1;
            }
        );

    Task IArchiveActivities.KeepArchiveAsync(NodeId node) => DoAsync(node, () => { });

    Task IArchiveActivities.PublishTimelineHistoryAsync(NodeId primary) =>
        DoAsync(
            primary,
            () =>
                Require(
                    _nodes[primary.Name].Role is NodeRole.Primary,
                    $"the history of {primary} was published before it was promoted"
                )
        );

    Task<int> IArchiveActivities.CompleteArchiveAsync(NodeId primary) => DoAsync(primary, () => 0);

    Task IArchiveActivities.ProveArchivingAsync(NodeId primary) => DoAsync(primary, () => { });

    Task<Loss> IArchiveActivities.MeasureLossAsync(NodeId old, Promotion promotion) =>
        DoAsync<Loss>(old, () => new(4096, 3));

    Task<Divergence> IDataDirectoryActivities.ExamineDivergenceAsync(NodeId node, NodeId primary) =>
        DoAsync(node, () => Divergence);

    Task<RewindResult> IDataDirectoryActivities.RewindDataAsync(NodeId node, NodeId primary) =>
        DoAsync(
            node,
            () =>
            {
                Require(_nodes[node.Name].Role is NodeRole.Stopped, $"{node} was rewound while it ran");
                return new RewindResult(Done: true, "Done!");
            }
        );

    Task IDataDirectoryActivities.CopyPrimaryAsync(NodeId node, NodeId primary) =>
        DoAsync(
            node,
            () =>
            {
                if (_nodes[node.Name].Role is not NodeRole.Stopped)
                {
                    throw TemporalFailures.Of(
                        Failure.Refuse($"the container {node.Container} is using {node}'s volume; stop it first")
                    );
                }

                if (_settings.TryGetValue(primary.Name, out var settings))
                {
                    _settings[node.Name] = settings;
                }
            }
        );

    Task IDataDirectoryActivities.SwapInCopyAsync(NodeId node) =>
        DoAsync(
            node,
            () =>
            {
                Require(_nodes[node.Name].Role is NodeRole.Stopped, $"{node}'s data was swapped while it ran");
                Set(node, state => state with { StandbySignal = true });
            }
        );

    Task IDataDirectoryActivities.SwapBackAsync(NodeId node) =>
        DoAsync(
            node,
            () => Require(_nodes[node.Name].Role is NodeRole.Stopped, $"{node}'s data was swapped back while it ran")
        );

    async Task<HeldLease?> ILeaseActivities.DescribeLeaseAsync(ClusterName cluster, LeaseKind kind)
    {
        await DoAsync(null, () => { });
        try
        {
            var lease = await _client.GetWorkflowHandle(ClusterLease.IdOf(cluster, kind)).DescribeAsync();
            if (lease.Status is not WorkflowExecutionStatus.Running)
            {
                return null;
            }

            var holder = await _client.GetWorkflowHandle(lease.ParentId!, lease.ParentRunId).DescribeAsync();
            if (holder.Status is WorkflowExecutionStatus.Running)
            {
                return new(
                    cluster,
                    kind,
                    holder.WorkflowType,
                    holder.Id,
                    holder.StartTime,
                    "somebody",
                    holder.TypedSearchAttributes.Get(Attributes.Outcome)
                );
            }

            await _client.GetWorkflowHandle(lease.Id, lease.RunId).TerminateAsync("its procedure was reset");
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound) { }

        return null;
    }

    async Task<string?> ILeaseActivities.TakeOverLeaseAsync(
        ClusterName cluster,
        LeaseKind kind,
        string from,
        Yielding decision
    )
    {
        await DoAsync(from, () => { });
        await _client.GetWorkflowHandle(from).ExecuteUpdateAsync("yield", [decision]);
        await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(() =>
            _client.GetWorkflowHandle(from).GetResultAsync()
        );
        return "it has yielded";
    }

    Task<string?> ILeaseActivities.EndBackupAsync(ClusterName cluster) => DoAsync<string?>(null, () => null);

    Task<EarlierRun?> ILeaseActivities.LeaveEarlierRunAsync(ClusterName cluster, LeaseKind kind) =>
        DoAsync<EarlierRun?>(null, () => null);

    Task<string> ILeaseActivities.FindStarterAsync() => DoAsync(null, () => "unknown (Web UI)");

    Task<HumanAct> ILeaseActivities.FindCancelAsync() => new LeaseActivities(null!, new()).FindCancelAsync();

    Task ILedgerActivities.RecordProcedureAsync(Report report) => DoAsync(null, () => Ledger.Enqueue(report));

    Task ILedgerActivities.RecordDecisionAsync(Report report) => DoAsync(null, () => Ledger.Enqueue(report));

    Task ILedgerActivities.RecordTimelineAsync(TimelineOpened opened) => DoAsync(opened.Node, () => { });

    Task ILedgerActivities.CompleteLedgerAsync(
        ClusterName cluster,
        IReadOnlyList<TimelineOpened> openings,
        IReadOnlyList<RestorePoint> points
    ) =>
        DoAsync(
            null,
            () =>
            {
                Require(
                    openings.All(opening => opening.Procedure.Length > 0),
                    "an opening does not say which workflow wrote it"
                );
                Past = Past with
                {
                    Branches =
                    [
                        .. Past.Branches.Select(branch =>
                            branch with
                            {
                                Opening =
                                    branch.Opening
                                    ?? openings.FirstOrDefault(opening => opening.Timeline == branch.Timeline),
                            }
                        ),
                    ],
                    RestorePoints = [.. Past.RestorePoints, .. points],
                };
                Unrecorded = new() { Unknown = Unrecorded.Unknown };
            }
        );

    Task<IReadOnlyList<string>> ILedgerActivities.ProveLedgerAsync(
        ClusterName cluster,
        IReadOnlyList<Timeline> openings,
        IReadOnlyList<string> points
    ) =>
        DoAsync(
            null,
            () =>
                (IReadOnlyList<string>)
                    [
                        .. openings
                            .Where(timeline =>
                                Past.Branches.All(branch => branch.Timeline != timeline || branch.Opening is null)
                            )
                            .Select(timeline => $"timeline {timeline}"),
                        .. points.Except(Past.RestorePoints.Select(point => point.Name)),
                    ]
        );

    Task<RestorePoint?> ILedgerActivities.FindRestorePointAsync(ClusterName cluster, string name) =>
        DoAsync(name, () => _points.GetValueOrDefault(name));

    Task ILedgerActivities.RecordRestorePointAsync(ClusterName cluster, RestorePoint point) =>
        DoAsync(point.Name, () => _points.Add(point.Name, point));

    Task<RestorePoint> INodeActivities.CreateRestorePointRecordAsync(NodeId primary, string name) =>
        DoAsync(
            primary,
            () =>
                new RestorePoint(
                    name,
                    _nodes[primary.Name].Timeline!.Value,
                    _nodes[primary.Name].Wal!.Value,
                    DateTimeOffset.UnixEpoch
                )
        );

    /// <summary>What the last commits of a primary waited for.</summary>
    private static string? EarlierThan(NodeSettings settings, NodeState state)
    {
        string[] former = [.. state.EarlierStandbyNames?.Split(';') ?? [], state.SynchronousStandbyNames];
        return
            settings is not { Upstream: null, Recovery: null }
            || state is { Role: NodeRole.Standby } or { Container: "created" }
            ? null
            : DemandChange.Of(Demand.Parse(settings.SynchronousStandbyNames), former).Kept;
    }

    private void Vanish()
    {
        _nodes.Clear();
        _spec = null;
    }

    private void Make(int nodes)
    {
        _spec = new(Cluster, "postgres:17", Postgres, ArchiveMode.External, "10.77.1.0/24", "ours", "10.78.1.9");
        foreach (var number in Enumerable.Range(1, nodes))
        {
            MakeNode(number, nodes);
        }
    }

    private void MakeNode(int number, int nodes)
    {
        var name = NodeName.Of(number);
        _upstream[name] = number == 1 ? null : NodeName.Of(1);
        _branch[name] = number == 1 ? null : new(1);
        _nodes[name] = new()
        {
            Id = new(Cluster, name),
            Role = number == 1 ? NodeRole.Primary : NodeRole.Standby,
            Container = "running",
            RestartPolicy = "unless-stopped",
            Address = $"10.77.1.{10 + number}",
            Endpoint = number == 1 ? EndpointRole.ReadWrite : EndpointRole.ReadOnly,
            SystemIdentifier = "7400000000000000001",
            Timeline = new(1),
            Wal = new(0x5000000),
            Replayed = number == 1 ? null : new(0x5000000),
            StandbySignal = number != 1,
            Slots =
                number == 1
                    ?
                    [
                        .. Enumerable
                            .Range(2, nodes - 1)
                            .Select(other => new Slot($"p{other}", Active: true, "reserved")),
                    ]
                    : [],
        };
    }

    private Follower[] FollowersOf(NodeState primary) =>
        [
            .. _nodes
                .Values.Where(node => node.Role is NodeRole.Standby && _upstream[node.Id.Name] == primary.Id.Name)
                .Select(node => new Follower(
                    node.Id.ToString(),
                    "streaming",
                    node.Replayed,
                    primary.Wal!.Value.BytesSince(node.Wal!.Value),
                    "async",
                    0
                )),
        ];

    private void Mark(NodeId node) => Set(node, state => state with { StandbySignal = true });

    private void Run(NodeId node, NodeRole role)
    {
        Require(
            role is NodeRole.Standby || !_nodes.Values.Any(other => other.Id != node && other.Role is NodeRole.Primary),
            $"{node} became a second writable node"
        );
        Set(
            node,
            state =>
                state with
                {
                    Role = role,
                    Container = "running",
                    RestartPolicy = "unless-stopped",
                    Replayed = role is NodeRole.Standby ? state.Wal : null,
                }
        );
    }

    private void RequireContainer(NodeId node) =>
        Require(_nodes[node.Name].Role is not NodeRole.Missing, $"{node} has no container");

    private void Set(NodeId node, Func<NodeState, NodeState> change) => _nodes[node.Name] = change(_nodes[node.Name]);
}

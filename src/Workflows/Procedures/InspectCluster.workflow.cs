using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What InspectCluster takes.</summary>
public sealed record InspectClusterInput : ProcedureInput;

/// <summary>Looks at a cluster and says what is wrong with it. Takes no lease and changes nothing.</summary>
[Workflow]
public sealed class InspectCluster : Procedure
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public async Task<Inspection> RunAsync(InspectClusterInput? input = null)
    {
        var cluster = BeginReadOnly(input ?? new());
        var (looking, reading) = (Clusters.ObserveAsync(cluster), ReadArchiveAsync(cluster));
        var (state, archive) = (await looking, await reading);
        Show(state.Exists ? ProcedureStatus.Succeeded : ProcedureStatus.Refused);
        return await Proposals.AskedAsync(Inspection.Of(state.RequireExisting(), archive));
    }

    /// <summary>A repository that can't be read keeps nobody from seeing the nodes.</summary>
    private static async Task<ArchiveState> ReadArchiveAsync(ClusterName cluster)
    {
        try
        {
            return await Repositories.InspectAsync(cluster);
        }
        catch (ActivityFailureException e)
        {
            return new() { Unreadable = TemporalFailures.Why(e) };
        }
    }
}

/// <summary>A cluster and what is wrong with it.</summary>
/// <param name="Healthy">Nothing is wrong.</param>
/// <param name="Findings">What is wrong.</param>
/// <param name="State">The cluster.</param>
/// <param name="Archive">What its repository has for a recovery.</param>
public sealed record Inspection(
    bool Healthy,
    IReadOnlyList<Finding> Findings,
    ClusterState State,
    ArchiveState? Archive = null
)
{
    /// <summary>Judges what was observed.</summary>
    public static Inspection Of(ClusterState state, ArchiveState archive)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(archive);
        Finding[] findings =
        [
            .. DeviationsOf(state),
            .. state.Nodes.SelectMany(Checks.AccessTo),
            .. Checks.ChangedRoles(state.Primaries),
            .. state.Primaries.SelectMany(LostSlotsOf),
            .. Checks.TablespacesOf(state) is { } tablespaces
                ? [new(FindingCode.TablespacesOutside, Detail: tablespaces)]
                : Array.Empty<Finding>(),
            .. Checks.ConfigurationDrift(state.Nodes),
            .. Checks.SummarizersOf(state.Nodes),
            .. Checks.OutdatedIn(state),
            .. state.Primaries.SelectMany(Checks.ArchiverFindingsOf),
            .. FindingsOf(archive, state.Cluster),
        ];
        return new(findings.Length == 0, findings, state, archive);
    }

    /// <summary>In what the nodes and what belongs to them differ from what they should be.</summary>
    internal static IEnumerable<Finding> DeviationsOf(ClusterState state) =>
        (state.Primaries is [var primary] ? DeviationsFrom(primary, state) : WithoutPrimary(state)).Concat(
            ResourcesOf(state).Concat(LeftoversOf(state))
        );

    private static IEnumerable<Finding> LeftoversOf(ClusterState state) =>
        Membership
            .LeftoversOf(state)
            .Select(node => new Finding(FindingCode.NodeLeftBehind, node, Hint: Hint.RemoveNode(node)));

    private static IEnumerable<Finding> WithoutPrimary(ClusterState state)
    {
        yield return state.Primaries.Count == 0
            ? new(
                FindingCode.NoPrimary,
                Hint: state.Missing.Count > 0 ? Hint.Repair(state.Cluster) : Hint.Failover(state.Cluster)
            )
            : new(
                FindingCode.SplitBrain,
                Detail: $"{Checks.Names(state.Primaries)} all accept writes, the virtual IP is on {Holder(state)}",
                Hint: Hint.Rejoin(state.Cluster)
            );
        foreach (
            var node in state.Nodes.Where(node =>
                node.Role is NodeRole.Stopped or NodeRole.Unreachable or NodeRole.Missing
            )
        )
        {
            yield return node.Role is NodeRole.Missing
                ? Checks.ContainerMissing(node)
                : new(FindingCode.NodeUnavailable, node.Id, Checks.Describe(node));
        }
    }

    /// <summary>A node's volume is missed with its container only.</summary>
    private static IEnumerable<Finding> ResourcesOf(ClusterState state)
    {
        var ofNodes = state.Nodes.Select(node => node.Id.Container).ToHashSet();
        foreach (var resource in state.Resources)
        {
            var found = resource switch
            {
                { State: ResourceState.Missing, Kind: ResourceKind.Network }
                    when resource.Name == state.Spec?.ExternalNetwork && !state.Spec.OwnsExternalNetwork => new Finding(
                    FindingCode.ResourceMissing,
                    Detail: resource.ToString(),
                    Hint: new("PgFlow did not make it: make it again")
                ),
                { State: ResourceState.Missing } when !ofNodes.Contains(resource.Name) => new Finding(
                    FindingCode.ResourceMissing,
                    Detail: resource.ToString(),
                    Hint: Hint.Repair(state.Cluster)
                ),
                { State: ResourceState.Foreign, Uses: { } volume } when ofNodes.Contains(volume) => new(
                    FindingCode.ResourceForeign,
                    Detail: $"{resource} is not PgFlow's and uses volume {volume}",
                    Hint: new("remove it")
                ),
                { State: ResourceState.Foreign, Uses: null } => new(
                    FindingCode.ResourceForeign,
                    Detail: $"{resource} is not PgFlow's and has a name of this cluster's",
                    Hint: new("remove or rename it")
                ),
                _ => null,
            };
            if (found is not null)
            {
                yield return found with
                {
                    Subject = resource.Name,
                };
            }
        }
    }

    private static IEnumerable<Finding> DeviationsFrom(NodeState primary, ClusterState state)
    {
        if (state.EndpointHolder?.Id != primary.Id)
        {
            yield return new(FindingCode.EndpointMisplaced, primary.Id, Holder(state), Hint.Repair(state.Cluster));
        }

        foreach (
            var deviation in state.Nodes.SelectMany(node =>
                new ExpectedNode(node.Id, primary, state.Nodes).DeviationsOf(node)
            )
        )
        {
            yield return deviation;
        }
    }

    private static IEnumerable<Finding> LostSlotsOf(NodeState primary) =>
        primary
            .Slots.Where(slot => slot.Status is "lost" or "unreserved")
            .Select(slot => new Finding(
                FindingCode.SlotLost,
                primary.Id,
                $"{slot.Name} on {primary.Id} is {slot.Status}"
            )
            {
                Subject = slot.Name,
            });

    private static IEnumerable<Finding> FindingsOf(ArchiveState archive, ClusterName cluster)
    {
        foreach (
            var room in archive
                .Full.Select(space => Checks.RoomIn(space, FindingCode.VolumeFull))
                .Concat(archive.Low.Select(space => Checks.RoomIn(space, FindingCode.VolumeLow)))
        )
        {
            yield return room;
        }

        var take = Hint.Run("take one", nameof(TakeBackup), cluster);
        if (archive.Unreadable is { } why)
        {
            yield return new(FindingCode.RepositoryUnreadable, Detail: why);
        }
        else if (archive.Backup is not { } backup)
        {
            yield return archive.Live is { } live
                ? new(FindingCode.NoBackup, Detail: live.ToString(), Hint: take)
                : new(FindingCode.LiveTimelineUnknown, Hint: Hint.Run("look", nameof(InspectTimeline), cluster));
        }
        else if (archive.Missing is { } segment)
        {
            yield return new(
                FindingCode.WalMissing,
                Detail: $"{segment}, and with it what follows the last backup {backup.Id}",
                Hint: take with
                {
                    Text = "take another",
                }
            );
        }
    }

    private static string Holder(ClusterState state) => state.EndpointHolder?.Id.ToString() ?? "no node";
}

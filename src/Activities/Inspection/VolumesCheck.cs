using Docker.DotNet.Models;

namespace PgFlow.Activities.Inspection;

/// <summary>The volumes of all clusters have room.</summary>
internal sealed class VolumesCheck(DockerEngine docker, JobRunner jobs) : IWorkerCheck
{
    /// <summary>Below what every check has.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(6);

    public string What => "Volumes";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(InspectedHost host)
    {
        var volumes = (await docker.CallAsync((client, token) => client.Volumes.ListAsync(token))).Volumes ?? [];
        try
        {
            // the jobs of a storage that hangs are removed here, while somebody waits
            var spaces = await Task.WhenAll(
                    host.Nodes.DistinctBy(node => node.Id.Cluster).Select(node => SpacesAsync(node, volumes))
                )
                .WaitAsync(Limit, DockerEngine.ActivityToken);
            return spaces.Length > 0
                ? Judge(What, [.. spaces.SelectMany(cluster => cluster)])
                : [new(What, Ok: true, "there is no cluster here")];
        }
        finally
        {
            await jobs.RemoveOfActivityAsync();
        }
    }

    public static IReadOnlyList<CheckResult> Judge(string what, IReadOnlyList<VolumeSpace> spaces)
    {
        CheckResult[] low = [.. spaces.Select(FindingOf).OfType<Finding>().Select(found => Of(what, found))];
        return (low, spaces.MinBy(space => space.Free)) switch
        {
            ({ Length: > 0 }, _) => low,
            (_, { } least) =>
            [
                new(
                    what,
                    Ok: true,
                    $"the one with the least room, {least.Volume}, has {PgFlowText.Bytes(least.Free)} left"
                ),
            ],
            _ => [new(what, Ok: false, "none says how much room it has")],
        };
    }

    private static CheckResult Of(string what, Finding found) =>
        new(what, Ok: false, FindingText.Of(found), found.Hint);

    private static Finding? FindingOf(VolumeSpace space) =>
        space.IsFull(RepositoryActivities.DefaultSegmentSize) ? Checks.RoomIn(space, FindingCode.VolumeFull)
        : space.IsLow ? Checks.RoomIn(space, FindingCode.VolumeLow)
        : null;

    /// <summary>Those of a node's cluster, also where nothing runs: a server that has no room ends.</summary>
    private async Task<IEnumerable<VolumeSpace>> SpacesAsync(NodeContainer node, IEnumerable<VolumeResponse> volumes)
    {
        var ours = volumes.Where(volume => Labels.AreOf(node.Id.Cluster, volume.Labels));
        var found = await jobs.ResultAsync<FoundSpaces>(
            new(node.Made, "space", "volume-space")
            {
                Volumes = [.. ours.Select(volume => $"{volume.Name}:{Names.NodeVolumes}/{volume.Name}:ro")],
            }
        );
        return found.Spaces.Select(RepositoryActivities.SpaceOf);
    }

    /// <summary>The result of volume-space.</summary>
    /// <param name="Spaces">What the library's <c>space</c> says of each volume.</param>
    private sealed record FoundSpaces(IReadOnlyList<string> Spaces);
}

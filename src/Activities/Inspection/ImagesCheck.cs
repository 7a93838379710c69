namespace PgFlow.Activities.Inspection;

/// <summary>The images that nodes are of are there: a node is made again from its image's ID, whatever its name has
/// become.</summary>
internal sealed class ImagesCheck(DockerEngine docker) : IWorkerCheck
{
    public string What => "Images";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(InspectedHost host)
    {
        var images = host.Nodes.GroupBy(node => node.Docker.Image).ToList();
        var there = await Task.WhenAll(images.Select(image => docker.ImageIdAsync(image.Key)));
        return
        [
            .. Judge(
                What,
                [
                    .. images.Zip(
                        there,
                        (image, id) =>
                            new NodesImage(
                                image.First().Spec.Image,
                                image.Key,
                                [.. image.Select(node => node.Id.Container)],
                                id is not null
                            )
                    ),
                ]
            ),
        ];
    }

    public static IEnumerable<CheckResult> Judge(string what, IReadOnlyList<NodesImage> images)
    {
        NodesImage[] gone = [.. images.Where(image => !image.IsThere)];
        return gone.Length == 0
            ? [new(what, Ok: true, images.Count == 0 ? "no node needs one" : "those of all nodes are there")]
            : gone.Select(image => new CheckResult(
                what,
                Ok: false,
                $"{image.Name} ({image.Id}) is gone: {string.Join(", ", image.Nodes)} can't be made again",
                new($"load or pull {image.Name} again where it still is that image, or update the cluster to another")
            ));
    }
}

/// <summary>An image that nodes are of.</summary>
/// <param name="Name">What it was called when they were made.</param>
/// <param name="Id">Its ID.</param>
/// <param name="Nodes">Their containers.</param>
/// <param name="IsThere">Docker has it.</param>
internal sealed record NodesImage(string Name, string Id, IReadOnlyList<string> Nodes, bool IsThere);

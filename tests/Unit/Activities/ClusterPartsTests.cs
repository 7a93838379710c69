using System.Text.Json;
using Docker.DotNet.Models;
using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Activities;

public sealed class ClusterPartsTests
{
    private static readonly ClusterSpec Spec = Healthy().Spec!;

    [Fact]
    public void What_is_made_next_is_made_as_the_primary_was()
    {
        var parts = Parts(
            [Node(1, Spec, "sha256:old"), Node(2, Spec with { Image = "postgres:17.7" }, "sha256:new")],
            []
        );

        var ofSecond = parts.SpecLike(Healthy(2).Nodes[1])!;
        Assert.Equal(("postgres:17.7", "sha256:new"), (ofSecond.Image, ofSecond.ImageReference));
        Assert.Equal("sha256:old", parts.SpecLike(Healthy(2).Nodes[0])!.ImageReference);
        Assert.Equal(Spec, parts.SpecLike(primary: null));
        Assert.Equal(Spec, parts.SpecLike(Healthy().Nodes[2]));
    }

    [Fact]
    public void Where_only_volumes_are_left_the_latest_version_counts()
    {
        Assert.Equal("sha256:7", Parts([], [Volume(1, null), Volume(2, 7), Volume(3, 6)]).Spec!.ImageReference);
        Assert.Equal(Spec.Image, Parts([], [Volume(1, null)]).Spec!.ImageReference);
        Assert.Null(Parts([], []).Spec);
    }

    private static ClusterParts Parts(NodeContainer[] nodes, VolumeResponse[] volumes) =>
        new(Cluster, nodes, [], volumes, [], []);

    private static NodeContainer Node(int number, ClusterSpec spec, string image) =>
        new(new(Cluster, P(number)), new() { Image = image }, spec);

    private static VolumeResponse Volume(int number, int? minor)
    {
        var spec = minor is null
            ? Spec
            : Spec with
            {
                Postgres = Spec.Postgres with { Minor = minor, ImageId = $"sha256:{minor}" },
            };
        return new()
        {
            Name = $"pgflow-demo-p{number}",
            Labels = new Dictionary<string, string>
            {
                [Labels.Cluster] = $"{Cluster}",
                [Labels.Spec] = JsonSerializer.Serialize(spec, PgFlowJson.Options),
            },
        };
    }
}

using System.Net;
using Docker.DotNet;

namespace PgFlow.Activities.Docker;

/// <summary>The images that nodes are made from.</summary>
internal sealed class Images(DockerEngine docker, JobDocker jobDocker, JobRunner jobs, TimeLimits limits)
{
    private const int Oldest = 13;
    private const int Newest = 18;

    public async Task<PostgresInstallation> InspectAsync(ClusterName cluster, string image)
    {
        var id = await PullAsync(image);
        var any = new PostgresInstallation(0, "/usr/bin", 0, 0, ImageId: id);
        var spec = new ClusterSpec(cluster, image, any, default, "", "", "");
        var there = await ContentAsync(spec);
        static int Number(string text) => int.TryParse(text, out var number) ? number : -1;
        var found = new PostgresInstallation(
            Number(there.Major),
            there.Bin,
            Number(there.Uid),
            Number(there.Gid),
            int.TryParse(there.Minor, out var minor) ? minor : null,
            id
        );
        return found is { Major: >= Oldest and <= Newest, Uid: > 0 }
            ? found
            : throw Failure.Refuse(
                $"image: {image} has no PostgreSQL {Oldest} to {Newest} with a user postgres (found: "
                    + $"{(there.Bin.Length > 0 ? there : "no program postgres")})"
            );
    }

    /// <summary>Nothing of it is left: a plan asks too, and nobody else would remove its job.</summary>
    private async Task<ImageContent> ContentAsync(ClusterSpec spec)
    {
        try
        {
            return await jobs.ResultAsync<ImageContent>(new(spec, "image", "inspect-image") { AsRoot = true });
        }
        finally
        {
            await jobs.RemoveOfActivityAsync();
        }
    }

    /// <returns>The image's ID.</returns>
    private async Task<string> PullAsync(string image)
    {
        if (await docker.ImageIdAsync(image) is { } there)
        {
            return there;
        }

        if (image.StartsWith("sha256:", StringComparison.Ordinal))
        {
            throw Failure.Refuse($"image: Docker has no image {image}, and none can be pulled by its ID");
        }

        var pull = new PullProgress();
        try
        {
            var name = image.LastIndexOf(':') > image.LastIndexOf('/') ? image : $"{image}:latest";
            await jobDocker.ChangeAsync(
                (client, token) => client.Images.CreateImageAsync(new() { FromImage = name }, null, pull, token),
                limits.Pull
            );
        }
        catch (DockerApiException e)
        {
            throw PullProgress.FailureOf(image, e.StatusCode, Failures.MessageOf(e));
        }

        if (pull.Error is { } error)
        {
            throw PullProgress.FailureOf(image, HttpStatusCode.OK, error);
        }

        return await docker.ImageIdAsync(image) ?? throw Failure.Fail($"image: {image} was pulled and is not there");
    }
}

/// <summary>The result of inspect-image.</summary>
/// <param name="Bin">Where the program postgres is; empty where there is none.</param>
/// <param name="Major">Its version.</param>
/// <param name="Minor">What follows that.</param>
/// <param name="Uid">The user postgres; empty where there is none.</param>
/// <param name="Gid">Its group.</param>
internal sealed record ImageContent(string Bin, string Major, string Uid, string Gid, string Minor = "");

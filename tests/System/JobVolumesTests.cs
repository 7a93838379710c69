using Microsoft.Extensions.Options;

namespace PgFlow.SystemTests;

public sealed class JobVolumesTests
{
    /// <summary>A cluster is removed while somebody only looks at it.</summary>
    [Fact]
    public async Task One_that_is_removed_meanwhile_is_not_left_behind_as_an_empty_one()
    {
        var name = $"pgflow-test-{Guid.NewGuid():N}";
        var job = new JobSpec(Spec, "read", "read") { Volumes = [$"{name}:/pgflow:ro"] };
        using var docker = new DockerEngine(Options.Create(new ActivityHostOptions()), new());
        await Host.DockerAsync("volume", "create", "--label", "pgflow.cluster=test", name);
        try
        {
            var volumes = await JobVolumes.OfAsync(docker, job);
            await Host.DockerAsync("create", "--name", name, "-v", job.Volumes[0], Host.Image, "true");
            await volumes.RequireSameAsync(docker, name);

            await Host.DockerAsync("rm", "-f", name);
            await Host.DockerAsync("volume", "rm", name);
            await Host.DockerAsync("create", "--name", name, "-v", job.Volumes[0], Host.Image, "true");
            var refused = await Assert.ThrowsAsync<PgFlowException>(() => volumes.RequireSameAsync(docker, name));

            Assert.Equal($"read: there is no volume {name}", refused.Message);
            Assert.NotEqual(0, (await Host.TryDockerAsync("inspect", name)).Code);
        }
        finally
        {
            await Host.TryDockerAsync("rm", "-f", name);
            await Host.TryDockerAsync("volume", "rm", "-f", name);
        }
    }

    private static ClusterSpec Spec { get; } =
        new(
            ClusterName.Parse("test"),
            Host.Image,
            new(TestedPostgres.Major, TestedPostgres.Bin, 999, 999),
            ArchiveMode.External,
            "10.77.1.0/24",
            "lan",
            "10.0.0.9"
        );
}

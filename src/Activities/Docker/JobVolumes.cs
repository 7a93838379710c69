namespace PgFlow.Activities.Docker;

/// <summary>The volumes of a job. Docker makes one that is missing when it makes the container, without a label: an
/// empty one instead of the node's data.</summary>
/// <param name="Job">The job.</param>
/// <param name="Ours">Those that carry a cluster's label; a clone reads those of another one.</param>
internal sealed record JobVolumes(JobSpec Job, IReadOnlyList<string> Ours)
{
    /// <summary>Those that a job needs, which must be there.</summary>
    public static async Task<JobVolumes> OfAsync(DockerEngine docker, JobSpec job)
    {
        var names = job.Volumes.Select(volume => volume.Split(':')[0]).Distinct().ToList();
        var found = await Task.WhenAll(
            names.Select(name => docker.FindAsync((client, token) => client.Volumes.InspectAsync(name, token)))
        );
        var missing = names.Where((_, index) => found[index] is null).ToList();
        return missing.Count > 0
            ? throw Gone(job, missing)
            : new(job, [.. names.Where((_, index) => found[index]!.Labels?.ContainsKey(Labels.Cluster) is true)]);
    }

    /// <summary>Takes back what Docker has made because a volume was removed since it was looked for.</summary>
    public async Task RequireSameAsync(DockerEngine docker, string container)
    {
        var made = Ours.Except((await OfAsync(docker, Job)).Ours).ToList();
        if (made.Count == 0)
        {
            return;
        }

        await docker.Container(container).RemoveAsync();
        foreach (var volume in made)
        {
            await docker.ChangeAsync((client, token) => client.Volumes.RemoveAsync(volume, force: true, token));
        }

        throw Gone(Job, made);
    }

    private static PgFlowException Gone(JobSpec job, List<string> volumes) =>
        Failure.Refuse($"{job.Name}: there is no volume {string.Join(", ", volumes)}", Hint.Look(job.Spec.Cluster));
}

using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Docker.DotNet.Models;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;

namespace PgFlow.Activities.Docker;

/// <summary>Runs programs that need a stopped server, or a place of their own, in job containers.</summary>
/// <remarks>
/// A job belongs to one activity of one run. A retry of that activity finds the container, waits for it and reads its
/// end; it never starts a second one beside it.
/// One that was killed, by a signal or with the daemon, is repeated under the next number: every script starts from
/// whatever it finds.
/// </remarks>
internal sealed class JobRunner(DockerEngine docker, JobDocker jobDocker, TimeLimits limits)
{
    private const int MostKilled = 5;

    /// <summary>Programs write all values as texts.</summary>
    private static readonly JsonSerializerOptions Json = new(PgFlowJson.Options)
    {
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
    };

    /// <summary>What Docker may need to report a node's end after it was stopped.</summary>
    private static readonly TimeSpan Ending = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(15);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(150);

    /// <summary>The end of the job. One that failed before, in an earlier attempt, is repeated under the next
    /// number.</summary>
    /// <exception cref="PgFlowException">It was killed again and again.</exception>
    public async Task<JobEnd> RunAsync(JobSpec job)
    {
        var first = await NextAsync(job);
        for (var number = first; number < first + MostKilled; number++)
        {
            var name = NameOf(job, number);
            await BeginAsync(job, name);
            if (await EndAsync(job, name) is { } end)
            {
                return end;
            }
        }

        throw Failure.Stick($"the job {job.Name} was killed {MostKilled} times; see docker logs {NameOf(job, first)}");
    }

    /// <summary>Lets a job begin that another activity of this run will wait for.</summary>
    public Task BeginAsync(JobSpec job) => BeginAsync(job, NameOf(job, 1));

    /// <summary>The end of a job that must succeed.</summary>
    public async Task<JobEnd> RunToSuccessAsync(JobSpec job)
    {
        var end = await RunAsync(job);
        return end.ExitCode == 0 ? end : throw end.FailureOf(job.Name);
    }

    /// <summary>The result of a job that must succeed.</summary>
    public async Task<T> ResultAsync<T>(JobSpec job) => await ResultOfAsync<T>(await RunToSuccessAsync(job));

    /// <summary>What the program of a job wrote: from its container, whatever the daemon does with logs.</summary>
    public async Task<T> ResultOfAsync<T>(JobEnd end) =>
        await jobDocker.Container(end.Container).ReadFileAsync($"{Names.Job}/result.json") is { } result
            // a server's words may be in any encoding
            ? JsonSerializer.Deserialize<T>(Encoding.UTF8.GetString(result), Json)!
            : throw new IOException($"{end.Container} has left no result: {end.Tail}");

    /// <summary>A container for several short programs, since to start one takes longer than most questions. It goes
    /// with <see cref="RemoveOfActivityAsync"/>, which also comes first.</summary>
    public async Task<OpenJob> OpenAsync(JobSpec job, IEnumerable<string> programs)
    {
        await RemoveOfActivityAsync();
        var name = NameOf(job, 1);
        await StartAsync(job with { Program = "wait", Further = [.. programs] }, name);
        return new(jobDocker.Container(name), job.Spec.Postgres, limits);
    }

    /// <summary>Removes the jobs of this activity: those of an activity that only reads are of no use afterwards, nor
    /// to a retry.</summary>
    public async Task RemoveOfActivityAsync()
    {
        var info = ActivityExecutionContext.Current.Info;
        await RemoveAsync(Labels.Filter((Labels.Run, info.WorkflowRunId!)), $"{info.WorkflowRunId}-{info.ActivityId}-");
    }

    /// <summary>Removes the jobs of a run.</summary>
    public Task RemoveOfRunAsync(string run) => RemoveAsync(Labels.Filter((Labels.Run, run)));

    /// <summary>Removes the jobs of runs that do not run any more: somebody terminated them. Those of backups and
    /// verifications that work beside stay.</summary>
    public async Task RemoveLeftAsync(ClusterName cluster)
    {
        var jobs = await docker.CallAsync(
            (client, token) =>
                client.Containers.ListContainersAsync(
                    new()
                    {
                        All = true,
                        Filters = Labels.Filter(
                            (Labels.Cluster, cluster),
                            (Labels.CreatedBy, null),
                            (Labels.Run, null)
                        ),
                    },
                    token
                )
        );
        foreach (var run in jobs.GroupBy(job => (Workflow: job.Labels[Labels.CreatedBy], Run: job.Labels[Labels.Run])))
        {
            if (!await RunsAsync(run.Key.Workflow, run.Key.Run))
            {
                await Task.WhenAll(run.Select(job => jobDocker.Container(job.ID).RemoveAsync()));
            }
        }
    }

    /// <summary>Ends the jobs that work on a node's data and that are not this activity's, and refuses while anything
    /// else uses its volume.</summary>
    /// <remarks>PostgreSQL can't see another container on its directory: two postmasters on one volume would both
    /// accept writes.</remarks>
    public async Task EnsureExclusiveVolumeAsync(NodeId node)
    {
        var info = ActivityExecutionContext.Current.Info;
        var users = await docker.CallAsync(
            (client, token) =>
                client.Containers.ListContainersAsync(
                    new()
                    {
                        Filters = new Dictionary<string, IDictionary<string, bool>>
                        {
                            ["volume"] = new Dictionary<string, bool> { [node.Container] = true },
                        },
                    },
                    token
                )
        );
        string[] mine = [$"{info.WorkflowRunId}-{info.ActivityId}-", $"{info.WorkflowRunId}-{JobSpec.BesideData}-"];
        foreach (
            var user in users.Where(user =>
                !user.Labels.TryGetValue(Labels.Job, out var job)
                || !mine.Any(key => job.StartsWith(key, StringComparison.Ordinal))
            )
        )
        {
            if (!user.Labels.ContainsKey(Labels.Job))
            {
                if (await docker.Container(user.ID).EndedAsync(Ending) || await EndStoppedAsync(node, user.ID))
                {
                    continue;
                }

                throw Failure.Refuse(
                    $"the container {user.Names[0].TrimStart('/')} is using {node}'s volume; stop it first"
                );
            }

            await docker.Container(user.ID).RemoveAsync();
        }
    }

    /// <summary>Ends a node that a procedure has stopped, if somebody has started it by hand.</summary>
    private async Task<bool> EndStoppedAsync(NodeId node, string user)
    {
        var found = await docker.Container(user).InspectAsync();
        if (found?.Name != $"/{node.Container}" || found.HostConfig?.RestartPolicy?.Name is not RestartPolicyKind.No)
        {
            return false;
        }

        return await docker.Container(user).StopFastAsync(limits.FastStop)
            ? true
            : throw new TimeoutException($"{node}, which somebody has started, does not end after its fast stop");
    }

    private async Task RemoveAsync(Dictionary<string, IDictionary<string, bool>> filter, string key = "")
    {
        var jobs = await docker.CallAsync(
            (client, token) => client.Containers.ListContainersAsync(new() { All = true, Filters = filter }, token)
        );
        await Task.WhenAll(
            jobs.Where(job => job.Labels[Labels.Job].StartsWith(key, StringComparison.Ordinal))
                .Select(job => jobDocker.Container(job.ID).RemoveAsync())
        );
    }

    private static async Task<bool> RunsAsync(string workflow, string run)
    {
        try
        {
            var found = await ActivityExecutionContext
                .Current.TemporalClient.GetWorkflowHandle(workflow, run)
                .DescribeAsync();
            return found.Status is WorkflowExecutionStatus.Running;
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return false;
        }
    }

    private Task<ContainerInspectResponse?> FindAsync(string name) => docker.Container(name).InspectAsync();

    private static string NameOf(JobSpec job, int number)
    {
        var run = Names.ShortRun(ActivityExecutionContext.Current.Info.WorkflowRunId!);
        return $"pgflow-{job.Spec.Cluster}-job-{job.Name}-{run}-{OwnerOf(job)}-{number}";
    }

    private static string OwnerOf(JobSpec job) =>
        job.Beside ? JobSpec.BesideData : ActivityExecutionContext.Current.Info.ActivityId;

    /// <summary>The number of the job that runs, has succeeded, or was not begun yet.</summary>
    private async Task<int> NextAsync(JobSpec job)
    {
        for (var number = 1; ; number++)
        {
            if (
                await FindAsync(NameOf(job, number))
                is not { State: { Running: false, Status: not "created", ExitCode: not 0 } }
            )
            {
                return number;
            }
        }
    }

    private async Task BeginAsync(JobSpec job, string name)
    {
        if (await FindAsync(name) is null or { State.Status: "created" })
        {
            await jobDocker.Container(name).RemoveAsync();
            await StartAsync(job, name);
        }
    }

    /// <summary>A container that never runs: a place to read the files of volumes from. It goes with
    /// <see cref="RemoveOfActivityAsync"/>.</summary>
    public async Task<ContainerRef> PlaceAsync(JobSpec job)
    {
        var name = NameOf(job, 1);
        await CreateAsync(job, name);
        return jobDocker.Container(name);
    }

    private async Task StartAsync(JobSpec job, string name)
    {
        await CreateAsync(job, name);
        if (job.Files.Count > 0)
        {
            await jobDocker
                .Container(name)
                .WriteFilesAsync([ContainerFile.Folder(Names.Job, job.Spec.Postgres), .. job.Files]);
        }

        await jobDocker.Container(name).StartAsync();
    }

    private async Task CreateAsync(JobSpec job, string name)
    {
        if (job.Changes)
        {
            await Permit.RequireAsync();
        }

        var volumes = await JobVolumes.OfAsync(docker, job);
        var info = ActivityExecutionContext.Current.Info;
        var key = $"{info.WorkflowRunId}-{OwnerOf(job)}-{job.Name}";
        var labels = await Labels.OfAsync(job.Spec.Cluster, (Labels.Job, key), (Labels.Run, info.WorkflowRunId ?? ""));
        await jobDocker.ChangeAsync(
            (client, token) =>
                client.Containers.CreateContainerAsync(
                    new()
                    {
                        Name = name,
                        Image = job.Spec.ImageReference,
                        Entrypoint = ["/bin/sh", "-c", Embedded.Read("begin"), job.Program],
                        Cmd = [],
                        User = job.AsRoot ? "0:0" : $"{job.Spec.Postgres.Uid}:{job.Spec.Postgres.Gid}",
                        Env =
                        [
                            $"PATH={job.Spec.Postgres.Bin}:/usr/local/sbin:/usr/local/bin:"
                                + "/usr/sbin:/usr/bin:/sbin:/bin",
                            "LC_ALL=C",
                            .. Names.Environment,
                            $"PROGRAMS={job.Programs}",
                            .. job.Parameters,
                        ],
                        Labels = labels,
                        Healthcheck = new() { Test = ["NONE"] },
                        HostConfig = new()
                        {
                            Init = true,
                            Binds = [.. job.Volumes],
                            NetworkMode = job.Network ?? "none",
                            ShmSize = 256 * 1024 * 1024,
                            // the daemon's own may be one that can't be read, and failures are explained by it
                            LogConfig = new() { Type = "json-file" },
                        },
                    },
                    token
                )
        );
        await volumes.RequireSameAsync(jobDocker, name);
    }

    /// <summary>Waits for the end; null where the job was killed.</summary>
    private async Task<JobEnd?> EndAsync(JobSpec job, string name)
    {
        for (var wait = Poll; ; wait = wait * 1.5 < LongestPoll ? wait * 1.5 : LongestPoll)
        {
            var container = await FindAsync(name) ?? throw new IOException($"the job container {name} is gone");
            if (container.State is { Running: false, Status: not "created" })
            {
                return container.State.ExitCode > 125
                    ? null
                    : new((int)container.State.ExitCode, name, await docker.Container(name).OfLogAsync(200));
            }

            if (wait == LongestPoll)
            {
                ProgressReporter.OfProgram(job.Name, JobEnd.LastLine(await docker.Container(name).OfLogAsync(1)));
            }

            await Task.Delay(wait, DockerEngine.ActivityToken);
        }
    }
}

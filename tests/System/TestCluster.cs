using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.SystemTests;

/// <summary>A real cluster under a name of its own, with workers of its own; nothing of it stays, also after a
/// failure.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly ITemporalClient _client;
    private readonly List<WorkerProcess> _workers = [];

    private TestCluster(ITemporalClient client)
    {
        _client = client;
        var id = Guid.NewGuid().ToString("N")[..6];
        Name = ClusterName.Parse($"t-{id}");
        var subnet = Convert.ToInt32(id[..4], 16);
        (Network, Subnet) = ($"pgflow-test-{id}", $"10.{200 + (subnet % 50)}.{subnet / 50 % 250}");
    }

    public ClusterName Name { get; }

    /// <summary>The clients' network, made by the test as an internal one.</summary>
    public string Network { get; }

    public string Vip => $"{Subnet}.10";

    public WorkerProcess Worker => _workers[^1];

    public string Subnet { get; }

    public static async Task<TestCluster> CreateAsync(
        ITemporalClient client,
        int nodes = 2,
        string? image = null,
        bool sync = false,
        ArchiveMode archive = ArchiveMode.External,
        string? golden = null
    )
    {
        var cluster = await NoneAsync(client);
        try
        {
            await cluster.RunAsync(
                (InitCluster procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Nodes = nodes,
                            Image = image ?? Host.Image,
                            Sync = sync,
                            Archive = archive,
                            ExternalNetwork = cluster.Network,
                            Vip = cluster.Vip,
                        }
                    ),
                golden
            );
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A name, a worker and a network for one that the test makes itself.</summary>
    public static async Task<TestCluster> NoneAsync(ITemporalClient client)
    {
        var cluster = new TestCluster(client);
        try
        {
            cluster.StartWorker();
            await cluster.CreateNetworkAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A cluster of two whose primary p1 was killed and whose standby p2 took over.</summary>
    public static async Task<TestCluster> LostAsync(ITemporalClient client)
    {
        var cluster = await CreateAsync(client);
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await FailoverTests.FailOverAsync(cluster);
        return cluster;
    }

    /// <summary>A name and a network for another cluster of the same workers.</summary>
    public async Task<TestCluster> SiblingAsync()
    {
        var sibling = new TestCluster(_client);
        await sibling.CreateNetworkAsync();
        return sibling;
    }

    public NodeId Node(int number) => new(Name, NodeName.Of(number));

    public WorkerProcess StartWorker(
        string? folder = null,
        string[]? arguments = null,
        params (string Name, string Value)[] environment
    )
    {
        _workers.Add(WorkerProcess.Start(_client, folder, arguments, environment));
        return Worker;
    }

    public Task<WorkflowHandle<T, Report>> StartAsync<T>(
        System.Linq.Expressions.Expression<Func<T, Task<Report>>> run,
        string? id = null
    ) => _client.StartWorkflowAsync(run, new(id ?? $"{typeof(T).Name}-{Name}-{Guid.NewGuid():N}", "pgflow"));

    public async Task<Report> RunAsync<T>(
        System.Linq.Expressions.Expression<Func<T, Task<Report>>> run,
        string? golden = null
    ) => await ReportAsync(await StartAsync(run), golden);

    /// <summary>The report of a success; another end fails with its whole report.</summary>
    public static async Task<Report> ReportAsync<T>(WorkflowHandle<T, Report> handle, string? golden = null)
    {
        try
        {
            var report = await handle.GetResultAsync();
            await Golden.KeepAsync(golden, handle);
            return report;
        }
        catch (WorkflowFailedException e)
        {
            throw new InvalidOperationException($"{handle.Id}: {e.InnerException?.Message}\n{ReportOf(e)}", e);
        }
    }

    /// <summary>The type and the report of an end that must be a failure.</summary>
    public static async Task<(string? Type, Report? Report, string Message)> FailureAsync(WorkflowHandle handle)
    {
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync());
        var cause = Assert.IsType<ApplicationFailureException>(failed.InnerException);
        return (cause.ErrorType, ReportOf(failed), cause.Message);
    }

    /// <summary>Waits until the step <paramref name="id"/> is in that state.</summary>
    public static Task StepAsync(WorkflowHandle handle, string id, StepState state) =>
        Host.UntilAsync(
            $"{id}: {state}",
            async () =>
            {
                try
                {
                    var progress = await handle.QueryAsync<ProcedureProgress>(
                        "progress",
                        [],
                        new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(2) } }
                    );
                    return progress.Steps.Any(step => step.Id == id && step.State == state);
                }
                catch (RpcException)
                {
                    return false;
                }
            }
        );

    /// <summary>Waits until an activity of that type has begun: by the history, since a short one is over before a
    /// description shows it.</summary>
    public static async Task ActivityAsync(WorkflowHandle handle, string type)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await foreach (
            var happened in handle.FetchHistoryEventsAsync(
                new()
                {
                    WaitNewEvent = true,
                    Rpc = new() { CancellationToken = limit.Token },
                }
            )
        )
        {
            if (happened.ActivityTaskScheduledEventAttributes?.ActivityType.Name == type)
            {
                return;
            }
        }

        Assert.Fail($"{handle.Id} ended without {type}");
    }

    /// <summary>Waits until a worker works on an activity of that type, for the so manieth time.</summary>
    public Task WorkedOnAsync(WorkflowHandle handle, string type, int attempt = 1) =>
        Host.UntilAsync(
            $"{type} is worked on",
            async () =>
            {
                var described = await _client.WorkflowService.DescribeWorkflowExecutionAsync(
                    new()
                    {
                        Namespace = _client.Options.Namespace,
                        Execution = new() { WorkflowId = handle.Id },
                    }
                );
                return described.PendingActivities.Any(activity =>
                    activity.ActivityType.Name == type
                    && activity.Attempt >= attempt
                    && activity.State is PendingActivityState.Started
                );
            }
        );

    /// <summary>Why the last attempt of an activity failed that is tried again; nothing where none did.</summary>
    public async Task<string> LastFailureAsync(WorkflowHandle handle, string type)
    {
        var described = await _client.WorkflowService.DescribeWorkflowExecutionAsync(
            new()
            {
                Namespace = _client.Options.Namespace,
                Execution = new() { WorkflowId = handle.Id },
            }
        );
        return described
                .PendingActivities.FirstOrDefault(activity => activity.ActivityType.Name == type)
                ?.LastFailure?.Message
            ?? "";
    }

    /// <summary>An activity was lost with its worker, and done by another attempt of that one.</summary>
    /// <returns>When it was done.</returns>
    public static async Task<DateTime> RedoneAsync(WorkflowHandle handle, string type, WorkerProcess by)
    {
        var history = (await handle.FetchHistoryAsync()).Events;
        var scheduled = history
            .First(item => item.ActivityTaskScheduledEventAttributes?.ActivityType.Name == type)
            .EventId;
        var started = history
            .Single(item => item.ActivityTaskStartedEventAttributes?.ScheduledEventId == scheduled)
            .ActivityTaskStartedEventAttributes;
        Assert.Equal(TimeoutType.Heartbeat, started.LastFailure?.TimeoutFailureInfo?.TimeoutType);
        Assert.True(started.Attempt > 1);
        Assert.EndsWith($":{by.Id}", started.Identity, StringComparison.Ordinal);
        return history
            .Single(item => item.ActivityTaskCompletedEventAttributes?.ScheduledEventId == scheduled)
            .EventTime.ToDateTime();
    }

    /// <summary>Does something to a job as soon as it runs.</summary>
    /// <returns>Its container.</returns>
    public async Task<string> OnJobAsync(string job, string command)
    {
        var container = "";
        await Host.UntilAsync(
            $"{command} of {job}",
            async () =>
                (container = await Host.DockerAsync("ps", "-q", "--filter", $"name=pgflow-{Name}-job-{job}")).Length > 0
                && (await Host.TryDockerAsync(command, container)).Code == 0
        );
        return container;
    }

    /// <summary>Lets nobody copy a backup out of the repository, until the container that is returned is
    /// removed.</summary>
    public async Task<string> HoldBackupsAsync()
    {
        string[] inRepository =
        [
            "run",
            "--network",
            "none",
            "--label",
            $"pgflow.cluster={Name}",
            "-v",
            $"pgflow-{Name}-repository:/repository",
            "--entrypoint",
            "flock",
        ];
        var container = await Host.DockerAsync([
            .. inRepository,
            "-d",
            Host.Image,
            "-x",
            "/repository/backups",
            "sleep",
            "600",
        ]);
        await Host.UntilAsync(
            "the backups are held",
            async () =>
                (
                    await Host.TryDockerAsync([
                        .. inRepository,
                        "--rm",
                        Host.Image,
                        "-n",
                        "-s",
                        "/repository/backups",
                        "true",
                    ])
                ).Code == 1
        );
        return container;
    }

    /// <summary>The ID of the workflow that made it.</summary>
    public async Task<string> CreatedByAsync() =>
        (
            await Host.DockerAsync("inspect", "-f", "{{index .Config.Labels \"pgflow.created-by\"}}", Node(1).Container)
        ).Trim();

    /// <summary>The password of a role, as the worker keeps it.</summary>
    public string PasswordOf(string role) =>
        File.ReadLines(Path.Combine(WorkerProcess.Secrets, $"{Name}.pgpass"))
            .Single(line => line.Contains($":{role}:", StringComparison.Ordinal))
            .Split(':')[4];

    /// <summary>A session as PgFlow's own role, over the internal network.</summary>
    public async Task<Npgsql.NpgsqlConnection> OpenAsync(NodeId node)
    {
        var address = await Host.DockerAsync(
            "inspect",
            "-f",
            $"{{{{(index .NetworkSettings.Networks \"pgflow-{Name}-internal\").IPAddress}}}}",
            node.Container
        );
        var session = new Npgsql.NpgsqlConnection(
            $"Host={address.Trim()};Username=pgflow;Password={PasswordOf("pgflow")};Database=postgres;Pooling=false"
        );
        await session.OpenAsync();
        return session;
    }

    /// <summary>SQL on a node's own socket, as its superuser.</summary>
    public static Task<string> SqlAsync(NodeId node, string sql, string database = "app") =>
        Host.DockerAsync(
            "exec",
            "-u",
            "postgres",
            node.Container,
            "sh",
            "-c",
            $"PATH=$PATH:{TestedPostgres.Bin} psql -XAtq -v ON_ERROR_STOP=1 "
                + $"{(database.Length > 0 ? $"-d {database}" : "")} -c \"{sql}\""
        );

    public async Task<Inspection> InspectAsync(string? golden = null)
    {
        var handle = await _client.StartWorkflowAsync(
            (InspectCluster procedure) => procedure.RunAsync(new() { Cluster = Name }),
            new($"inspect-{Name}-{Guid.NewGuid():N}", "pgflow")
        );
        var inspection = await handle.GetResultAsync();
        await Golden.KeepAsync(golden, handle);
        return inspection;
    }

    public async Task<TimelineTree> TimelineAsync() =>
        await (
            await _client.StartWorkflowAsync(
                (InspectTimeline procedure) => procedure.RunAsync(new() { Cluster = Name }),
                new($"timeline-{Name}-{Guid.NewGuid():N}", "pgflow")
            )
        ).GetResultAsync();

    /// <summary>The whole cluster is well: one primary that holds the endpoint, every other node streams from
    /// it.</summary>
    public async Task<ClusterState> HealthyAsync(NodeId primary, int timeline, string? golden = null)
    {
        var inspection = await InspectAsync(golden);
        Assert.True(inspection.Healthy, string.Join("\n", inspection.Findings.Select(FindingText.Of)));
        Assert.Equal(primary, Assert.Single(inspection.State.Primaries).Id);
        Assert.Equal(primary, inspection.State.EndpointHolder!.Id);
        Assert.All(inspection.State.Nodes, node => Assert.Equal((uint)timeline, node.Timeline!.Value.Number));
        await RestartedByDockerAsync(inspection.State);
        return inspection.State;
    }

    /// <summary>Docker starts every node again after a crash or a reboot, by Docker's own word.</summary>
    private static async Task RestartedByDockerAsync(ClusterState state)
    {
        var policies = await Host.DockerAsync([
            "inspect",
            "-f",
            "{{.Name}} {{.HostConfig.RestartPolicy.Name}}",
            .. state.Nodes.Select(node => node.Id.Container),
        ]);
        Assert.All(
            policies.Split('\n'),
            policy => Assert.EndsWith(" unless-stopped", policy, StringComparison.Ordinal)
        );
    }

    /// <summary>What must be the same before and after something that was refused: what each node is, since when it
    /// runs, which backups and timelines there are.</summary>
    public async Task<string> SnapshotAsync()
    {
        var nodes = (await InspectAsync()).State.Nodes.Select(node =>
            node with
            {
                Wal = null,
                Replayed = null,
                Followers = [],
                Archiver = null,
            }
        );
        var containers = await Host.DockerAsync([
            "inspect",
            "-f",
            "{{.State.Status}} {{.State.StartedAt}}",
            .. nodes.Select(node => node.Id.Container),
        ]);
        var repository = await Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            $"pgflow-{Name}-repository:/r:ro",
            "--entrypoint",
            "ls",
            Host.Image,
            "/r/backups",
            "/r/timelines"
        );
        return $"{System.Text.Json.JsonSerializer.Serialize(nodes, PgFlowJson.Options)}\n{containers}\n{repository}";
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers)
        {
            worker.Dispose();
        }

        foreach (var container in await AllAsync("ps", "-aq"))
        {
            await Host.TryDockerAsync("rm", "-fv", container);
        }

        foreach (var volume in await AllAsync("volume", "ls", "-q"))
        {
            await Host.TryDockerAsync("volume", "rm", "-f", volume);
        }

        foreach (var network in (await AllAsync("network", "ls", "-q")).Append(Network))
        {
            await Host.TryDockerAsync("network", "rm", network);
        }

        await EndRunsAsync();
    }

    /// <summary>Ends what a test has left open (its witness, what waits for a person): the next one's workers would go
    /// on with it.</summary>
    private async Task EndRunsAsync()
    {
        var left = _client.ListWorkflowsAsync($"{Attributes.Cluster.Name} = '{Name}' AND ExecutionStatus = 'Running'");
        await foreach (var run in left)
        {
            try
            {
                await _client.GetWorkflowHandle(run.Id, run.RunId).TerminateAsync("its test is over");
            }
            catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
            {
                // it has ended this moment
            }
        }
    }

    /// <summary>Everything that there is under the cluster's names and labels, with the content of its volumes and
    /// secrets.</summary>
    public async Task<string> InventoryAsync()
    {
        var lines = new List<string>();
        foreach (var container in await AllAsync("ps", "-aq", "--no-trunc"))
        {
            lines.Add(
                await Host.DockerAsync(
                    "inspect",
                    "-f",
                    "{{.Name}} {{.Id}} {{.State.StartedAt}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}}",
                    container
                )
            );
            lines.AddRange(
                (await Host.DockerAsync("diff", container)).Split('\n').Select(change => $"{container} {change}")
            );
        }

        foreach (var volume in await AllAsync("volume", "ls", "-q"))
        {
            lines.Add(
                $"{await Host.DockerAsync("volume", "inspect", "-f", "{{.Name}} {{.Labels}}", volume)} "
                    + $"{await ContentAsync(volume)}"
            );
        }

        foreach (var network in await AllAsync("network", "ls", "-q", "--no-trunc"))
        {
            lines.Add(await Host.DockerAsync("network", "inspect", "-f", "{{.Name}} {{.Id}} {{.Containers}}", network));
        }

        lines.AddRange(SecretsFiles.Select(file => $"{file} {File.ReadAllText(file)}"));
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    /// <summary>Its secrets files.</summary>
    public IEnumerable<string> SecretsFiles =>
        Directory.Exists(WorkerProcess.Secrets) ? Directory.GetFiles(WorkerProcess.Secrets, $"{Name}.*") : [];

    /// <summary>One checksum over all files of a volume.</summary>
    public static Task<string> ContentAsync(string volume) =>
        Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "-u",
            "0",
            "-v",
            $"{volume}:/v:ro",
            "--entrypoint",
            "sh",
            Host.Image,
            "-c",
            "cd /v && find . -type f -print0 | sort -z | xargs -0r sha256sum | sha256sum"
        );

    /// <summary>By label and by name.</summary>
    private async Task<IEnumerable<string>> AllAsync(params string[] command) =>
        (await ListAsync(command))
            .Concat(
                (await Host.DockerAsync([.. command, "--filter", $"name=pgflow-{Name}-"])).Split(
                    '\n',
                    StringSplitOptions.RemoveEmptyEntries
                )
            )
            .Distinct();

    private Task<string> CreateNetworkAsync() =>
        Host.DockerAsync(
            "network",
            "create",
            "--internal",
            "--subnet",
            $"{Subnet}.0/24",
            "--ip-range",
            $"{Subnet}.128/25",
            Network
        );

    private async Task<string[]> ListAsync(params string[] command) =>
        (await Host.DockerAsync([.. command, "--filter", $"label=pgflow.cluster={Name}"])).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );

    private static Report? ReportOf(WorkflowFailedException e) =>
        e.InnerException is ApplicationFailureException failure ? TemporalFailures.ReportOf(failure) : null;
}

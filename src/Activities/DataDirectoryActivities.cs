namespace PgFlow.Activities;

internal sealed class DataDirectoryActivities(
    DockerEngine docker,
    Inventory inventory,
    NodeLife life,
    JobRunner jobs,
    ReplicationSlots slots,
    Sql sql,
    Secrets secrets
) : IDataDirectoryActivities
{
    /// <summary>The exit code of rewind for a directory that it can't rewind.</summary>
    private const int CannotRewind = 3;

    public async Task<Divergence> ExamineDivergenceAsync(NodeId node, NodeId primary)
    {
        await jobs.EnsureExclusiveVolumeAsync(node);
        var found = await jobs.ResultAsync<DataDirectory>(
            JobSpec.On(await inventory.NodeAsync(node), "examine", "examine")
        );
        var leader = await life.RunningAsync(primary);
        var (identifier, timeline, wal) = await sql.IdentifyAsync(leader);
        if (found.SystemIdentifier != identifier)
        {
            return new(
                SameSystem: false,
                default,
                StandbySignal: false,
                timeline,
                default,
                CanRewind: false,
                timeline,
                wal,
                LeftAt: null
            );
        }

        var control = StateOf(found.State);
        var replayed = Lsn.Parse(found.MinimumRecoveryEnd);
        var standby =
            control is ControlState.ShutDownInRecovery or ControlState.InArchiveRecovery && replayed > default(Lsn);
        var end = standby ? replayed : Lsn.Parse(found.Checkpoint);
        var line = new Timeline(standby ? found.MinimumRecoveryTimeline : found.Timeline);
        var theirs = await sql.HistoryAsync(leader, timeline);
        var own = TimelineHistory.Parse(line, standby ? found.MinimumRecoveryHistory : found.History);
        return new(
            SameSystem: true,
            control,
            found.StandbySignal == "yes",
            line,
            end,
            CanRewind: found.Checksums != "0" || found.WalLogHints == "on",
            timeline,
            wal,
            theirs.EndOf(line),
            Namesake: own.Ancestors.Count > 0
                && theirs.Contains(line)
                && !own.Ancestors.SequenceEqual(theirs.Ancestors.TakeWhile(ancestor => ancestor.Timeline != line))
        );
    }

    public async Task<RewindResult> RewindDataAsync(NodeId node, NodeId primary)
    {
        await jobs.EnsureExclusiveVolumeAsync(node);
        var leader = await life.RunningAsync(primary);
        // before it pg_control may still name the old timeline
        await sql.ChangeAsync<string>(leader, "CHECKPOINT", Timeout.InfiniteTimeSpan);
        var end = await jobs.RunAsync(
            await WithPrimaryAsync(await inventory.NodeAsync(node), leader, "rewind", "pgflow")
        );
        return end.ExitCode switch
        {
            0 => new(Done: true, "pg_rewind succeeded"),
            CannotRewind => new(Done: false, $"pg_rewind could not do it: {end.Tail}"),
            _ => throw Failure.Fail($"rewind ended with {end.ExitCode}: {end.Tail}"),
        };
    }

    public async Task CopyPrimaryAsync(NodeId node, NodeId primary)
    {
        await jobs.EnsureExclusiveVolumeAsync(node);
        var (container, leader) = (await inventory.NodeAsync(node), await life.RunningAsync(primary));
        if (await docker.Of(primary).ReadFileAsync(SettingsFile.ClusterPath) is { } settings)
        {
            // a volume that was gone has none, and a standby with less of them may not follow
            await docker
                .Of(node)
                .WriteFilesAsync(
                    ContainerFile.Private(
                        SettingsFile.ClusterPath,
                        System.Text.Encoding.UTF8.GetString(settings),
                        container.Spec.Postgres
                    )
                );
        }

        await jobs.RunToSuccessAsync(await WithPrimaryAsync(container, leader, "copy", "replicator"));
        await slots.RenewAsync(leader, node.Name);
    }

    public Task SwapInCopyAsync(NodeId node) => RunAsync(node, "swap-data-directory");

    public Task SwapBackAsync(NodeId node) => RunAsync(node, "swap-data-directory-back");

    private async Task RunAsync(NodeId node, string program)
    {
        await jobs.EnsureExclusiveVolumeAsync(node);
        await jobs.RunToSuccessAsync(
            JobSpec.On(await inventory.NodeAsync(node), program, program) with
            {
                Parameters = [$"RUN={await FirstRun.ShortAsync()}"],
            }
        );
    }

    private async Task<JobSpec> WithPrimaryAsync(
        NodeContainer node,
        NodeContainer primary,
        string program,
        string role
    ) =>
        JobSpec.On(node, program, program) with
        {
            Parameters =
            [
                $"RUN={await FirstRun.ShortAsync()}",
                $"PRIMARY={primary.Address}",
                $"OWNED={string.Join(' ', SettingsFile.Owned)}",
            ],
            Network = Names.InternalNetwork(node.Id.Cluster),
            Files =
            [
                ContainerFile.Private(
                    $"{Names.Job}/pgpass",
                    secrets.FileFor(node.Id.Cluster, role),
                    node.Spec.Postgres
                ),
            ],
        };

    private static ControlState StateOf(string text) =>
        text switch
        {
            "starting up" => ControlState.StartUp,
            "shut down" => ControlState.ShutDown,
            "shut down in recovery" => ControlState.ShutDownInRecovery,
            "shutting down" => ControlState.ShuttingDown,
            "in crash recovery" => ControlState.InCrashRecovery,
            "in archive recovery" => ControlState.InArchiveRecovery,
            _ => ControlState.InProduction,
        };
}

/// <summary>The result of examine; all but the marks is what pg_controldata prints, empty where there is no data
/// directory.</summary>
internal sealed record DataDirectory
{
    public required string SystemIdentifier { get; init; }

    public required string State { get; init; }

    /// <summary><c>yes</c> where it starts as a standby.</summary>
    public required string StandbySignal { get; init; }

    public required string MinimumRecoveryEnd { get; init; }

    public uint MinimumRecoveryTimeline { get; init; }

    /// <summary>The history file of that timeline; empty where there is none.</summary>
    public required string MinimumRecoveryHistory { get; init; }

    /// <summary>Where the last checkpoint begins.</summary>
    public required string Checkpoint { get; init; }

    public uint Timeline { get; init; }

    /// <summary>The history file of that timeline; empty where there is none.</summary>
    public required string History { get; init; }

    public required string Checksums { get; init; }

    public required string WalLogHints { get; init; }
}

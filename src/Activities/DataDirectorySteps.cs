using PgFlow.Workflows;

namespace PgFlow.Activities;

internal sealed class DataDirectorySteps(Inventory inventory, NodeSteps nodeSteps, Jobs jobs, Sql sql, Secrets secrets) : IDataDirectorySteps
{
    /// <summary>The exit code of rewind for a directory that it can't mend.</summary>
    private const int CannotRewind = 3;

    public async Task<Divergence> ExamineAsync(NodeId node, NodeId primary)
    {
        await jobs.RequireSoleUseAsync(node);
        var said = Job.Facts(await jobs.SucceedAsync(Job.On(await inventory.NodeAsync(node), "examine", Embedded.Read("examine"))), ':');
        string Fact(string name) => said[name].First();
        var leader = await nodeSteps.RunningAsync(primary);
        var (identifier, timeline, wal) = await sql.IdentifyAsync(leader);
        if (said["Database system identifier"].FirstOrDefault() != identifier)
        {
            return new(SameSystem: false, default, StandbySignal: false, timeline, default, CanRewind: false, timeline, wal, LeftAt: null);
        }

        var control = StateOf(Fact("Database cluster state"));
        var replayed = Lsn.Parse(Fact("Minimum recovery ending location"));
        var standby = control is ControlState.ShutDownInRecovery or ControlState.InArchiveRecovery && replayed > default(Lsn);
        var end = standby ? replayed : Lsn.Parse(Fact("Latest checkpoint location"));
        var line = new Timeline(uint.Parse(Fact(standby ? "Min recovery ending loc's timeline" : "Latest checkpoint's TimeLineID"), System.Globalization.CultureInfo.InvariantCulture));
        var theirs = await sql.HistoryAsync(leader, timeline);
        var own = TimelineHistory.Parse(line, said[line.HistoryFile].FirstOrDefault()?.Replace(',', '\n'));
        return new(
            SameSystem: true,
            control,
            Fact("standby.signal") == "yes",
            line,
            end,
            CanRewind: Fact("Data page checksum version") != "0" || Fact("wal_log_hints setting") == "on",
            timeline,
            wal,
            theirs.EndOf(line),
            Namesake: own.Ancestors.Count > 0 && theirs.Contains(line) && !own.Ancestors.SequenceEqual(theirs.Ancestors.TakeWhile(ancestor => ancestor.Timeline != line)));
    }

    public async Task<RewindResult> RewindAsync(NodeId node, NodeId primary)
    {
        await jobs.RequireSoleUseAsync(node);
        var leader = await nodeSteps.RunningAsync(primary);
        await sql.AskAsync<string>(leader, "CHECKPOINT", Timeout.InfiniteTimeSpan); // before it pg_control may still name the old timeline
        var end = await jobs.RunAsync(await WithPrimaryAsync(await inventory.NodeAsync(node), leader, "rewind", "pgflow"));
        return end.ExitCode switch
        {
            0 => new(Done: true, "pg_rewind succeeded"),
            CannotRewind => new(Done: false, $"pg_rewind could not do it: {end.Tail}"),
            _ => throw Ends.Fail($"rewind ended with {end.ExitCode}: {end.Tail}"),
        };
    }

    public async Task CopyAsync(NodeId node, NodeId primary)
    {
        await jobs.RequireSoleUseAsync(node);
        await jobs.SucceedAsync(await WithPrimaryAsync(await inventory.NodeAsync(node), await nodeSteps.RunningAsync(primary), "copy", "replicator"));
    }

    public Task SwapAsync(NodeId node) => RunAsync(node, "swap");

    public Task SwapBackAsync(NodeId node) => RunAsync(node, "swap-back");

    private async Task RunAsync(NodeId node, string program)
    {
        await jobs.RequireSoleUseAsync(node);
        await jobs.SucceedAsync(Job.On(await inventory.NodeAsync(node), program, Embedded.Read(program)) with { Parameters = [$"RUN={await FirstRun.ShortAsync()}"] });
    }

    private async Task<Job> WithPrimaryAsync(NodeContainer node, NodeContainer primary, string program, string role) => Job.On(node, program, $"""
        {Embedded.Read("settle")}
        {Embedded.Read(program)}
        """) with
    {
        Parameters = [$"RUN={await FirstRun.ShortAsync()}", $"PRIMARY={primary.Address}", $"OWNED={string.Join(' ', SettingsFile.Owned)}"],
        Network = Names.InternalNetwork(node.Id.Cluster),
        Files = [ContainerFile.Private("/job/pgpass", secrets.FileFor(node.Id.Cluster, role), node.Spec.Postgres)],
    };

    private static ControlState StateOf(string text) => text switch
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

using System.Diagnostics;
using System.Text.RegularExpressions;
using Docker.DotNet.Models;
using Microsoft.Extensions.Options;

namespace PgFlow.Activities;

/// <summary>Starts and ends nodes: the one way of both.</summary>
internal sealed partial class NodeLife(
    DockerEngine docker,
    Inventory inventory,
    NodeObserver observer,
    NodeEnd ends,
    Sql sql,
    RepositoryActivities repository,
    IOptions<ActivityHostOptions> options,
    TimeLimits limits
)
{
    /// <summary>As many as PostgreSQL needs to say why it ends.</summary>
    public const int LogLines = 8;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>How often a look is taken at what a starting node does.</summary>
    private static readonly TimeSpan StartLook = TimeSpan.FromSeconds(1);

    /// <summary>A start that failed for what passes (an address, a lock file) may be repeated.</summary>
    private const int MostStarts = 3;

    private TimeSpan Patience => options.Value.Patience;

    public async Task StartAsync(NodeId node)
    {
        var container = await StoppedOrRunningAsync(node);
        if (container.State.Running && await FollowsAnotherBranchAsync(container))
        {
            await EndAsync(container);
            container = await inventory.NodeAsync(node);
        }

        if (!container.State.Running)
        {
            if (!await observer.IsMarkedStandbyAsync(node))
            {
                await RequireNoSecondPrimaryAsync(container);
            }

            await RunAsync(container);
        }

        // Before Docker may restart it: the end of a node that can't start is seen at once, and not taken for one that
        // is stopping.
        await AnswersAsync(container);
        await LetRestartAsync(await inventory.NodeAsync(node));
    }

    /// <summary>Post-condition: the container of a node that may run does, on the internal network.</summary>
    public async Task RunAsync(NodeContainer container)
    {
        await docker.Of(container.Id).ConnectAsync(Names.InternalNetwork(container.Id.Cluster), container.Address);
        await docker.Of(container.Id).StartAsync();
    }

    /// <summary>Post-condition: a fast stop has ended it; Docker does not start it again.</summary>
    public async Task EndAsync(NodeContainer container)
    {
        await ForbidRestartAsync(container);
        if (!await docker.Of(container.Id).StopFastAsync(limits.FastStop))
        {
            throw new TimeoutException(
                $"{container.Id} has not ended {limits.FastStop.TotalSeconds:0} s after its fast stop; see docker "
                    + $"logs {container.Id.Container}"
            );
        }
    }

    /// <summary>A node that a step needs running. One that Docker stopped, with its daemon or by itself, is started as
    /// what it is, where that is safe.</summary>
    /// <remarks>Only by a procedure that decides what runs: a backup may work beside one that has stopped or fenced the
    /// node.</remarks>
    public async Task<NodeContainer> RunningAsync(NodeId node)
    {
        if (await inventory.NodeAsync(node) is { Docker.State.Running: true } running)
        {
            return running;
        }

        if (!Permit.MayDecide)
        {
            throw Failure.Fail($"{node} does not run");
        }

        await StartAsync(node);
        return await inventory.NodeAsync(node);
    }

    /// <summary>The primary of a procedure beside which roles may change.</summary>
    public async Task<NodeContainer> StillPrimaryAsync(NodeId node)
    {
        var container = await RunningAsync(node);
        return await sql.QueryScalarAsync<bool>(container, "SELECT pg_is_in_recovery()")
            ? throw Failure.Break($"{node} is not the primary any more: roles have changed meanwhile; start it again")
            : container;
    }

    /// <summary>One that can't be started can still be read.</summary>
    public async Task TryStartAsync(NodeId node)
    {
        try
        {
            await StartAsync(node);
        }
        catch (PgFlowException e) when (e.Type is FailureTypes.Failed)
        {
            ProgressReporter.Say(e.Message);
        }
    }

    /// <summary>A call that costs clients 50 ms, and that Docker refuses for a container that is ending: only where it
    /// is needed.</summary>
    public Task ForbidRestartAsync(NodeContainer container) =>
        container.RestartPolicy is RestartPolicyKind.No
            ? Task.CompletedTask
            : docker.Of(container.Id).SetRestartPolicyAsync(RestartPolicyKind.No);

    /// <summary>Docker starts the node again after a crash or a reboot; the counterpart of
    /// <see cref="ForbidRestartAsync"/>.</summary>
    public async Task LetRestartAsync(NodeContainer container)
    {
        if (container.RestartPolicy is not RestartPolicyKind.UnlessStopped)
        {
            await docker.Of(container.Id).SetRestartPolicyAsync(RestartPolicyKind.UnlessStopped);
        }
    }

    public async Task<bool> AnswersNowAsync(NodeContainer container)
    {
        try
        {
            return await sql.QueryScalarAsync<int>(container, "SELECT 1") == 1;
        }
        catch (Exception e) when (Sql.IsUnavailable(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Waits for the end of a node that was stopped or killed.</summary>
    /// <returns>Whether it has ended; not, where it answers: it was never stopped.</returns>
    public async Task<bool> IsOverAsync(NodeContainer node)
    {
        for (var clock = Stopwatch.StartNew(); !await docker.Of(node.Id).EndedAsync(TimeSpan.Zero); )
        {
            if (await AnswersNowAsync(node))
            {
                return false;
            }

            if (await ends.IsShutDownAsync(node))
            {
                await ends.FinishAsync(node);
            }

            if (clock.Elapsed > limits.FastStop)
            {
                throw new TimeoutException($"{node.Id} has not ended yet");
            }
        }

        return true;
    }

    /// <summary>A node's container, once it isn't ending any more: a start of one that is would be lost.</summary>
    public async Task<NodeContainer> StoppedOrRunningAsync(NodeId node)
    {
        for (
            var clock = Stopwatch.StartNew();
            clock.Elapsed < limits.FastStop;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            var container = await inventory.NodeAsync(node);
            var stopped =
                container.State is { Running: true, Restarting: false }
                && container.RestartPolicy is RestartPolicyKind.No
                && await observer.ControlAsync(node) is { State: ControlState.ShutDown };
            if (!stopped)
            {
                return container;
            }
        }

        throw new TimeoutException($"{node} was stopped and has not ended; see: docker inspect {node.Container}");
    }

    /// <summary>Whether a running standby was started with another branch to follow than its settings name
    /// now.</summary>
    private async Task<bool> FollowsAnotherBranchAsync(NodeContainer node) =>
        await sql.QueryTextOrEmptyAsync(
            node,
            """
            SELECT (pg_is_in_recovery() AND EXISTS (SELECT FROM pg_file_settings
                WHERE sourcefile = $1 AND name = 'recovery_target_timeline' AND setting <> current_setting(name)))::text
            """,
            SettingsFile.Path
        ) == "true";

    /// <summary>No node starts writable while another accepts writes or has gone on from its branch.</summary>
    public async Task RequireNoSecondPrimaryAsync(NodeContainer starting)
    {
        if (await observer.ControlAsync(starting.Id) is not { } control)
        {
            return;
        }

        var others = await Task.WhenAll(
            (await inventory.NodesAsync(starting.Id.Cluster))
                .Where(node => node.Id != starting.Id)
                .Select(observer.ObserveAsync)
        );
        foreach (var other in others)
        {
            if (other.Role is NodeRole.Primary || await HasGoneOnAsync(other, control.Timeline))
            {
                throw Failure.Refuse(
                    $"{starting.Id} would accept writes beside {other.Id} ({PgFlowText.Word(other.Role)}, "
                        + $"timeline {other.Timeline}): not started"
                );
            }
        }
    }

    /// <summary>Whether a node is on a branch that goes on from a timeline; not, where the ledger says that this one is
    /// live: then the other was promoted by hand.</summary>
    private async Task<bool> HasGoneOnAsync(NodeState node, Timeline from)
    {
        if (node.Timeline is not { } timeline || timeline <= from)
        {
            return false;
        }

        var history =
            node.History
            ?? TimelineHistory.Parse(
                timeline,
                await docker.Of(node.Id).ReadFileAsync($"{Names.Data}/pg_wal/{timeline.HistoryFile}") is { } file
                    ? System.Text.Encoding.UTF8.GetString(file)
                    : null
            );
        return (history.Ancestors.Count == 0 || history.Contains(from))
            && (await repository.InspectArchiveAsync(node.Id.Cluster)).Live != from;
    }

    /// <summary>Waits for a started node. That Docker starts it again is no progress, nor is one whose start stands
    /// still.</summary>
    private async Task AnswersAsync(NodeContainer started)
    {
        var (clock, still, looked) = (Stopwatch.StartNew(), Stopwatch.StartNew(), TimeSpan.Zero);
        var starts = new HashSet<string>();
        for (
            var seen = new HashSet<string>();
            !await AnswersNowAsync(started);
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            ProgressReporter.Say($"{started.Id} starts; {clock.Elapsed.TotalSeconds:0} s");
            if (clock.Elapsed < looked + StartLook)
            {
                continue;
            }

            looked = clock.Elapsed;
            await RequireStartingAsync(started, starts);
            var known = seen.Count;
            seen.UnionWith(await StartupAsync(started.Id));
            if (seen.Count > known)
            {
                still.Restart();
            }

            if (still.Elapsed > Patience)
            {
                throw Failure.Stick(
                    $"{started.Id} does not answer: no progress for {Patience.TotalSeconds:0} s; its log: "
                        + $"{await docker.Of(started.Id).OfLogAsync(LogLines)}"
                );
            }
        }
    }

    /// <exception cref="PgFlowException">It has ended, or Docker starts it again and again.</exception>
    private async Task RequireStartingAsync(NodeContainer started, HashSet<string> starts)
    {
        var state = (await inventory.NodeAsync(started.Id)).State;
        starts.Add(state.StartedAt);
        if (starts.Count > MostStarts)
        {
            throw Failure.Stick(
                $"{started.Id} can't start: Docker starts it again and again; its log: "
                    + $"{await docker.Of(started.Id).OfLogAsync(LogLines)}"
            );
        }

        if (state is { Running: false, Restarting: false })
        {
            throw Failure.Fail(
                $"{started.Id} ended with {state.ExitCode} when it was started; its log: "
                    + $"{await docker.Of(started.Id).OfLogAsync(LogLines)}"
            );
        }
    }

    /// <summary>What tells how far the start of a node has got: its pg_control, what its startup process says of
    /// itself, and its log but for its answers to us.</summary>
    public async Task<IEnumerable<string>> StartupAsync(NodeId node)
    {
        var control = await observer.ControlAsync(node);
        var processes = await docker.Of(node).ProcessesAsync();
        var log = await docker.Of(node).OfLogAsync(50); // Docker may keep none
        return
        [
            control?.ToString() ?? "",
            .. processes.Where(title => title.StartsWith("postgres: startup ", StringComparison.Ordinal)),
            .. Said().Matches(log).Select(line => line.Value),
        ];
    }

    /// <summary>What a line of the log says, without its time.</summary>
    [GeneratedRegex("(?:LOG|PANIC|WARNING|HINT|DETAIL): .*")]
    private static partial Regex Said();
}

using System.Diagnostics;
using Docker.DotNet.Models;

namespace PgFlow.Activities;

/// <summary>The end of a node that was stopped or killed.</summary>
internal sealed class NodeEnd(DockerEngine docker, Inventory inventory, NodeObserver observer, TimeLimits limits)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>What a server has that has shut down: it still writes its statistics then.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether a node has shut down that nobody starts again; its container may not have ended yet.</summary>
    public async Task<bool> IsShutDownAsync(NodeContainer node) =>
        node.RestartPolicy is RestartPolicyKind.No
        && await observer.ControlAsync(node.Id) is { State: ControlState.ShutDown or ControlState.ShutDownInRecovery };

    /// <summary>Whether nothing runs in it, so that no socket is open; one that has shut down is given 50 ms.</summary>
    public async Task<bool> HasEndedAsync(NodeContainer node)
    {
        if (await docker.Of(node.Id).IsEmptyAsync())
        {
            return true;
        }

        if (!await IsShutDownAsync(node))
        {
            return false;
        }

        await FinishAsync(node);
        return true;
    }

    /// <summary>Whoever waits for a node learns at once that it has ended, also where Docker has started it again
    /// since.</summary>
    /// <exception cref="PgFlowException">It has.</exception>
    public async Task RequireSameRunAsync(NodeContainer node)
    {
        var state = (await inventory.NodeAsync(node.Id)).State;
        if (!state.Running || state.StartedAt != node.State.StartedAt)
        {
            throw Failure.Fail(
                $"{node.Id} has ended{(state.Running ? " and was started again" : $" with {state.ExitCode}")}; "
                    + $"its log: {await docker.Of(node.Id).OfLogAsync(8)}"
            );
        }
    }

    /// <summary>Post-condition: nothing runs in a node that has shut down. What its archiver did not do by then is
    /// salvaged later.</summary>
    public async Task FinishAsync(NodeContainer node)
    {
        for (
            var clock = Stopwatch.StartNew();
            !await docker.Of(node.Id).IsEmptyAsync();
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            if (clock.Elapsed > Rest)
            {
                await KillAsync(node.Id);
                return;
            }
        }
    }

    /// <summary>Post-condition: nothing runs in it. A paused one is killed as it is, and does not go on for an
    /// instant.</summary>
    public async Task KillAsync(NodeId node)
    {
        await docker.Of(node).SignalAsync("SIGKILL");
        for (
            var clock = Stopwatch.StartNew();
            !await docker.Of(node).IsEmptyAsync();
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            if (clock.Elapsed > limits.Kill)
            {
                throw new TimeoutException(
                    $"{node} does not end although it was killed; see: docker inspect {node.Container}"
                );
            }
        }
    }
}

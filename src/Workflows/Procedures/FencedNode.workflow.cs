namespace PgFlow.Workflows.Procedures;

/// <summary>A node as it was before a procedure fenced it, for the way back.</summary>
/// <param name="Id">The node.</param>
/// <param name="WasRunning">Whether its container ran, or Docker was about to start it again.</param>
/// <param name="WasStandby">Whether it followed.</param>
/// <param name="WasMarked">Whether it would have started as a standby; null where nobody could tell.</param>
/// <param name="WasFenced">Whether it was fenced already: then it stays so.</param>
/// <param name="Endpoint">What it held on the external network.</param>
internal sealed record FencedNode(
    NodeId Id,
    bool WasRunning,
    bool WasStandby,
    bool? WasMarked,
    bool WasFenced,
    EndpointRole Endpoint
)
{
    public static FencedNode Of(NodeState node) =>
        new(
            node.Id,
            node.Container is "running" or "restarting",
            node.Role is NodeRole.Standby,
            node.Role is NodeRole.Primary ? false : node.StandbySignal,
            node is { Role: NodeRole.Stopped, StandbySignal: true, RestartPolicy: not ExpectedNode.RestartPolicy },
            node.Endpoint
        );

    /// <summary>Takes the fence back: the node runs if it ran, and holds on the external network what it
    /// held.</summary>
    public async Task ReturnAsync()
    {
        if (WasFenced)
        {
            return;
        }

        await NodeRoles.UnfenceAsync(Id, WasRunning, WasMarked);
        await (
            Endpoint switch
            {
                EndpointRole.ReadWrite => Endpoints.TakeAsync(Id),
                EndpointRole.ReadOnly => Endpoints.OfferReadOnlyAsync(Id),
                _ => Task.CompletedTask,
            }
        );
    }
}

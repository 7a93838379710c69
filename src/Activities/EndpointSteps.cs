using PgFlow.Workflows;

namespace PgFlow.Activities;

internal sealed class EndpointSteps(DockerEngine docker, Inventory inventory, NodeEnd ends, ClientConnections clients, Jobs jobs, Sql sql, Secrets secrets) : IEndpointSteps
{
    public async Task MoveAsync(NodeId node)
    {
        var nodes = await inventory.NodesAsync(node.Cluster);
        var winner = nodes.Single(other => other.Id == node);
        if (winner.Endpoint is EndpointRole.ReadWrite)
        {
            return;
        }

        await Permit.RequireAsync(node.Cluster);
        await Task.WhenAll(nodes
            .Where(other => other.Endpoint is EndpointRole.ReadWrite || (other.Id == node && other.Endpoint is EndpointRole.ReadOnly))
            .Select(TakeOffAsync));
        await docker.ConnectAsync(winner.Spec.ExternalNetwork, node.Container, winner.Spec.Vip, Names.Alias(node.Cluster, readOnly: false));
        if ((await inventory.NodeAsync(node)).Endpoint is not EndpointRole.ReadWrite)
        {
            throw Ends.Fail($"{node} was given {winner.Spec.Vip} and does not hold it");
        }
    }

    public async Task LeaveAsync(NodeId node)
    {
        var container = await inventory.NodeAsync(node);
        if (container.Endpoint is not EndpointRole.None)
        {
            await Permit.RequireAsync(node.Cluster);
            await TakeOffAsync(container);
        }
    }

    public async Task OfferReadOnlyAsync(NodeId node)
    {
        var container = await inventory.NodeAsync(node);
        await Permit.RequireAsync(node.Cluster);
        await clients.AdmitAsync(container); // an attempt to leave may have ended half-way
        if (container.Endpoint is EndpointRole.None)
        {
            await docker.ConnectAsync(container.Spec.ExternalNetwork, node.Container, address: null, Names.Alias(node.Cluster, readOnly: true));
        }
    }

    public async Task ProveAsync(NodeId primary)
    {
        var container = await inventory.NodeAsync(primary);
        var spec = container.Spec;
        // From a third container, as clients come: a neighbour may still know the address's old MAC. A lone write to the node would prove nothing of that.
        var written = Lsn.Parse((await jobs.SucceedAsync(new(spec, "endpoint", Embedded.Read("prove-endpoint"))
        {
            Parameters = [$"VIP={spec.Vip}"],
            Network = spec.ExternalNetwork,
            Files = [ContainerFile.Private("/job/pgpass", secrets.FileFor(primary.Cluster, "app"), spec.Postgres)],
        })).Split('\n')[^1].Trim());
        var reached = Lsn.Parse(await sql.AskAsync<string>(container, "SELECT pg_current_wal_flush_lsn()::text"));
        if (reached < written)
        {
            throw Ends.Fail($"a commit through {spec.Vip} at {written} did not arrive on {primary}, which has written up to {reached}");
        }
    }

    /// <summary>Takes the external address from a node on which, by then, no client has a connection open.</summary>
    private async Task TakeOffAsync(NodeContainer node)
    {
        var goesOn = node.Docker.State.Running && !await ends.HasEndedAsync(node);
        if (goesOn)
        {
            await clients.CloseAsync(node);
        }

        await docker.DisconnectAsync(node.Spec.ExternalNetwork, node.Id.Container);
        if (goesOn)
        {
            await clients.AdmitAsync(node);
        }
    }
}

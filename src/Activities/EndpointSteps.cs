using PgFlow.Workflows;

namespace PgFlow.Activities;

internal sealed class EndpointSteps(DockerEngine docker, Inventory inventory, Jobs jobs, Sql sql, Secrets secrets) : IEndpointSteps
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
        var network = winner.Spec.ExternalNetwork;
        await Task.WhenAll(nodes
            .Where(other => other.Endpoint is EndpointRole.ReadWrite || (other.Id == node && other.Endpoint is EndpointRole.ReadOnly))
            .Select(other => docker.DisconnectAsync(network, other.Id.Container)));
        await docker.ConnectAsync(network, node.Container, winner.Spec.Vip, Names.Alias(node.Cluster, readOnly: false));
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
            await docker.DisconnectAsync(container.Spec.ExternalNetwork, node.Container);
        }
    }

    public async Task OfferReadOnlyAsync(NodeId node)
    {
        var container = await inventory.NodeAsync(node);
        if (container.Endpoint is EndpointRole.None)
        {
            await Permit.RequireAsync(node.Cluster);
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
}

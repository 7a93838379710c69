using PgFlow.WorkflowTests;

namespace PgFlow.SystemTests.World;

/// <summary>Whatever is wrong with PgFlow's login to one node, every node is seen and roles can be changed.</summary>
public sealed class LoginTests(TemporalServer temporal)
{
    [Fact, Trait("Suite", "ci")]
    public async Task Status_sees_every_node_whatever_is_wrong_with_the_login_to_one()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await BrokenLogin.LimitConnectionsAsync(cluster.Node(1), cluster.Node(2));
        var password = (await BrokenLogin.SqlAsync(cluster.Node(1), "SELECT rolpassword FROM pg_authid WHERE rolname = 'pgflow'"));
        var wrong = new List<string>();
        foreach (var broken in BrokenLogin.All)
        {
            foreach (var node in broken.OnPrimaryOnly ? [cluster.Node(1)] : new[] { cluster.Node(1), cluster.Node(2) })
            {
                await broken.BreakAsync(node);
                try
                {
                    var state = (await cluster.InspectAsync()).State;
                    wrong.AddRange(state.Nodes.SelectMany(seen => WrongWith(seen, cluster.Node(1), seen.Id == node ? broken.Kind : null)).Select(what => $"{broken} on {node}: {what}"));
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    wrong.Add($"{broken} on {node}: {e.InnerException?.Message ?? e.Message}");
                }

                await broken.MendAsync(node);
                await BrokenLogin.SqlAsync(cluster.Node(1), $"ALTER ROLE pgflow PASSWORD '{password}'");
            }
        }

        Assert.Empty(wrong);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    private static IEnumerable<string> WrongWith(NodeState seen, NodeId primary, LoginProblemKind? kind)
    {
        var role = seen.Id == primary ? NodeRole.Primary : NodeRole.Standby;
        if (seen.Role != role || seen.Timeline is null || seen.Unread.Count > 0)
        {
            yield return $"{seen.Id} is {seen.Role} on timeline {seen.Timeline}, {seen.Login?.Detail} {string.Join(", ", seen.Unread)}";
        }

        if (kind is not null && seen.Login?.Kind != kind)
        {
            yield return $"{seen.Id}: {seen.Login?.Kind}, not {kind}";
        }
    }
}

namespace PgFlow.SystemTests.World;

/// <summary>Whatever is wrong with PgFlow's login to one node, every node is seen and roles can be changed.</summary>
public sealed class LoginTests(TemporalServer temporal)
{
    [Fact]
    public async Task Status_sees_every_node_whatever_is_wrong_with_the_login_to_one()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await BrokenLogin.LimitConnectionsAsync(cluster.Node(1), cluster.Node(2));
        var password = (
            await BrokenLogin.SqlAsync(cluster.Node(1), "SELECT rolpassword FROM pg_authid WHERE rolname = 'pgflow'")
        );
        var wrong = new List<string>();
        foreach (var broken in BrokenLogin.All)
        {
            foreach (var node in broken.OnPrimaryOnly ? [cluster.Node(1)] : new[] { cluster.Node(1), cluster.Node(2) })
            {
                await broken.BreakAsync(node);
                try
                {
                    var state = (await cluster.InspectAsync()).State;
                    wrong.AddRange(
                        state
                            .Nodes.SelectMany(seen =>
                                WrongWith(seen, cluster.Node(1), seen.Id == node ? broken.Kind : null)
                            )
                            .Select(what => $"{broken} on {node}: {what}")
                    );
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    wrong.Add($"{broken} on {node}: {e.InnerException?.Message ?? e.Message}");
                }

                await broken.RepairAsync(node);
                await BrokenLogin.SqlAsync(cluster.Node(1), $"ALTER ROLE pgflow PASSWORD '{password}'");
            }
        }

        Assert.Empty(wrong);
        await cluster.HealthyAsync(cluster.Node(1), timeline: 1);
    }

    [Fact]
    public async Task A_switchover_succeeds_whatever_is_wrong_with_the_login_to_the_primary()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await BrokenLogin.LimitConnectionsAsync(cluster.Node(1), cluster.Node(2));
        var (from, to, timeline) = (cluster.Node(1), cluster.Node(2), 1);
        foreach (var broken in BrokenLogin.All)
        {
            await broken.BreakAsync(from);
            TestContext.Current.SendDiagnosticMessage($"switchover: {broken}");
            var report = await cluster.RunAsync(
                (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
            );
            Assert.Equal(ProcedureStatus.Succeeded, report.Outcome);
            await broken.RepairAsync(broken.OnPrimaryOnly ? to : from);
            (from, to, timeline) = (to, from, timeline + 1);
            await Host.UntilAsync(
                $"healthy after {broken}",
                async () =>
                    (await cluster.InspectAsync()).Findings.All(finding => finding.Code is FindingCode.RolesChanged)
            );
        }
    }

    [Fact]
    public async Task A_primary_that_can_not_be_asked_is_fenced_and_comes_back_and_a_standby_is_remade()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        await BrokenLogin.LimitConnectionsAsync(cluster.Node(1), cluster.Node(2));
        var (from, to) = (cluster.Node(1), cluster.Node(2));
        foreach (
            var broken in BrokenLogin.All.Where(broken =>
                broken.Name
                    is "all connections taken, the reserved ones too"
                        or "another password"
                        or "the database closed"
                        or "a login takes 3 s"
                        or "renamed"
            )
        )
        {
            await broken.BreakAsync(from);
            TestContext.Current.SendDiagnosticMessage($"failover, failback and remake: {broken}");
            await FailoverTests.FailOverAsync(cluster, force: true);
            await cluster.RunAsync(
                (Failback procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Node = from.Name,
                        }
                    )
            );
            await cluster.RunAsync(
                (RemakeStandby procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Node = from.Name,
                        }
                    )
            );
            if (broken.OnPrimaryOnly)
            {
                await broken.RepairAsync(to);
            }
            else if (broken.Kind is LoginProblemKind.Slow)
            {
                await broken.RepairAsync(from);
            }

            (from, to) = (to, from);
            await Host.UntilAsync(
                $"healthy after {broken}",
                async () =>
                    (await cluster.InspectAsync()).Findings.All(finding => finding.Code is FindingCode.RolesChanged)
            );
        }
    }

    private static IEnumerable<string> WrongWith(NodeState seen, NodeId primary, LoginProblemKind? kind)
    {
        var role = seen.Id == primary ? NodeRole.Primary : NodeRole.Standby;
        if (seen.Role != role || seen.Timeline is null || seen.Unread.Count > 0)
        {
            yield return $"{seen.Id} is {seen.Role} on timeline {seen.Timeline}, {seen.Login?.Detail} "
                + $"{string.Join(", ", seen.Unread)}";
        }

        if (kind is not null && seen.Login?.Kind != kind)
        {
            yield return $"{seen.Id}: {seen.Login?.Kind}, not {kind}";
        }
    }
}

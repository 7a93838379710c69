namespace PgFlow.UnitTests.Worker;

public sealed class WorkerHostTests
{
    [Fact]
    public void All_procedures_are_polled_for()
    {
        Assert.Contains(typeof(InitCluster), WorkerHost.Workflows);
        Assert.Contains(typeof(ClusterLease), WorkerHost.Workflows);
        Assert.DoesNotContain(WorkerHost.Workflows, workflow => workflow.IsAbstract);
    }

    [Fact]
    public void All_activities_are_polled_for()
    {
        Assert.Contains(typeof(INodeActivities), WorkerHost.ActivityContracts);
        Assert.All(
            typeof(INodeActivities)
                .Assembly.GetTypes()
                .Where(type => type.IsInterface && type.Name.EndsWith("Activities", StringComparison.Ordinal)),
            contract => Assert.Contains(contract, WorkerHost.ActivityContracts)
        );
    }
}

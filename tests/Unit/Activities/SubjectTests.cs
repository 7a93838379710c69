using System.Reflection;

namespace PgFlow.UnitTests.Activities;

public sealed class SubjectTests
{
    private static readonly NodeId Node = new(ClusterName.Parse("demo"), NodeName.Of(2));

    [Theory]
    [MemberData(nameof(Methods))]
    public void Every_activity_says_what_it_is_about(MethodInfo method)
    {
        object?[] arguments = [.. method.GetParameters().Select(parameter => Sample(parameter.ParameterType))];
        Assert.Equal("demo", Subject.Of(arguments)?.Cluster.ToString());
    }

    [Fact]
    public void A_node_is_named_with_its_cluster()
    {
        Assert.Equal("demo/p2", $"{Subject.Of([Node, true])}");
        Assert.Equal("demo", $"{Subject.Of([Node.Cluster])}");
    }

    [Fact]
    public void What_is_copied_from_one_cluster_to_another_is_about_the_other() =>
        Assert.Equal("copy", $"{Subject.Of([Node.Cluster, ClusterName.Parse("copy")])}");

    public static TheoryData<MethodInfo> Methods =>
        [
            .. WorkerHost
                .ActivityContracts.SelectMany(contract => contract.GetMethods())
                // they are about their own workflow, and about the worker
                .Where(method =>
                    method.Name
                        is not ("FindStarterAsync" or "FindCancelAsync" or "FindReceiversAsync" or "InspectWorkerAsync")
                ),
        ];

    /// <summary>A value in which every node and every cluster is the same.</summary>
    private static object? Sample(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Sample(value);
        }

        object? known =
            type == typeof(NodeId) ? Node
            : type == typeof(ClusterName) ? Node.Cluster
            : type == typeof(IReadOnlyList<NodeId>) ? (NodeId[])[Node]
            : null;
        if (known is not null || !type.IsClass || type.IsAbstract || type == typeof(string))
        {
            return known;
        }

        var sample = System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(type);
        foreach (var property in type.GetProperties().Where(property => property.CanWrite))
        {
            if (IsSubject(property.PropertyType))
            {
                property.SetValue(sample, Sample(property.PropertyType));
            }
        }

        return sample;
    }

    private static bool IsSubject(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var given
        && (given == typeof(NodeId) || given == typeof(ClusterName));
}

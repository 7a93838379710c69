using System.Diagnostics;
using System.Reflection;
using Google.Protobuf;
using PgFlow.Activities;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Testing;

namespace PgFlow.UnitTests.Activities;

public sealed class PermitTests
{
    [Fact]
    public void A_cancel_a_pause_and_a_reset_by_hand_all_mean_stop()
    {
        Assert.Null(Permit.Objection(new()));
        Assert.Equal("cancelled", Permit.Objection(new() { CancelRequested = true }));
        Assert.Equal("paused by hand", Permit.Objection(new() { ActivityPaused = true }));
        Assert.Equal("reset by hand", Permit.Objection(new() { ActivityReset = true }));
    }

    [Fact]
    public async Task A_server_that_hangs_is_not_waited_for_longer_than_the_guard_has()
    {
        var clock = Stopwatch.StartNew();
        var refused = await Assert.ThrowsAsync<OperationCanceledException>(() =>
            QueryScalarAsync((_, _) => new TaskCompletionSource<IMessage>().Task)
        );

        Assert.Equal("Temporal did not answer within 5 s before the change", refused.Message);
        Assert.InRange(clock.Elapsed.TotalSeconds, 4.5, 8);
    }

    [Fact]
    public async Task Only_the_clusters_own_lease_permits_to_decide_what_runs()
    {
        Assert.Equal(["pgflow-lease-demo"], await LeasesAsync(Permit.RequireAsync));
        Assert.Equal(
            ["pgflow-lease-demo", "pgflow-lease-demo.backup", "pgflow-lease-demo.verify"],
            await LeasesAsync(Permit.RequireBesideAsync)
        );
    }

    /// <summary>The leases that are asked for, where none is held.</summary>
    private static async Task<IReadOnlyList<string>> LeasesAsync(Func<ClusterName, Task> require)
    {
        var asked = new List<string>();
        var client = ClientOf((_, _) => Task.FromResult<IMessage>(new RecordActivityTaskHeartbeatResponse()));
        ((Client)(object)client).Lease = id =>
        {
            asked.Add(id);
            throw new RpcException(RpcException.StatusCode.NotFound, "no such lease", null);
        };
        var lost = await Assert.ThrowsAsync<ApplicationFailureException>(() =>
            new ActivityEnvironment { TemporalClient = client }.RunAsync(() => require(ClusterName.Parse("demo")))
        );
        Assert.Equal(Ends.LeaseLost, lost.ErrorType);
        return asked;
    }

    private static Task QueryScalarAsync(Func<string, IMessage, Task<IMessage>> answer) =>
        new ActivityEnvironment { TemporalClient = ClientOf(answer) }.RunAsync(() =>
            Permit.RequireAsync(ClusterName.Parse("demo"))
        );

    /// <summary>A client whose server answers so.</summary>
    internal static ITemporalClient ClientOf(Func<string, IMessage, Task<IMessage>> answer)
    {
        var client = DispatchProxy.Create<ITemporalClient, Client>();
        ((Client)(object)client).Service = new Service(answer);
        return client;
    }

    public class Client : DispatchProxy
    {
        public WorkflowService? Service { get; set; }

        public Action<string>? Lease { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name switch
            {
                "get_WorkflowService" => Service,
                "get_Options" => new TemporalClientOptions(),
                "GetWorkflowHandle" when Lease is not null => Ask((string)args![0]!),
                "GetWorkflowHandle" => throw new InvalidOperationException("not reached: the attempt is asked first"),
                _ => throw new NotSupportedException(targetMethod.Name),
            };

        private object? Ask(string lease)
        {
            Lease!(lease);
            return null;
        }
    }

    private sealed class Service(Func<string, IMessage, Task<IMessage>> answer) : WorkflowService
    {
        protected override async Task<T> InvokeRpcAsync<T>(
            string rpc,
            IMessage req,
            MessageParser<T> resp,
            RpcOptions? options = null
        ) => (T)await answer(rpc, req);
    }
}

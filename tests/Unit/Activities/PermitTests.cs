using System.Diagnostics;
using System.Reflection;
using Docker.DotNet.Models;
using Google.Protobuf;
using Microsoft.Extensions.Options;
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
            RunAsync(
                ClientOf((_, _) => new TaskCompletionSource<IMessage>().Task),
                Holding(LeaseKind.Cluster),
                Permit.RequireAsync
            )
        );

        Assert.Equal("Temporal did not answer within 5 s before the change", refused.Message);
        Assert.InRange(clock.Elapsed.TotalSeconds, 4.5, 8);
    }

    [Theory]
    [InlineData(LeaseKind.Cluster, "pgflow-lease-demo", true)]
    [InlineData(LeaseKind.Backup, "pgflow-lease-demo.backup", false)]
    [InlineData(LeaseKind.Verify, "pgflow-lease-demo.verify", false)]
    public async Task The_lease_that_the_procedure_holds_is_asked_for(LeaseKind kind, string lease, bool decides)
    {
        var (asked, mayDecide) = (new List<string>(), false);
        var client = Answering(new());
        ((Client)(object)client).Lease = id =>
        {
            asked.Add(id);
            throw new RpcException(RpcException.StatusCode.NotFound, "no such lease", null);
        };
        var lost = await Assert.ThrowsAsync<PgFlowException>(() =>
            RunAsync(
                client,
                Holding(kind),
                () =>
                {
                    mayDecide = Permit.MayDecide;
                    return Permit.RequireAsync();
                }
            )
        );

        Assert.Equal(FailureTypes.LeaseLost, lost.Type);
        Assert.Equal([lease], asked);
        Assert.Equal(decides, mayDecide);
    }

    public static TheoryData<string> Changes => [.. Changing.Keys];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task What_changes_something_asks_by_itself_and_goes_no_further_than_a_no(string change)
    {
        var refused = await Assert.ThrowsAsync<OperationCanceledException>(() =>
            RunAsync(Answering(new() { ActivityReset = true }), Holding(LeaseKind.Cluster), Changing[change])
        );
        Assert.Equal("reset by hand before the change", refused.Message);

        var broken = await Assert.ThrowsAsync<PgFlowException>(() =>
            RunAsync(Answering(new()), new(Step: null, Lease: null), Changing[change])
        );
        Assert.Equal("a change for a procedure that holds no lease", broken.Message);
    }

    [Fact]
    public async Task What_decides_what_runs_needs_the_clusters_own_lease()
    {
        var docker = new DockerEngine(
            Options.Create(new ActivityHostOptions { DockerHost = "http://127.0.0.1:1" }),
            new()
        );
        var broken = await Assert.ThrowsAsync<PgFlowException>(() =>
            RunAsync(Answering(new()), Holding(LeaseKind.Backup), () => docker.Container("c").StartAsync())
        );
        Assert.Equal("a change of what runs, for a procedure that works beside others", broken.Message);
    }

    [Fact]
    public async Task What_ends_another_run_before_it_holds_the_lease_again_is_not_asked_for_it()
    {
        async Task<bool> HoldsAsync(bool ends)
        {
            var holds = false;
            await RunAsync(
                Answering(new()),
                Holding(LeaseKind.Cluster),
                () =>
                {
                    ProgressReporter.Now!.EndsAnother = ends;
                    holds = Permit.HoldsLease;
                    return Task.CompletedTask;
                }
            );
            return holds;
        }

        Assert.Equal((true, false), (await HoldsAsync(ends: false), await HoldsAsync(ends: true)));
    }

    [Fact]
    public void A_node_of_another_host_is_not_looked_for_at_this_ones_daemon()
    {
        using var docker = new DockerEngine(Options.Create(new ActivityHostOptions()), new());
        var node = new NodeId(ClusterName.Parse("demo"), NodeName.Of(2));

        Assert.Equal("pgflow-demo-p2", docker.Of(node).Name);
        Assert.Equal(
            "p2 lives on host west-2, and this worker has only its own host's Docker",
            Assert.Throws<PgFlowException>(() => docker.Of(node with { Host = HostName.Parse("west-2") })).Message
        );
    }

    [Fact]
    public async Task A_step_that_an_earlier_build_began_begins_again()
    {
        var lost = await Assert.ThrowsAsync<PgFlowException>(() =>
            RunAsync(Answering(new()), mark: null, Permit.RequireAsync)
        );
        Assert.Equal(FailureTypes.LeaseLost, lost.Type);
    }

    /// <summary>A daemon and a node that nobody reaches: whoever doesn't ask first fails otherwise.</summary>
    private static Dictionary<string, Func<Task>> Changing
    {
        get
        {
            var options = Options.Create(
                new ActivityHostOptions { DockerHost = "http://127.0.0.1:1", SecretsDirectory = "/nowhere" }
            );
            var (docker, secrets, demo) = (
                new DockerEngine(options, new()),
                new Secrets(options),
                ClusterName.Parse("demo")
            );
            return new()
            {
                ["start"] = () => docker.Container("c").StartAsync(),
                ["signal"] = () => docker.Container("c").SignalAsync("SIGKILL"),
                ["remove"] = () => docker.Container("c").RemoveAsync(),
                ["restart policy"] = () => docker.Container("c").SetRestartPolicyAsync(RestartPolicyKind.No),
                ["connect"] = () => docker.Container("c").ConnectAsync("n"),
                ["disconnect"] = () => docker.Container("c").DisconnectAsync("n"),
                ["files"] = () => docker.Container("c").WriteFilesAsync(new ContainerFile("/f", "", 0, 0, 0)),
                ["program"] = () => docker.Container("c").ChangeByAsync("0", TimeSpan.FromSeconds(1), [], ["true"]),
                ["statement"] = () => new Session().ChangeAsync<string>("SELECT pg_promote()"),
                ["secrets made"] = () => secrets.CreateAsync(demo, "10.0.0.1", "me"),
                ["secrets shared"] = () => secrets.ShareAsync(demo, demo, "me"),
                ["secrets removed"] = () => secrets.RemoveAsync(demo),
            };
        }
    }

    private sealed class Session() : SqlSession(problem: null)
    {
        public override Task<T> QueryScalarAsync<T>(string sql, params object[] parameters) =>
            throw new InvalidOperationException("nobody was asked");

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private static ActivityMark Holding(LeaseKind kind) => new(Step: null, new(ClusterName.Parse("demo"), kind));

    private static ITemporalClient Answering(RecordActivityTaskHeartbeatResponse answer)
    {
        var client = ClientOf((_, _) => Task.FromResult<IMessage>(answer));
        ((Client)(object)client).Lease = _ => throw new OperationCanceledException("nothing is known of the lease");
        return client;
    }

    private static async Task RunAsync(ITemporalClient client, ActivityMark? mark, Func<Task> act)
    {
        using var progress = ProgressReporter.Begin(mark);
        await new ActivityEnvironment { TemporalClient = client }.RunAsync(act);
    }

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

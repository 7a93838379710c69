using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Worker;

namespace PgFlow.Worker;

/// <summary>Goes through the procedures that clients wait for, by recorded histories, and through the activities' code,
/// when the worker starts.</summary>
/// <remarks>.NET compiles code when it first runs: theirs perhaps months later, in the middle of an outage.</remarks>
internal sealed partial class Warmup(ITemporalClient client, ILogger<Warmup> logger) : BackgroundService
{
    private static readonly Assembly Own = typeof(Warmup).Assembly;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var options = new WorkflowReplayerOptions
        {
            DataConverter = PgFlowJson.Converter,
            Runtime = client.Connection.Options.Runtime,
            Interceptors = [new ProcedureInterceptor()],
        };
        foreach (var workflow in WorkerHost.Workflows)
        {
            options.AddWorkflow(workflow);
        }

        var replayer = new WorkflowReplayer(options);
        foreach (
            var file in Own.GetManifestResourceNames()
                .Where(name => name.EndsWith("-succeeded.json", StringComparison.Ordinal))
        )
        {
            await ReplayAsync(replayer, file, stoppingToken);
        }

        foreach (
            var method in typeof(PgFlowActivities)
                .Assembly.GetTypes()
                .Where(type => !type.IsSubclassOf(typeof(Delegate)))
                .SelectMany(MethodsOf)
                .TakeWhile(_ => !stoppingToken.IsCancellationRequested)
        )
        {
            RuntimeHelpers.PrepareMethod(method.MethodHandle);
        }
    }

    private async Task ReplayAsync(WorkflowReplayer replayer, string file, CancellationToken cancel)
    {
        using var text = new StreamReader(Own.GetManifestResourceStream(file)!);
        var history = WorkflowHistory.FromJson(file, await text.ReadToEndAsync(cancel));
        if (
            (await replayer.ReplayWorkflowAsync(history, throwOnReplayFailure: false, cancel)).ReplayFailure is
            { } failure
        )
        {
            LogFailed(file, failure.Message);
        }
    }

    private static IEnumerable<MethodInfo> MethodsOf(Type type) =>
        type.GetMethods(
                BindingFlags.DeclaredOnly
                    | BindingFlags.Instance
                    | BindingFlags.Static
                    | BindingFlags.Public
                    | BindingFlags.NonPublic
            )
            .Where(method =>
                !method.IsAbstract && !method.ContainsGenericParameters && !type.ContainsGenericParameters
            );

    [LoggerMessage(
        20,
        LogLevel.Warning,
        "{History} could not be gone through in advance; the first procedure of its kind will be slower: {Why}"
    )]
    private partial void LogFailed(string history, string why);
}

using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Client;
using Temporalio.Converters;

namespace PgFlow.Cli.Procedures;

/// <summary>What is to be started.</summary>
/// <param name="Workflow">The workflow type.</param>
/// <param name="Json">Its input.</param>
/// <param name="Cluster">The cluster, as far as it can be read.</param>
/// <param name="TypeTheName">Whether a person types the cluster's name to confirm.</param>
internal sealed record StartRequest(string Workflow, string Json, string? Cluster, bool TypeTheName = false)
{
    /// <summary>Whether it can change anything at all.</summary>
    public bool Changes => ProcedureList.Find(Workflow) is not { ReadOnly: true };
}

/// <summary>Starts a procedure, has its plan confirmed, and follows it.</summary>
internal sealed class ProcedureStarter(InvocationContext call)
{
    public async Task<int> RunAsync(StartRequest request, CancellationToken cancel)
    {
        var ask = request.Changes && !call.Yes && !call.DryRun && !InputJson.IsDryRun(request.Json);
        if (ask && !call.Terminal.Interactive)
        {
            throw new CliError(
                ExitCodes.Usage,
                $"{request.Workflow} asks before it changes anything, and nobody is there to answer",
                hint: "add --yes, or look first with --dry-run"
            );
        }

        var client = await call.ConnectAsync(cancel);
        var handle = await StartAsync(client, request, ask, cancel);
        var follow = new ProcedureFollower(call, client, handle);
        return ask ? await follow.ConfirmAsync(new Confirmation(call, handle, request), cancel)
            : call.Detach ? follow.Detach()
            : await follow.UntilEndAsync(cancel);
    }

    private Task<WorkflowHandle> StartAsync(
        ITemporalClient client,
        StartRequest request,
        bool ask,
        CancellationToken cancel
    )
    {
        var json = InputJson.With(
            WithWords(call, request.Json),
            new Dictionary<string, object?>
            {
                ["dryRun"] = call.DryRun ? true : null,
                ["approve"] =
                    ask ? true
                    : call.Yes && request.TypeTheName ? false
                    : null, // DestroyCluster waits where nothing is said
                ["by"] = Temporal.User,
            }
        );
        return client.StartWorkflowAsync(
            request.Workflow,
            [Raw(json)],
            new(WorkflowId.New(request.Workflow, request.Cluster), Temporal.TaskQueue)
            {
                // nothing of this run alone: the Web UI copies it into what is started from its form
                StaticSummary = $"{request.Workflow} {request.Cluster}",
                TaskTimeout = Temporal.TaskTimeout,
                // whoever stops pgflow here must know whether there is something to reject
                Rpc = new() { CancellationToken = ask ? CancellationToken.None : cancel },
            }
        );
    }

    /// <summary>The input with what was said besides it.</summary>
    internal static string WithWords(InvocationContext call, string json) =>
        InputJson.With(
            json,
            new Dictionary<string, object?>
            {
                ["reason"] = call.Reason,
                ["takeOver"] = call.Parsed.GetValue(Flags.TakeOver),
            }
        );

    /// <summary>An input as a payload, as it was typed.</summary>
    internal static RawValue Raw(string json) =>
        new(
            new Payload
            {
                Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") },
                Data = ByteString.CopyFromUtf8(json),
            }
        );
}

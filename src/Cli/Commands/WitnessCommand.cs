using System.CommandLine;
using System.CommandLine.Parsing;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Commands;

/// <summary>The witness of a cluster: one workflow that a person starts, pauses and ends.</summary>
internal static class WitnessCommand
{
    private const string Start = "start";
    private const string Status = "status";

    /// <summary>What it can be told while it runs: the names of its updates.</summary>
    private static readonly string[] Orders = ["pause", "resume", "stop"];

    private static readonly Argument<string> Action = new("ACTION")
    {
        HelpName = "start|pause|resume|stop|status",
        Description = "Begin to watch, look away, watch again, end it, or show what it sees and has decided",
    };

    private static readonly Field[] Own = [.. InputField.Of(typeof(WatchClusterInput)).Select(Field.Of)];

    private static readonly Field[] Fields = [Field.Cluster, .. Own, Field.Reason];

    static WitnessCommand() => Action.AcceptOnlyFromAmong([Start, .. Orders, Status]);

    public static Command Command(Terminal terminal)
    {
        var command = InvocationContext.CommandOf(
            terminal,
            "witness",
            "Watch a cluster, and fail over by itself when its primary is down by two signs",
            [Flags.Cluster, Action, .. Own.Select(field => field.Symbol), Flags.Reason, .. Flags.Connection],
            RunAsync,
            parsed => InputCheck.Problems(typeof(WatchClusterInput), Field.Input(Fields, parsed), Fields)
        );
        command.Validators.Add(RefuseMixture);
        return command;
    }

    /// <summary>How much may be lost is decided when it starts.</summary>
    private static void RefuseMixture(CommandResult given)
    {
        if (given.GetResult(Action) is not { Tokens: [{ Value: not Start }] })
        {
            return;
        }

        foreach (var option in Own.Select(field => (Option)field.Symbol))
        {
            if (given.GetResult(option) is { Implicit: false })
            {
                given.AddError($"{option.Name} is for start: stop the witness and start it anew");
            }
        }
    }

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var (cluster, action) = (call.Parsed.GetRequiredValue(Flags.Cluster)!, call.Parsed.GetRequiredValue(Action));
        var client = await call.ConnectAsync(cancel);
        var id = WatchCluster.IdOf(ClusterName.Parse(cluster));
        if (action is Start)
        {
            await StartAsync(call, client, id, cluster, cancel);
        }
        else if (action is not Status)
        {
            await Decisions.OrderWitnessAsync(client.GetWorkflowHandle(id), action, call.Reason, cancel);
        }

        if (action is "stop")
        {
            if (call.Json)
            {
                call.Terminal.Json(new { workflowId = id, told = action });
            }

            call.Terminal.WriteInfo($"the witness of {cluster} ends");
            return ExitCodes.Done;
        }

        if (await Witnessed.OfAsync(client, cluster, cancel) is not { } witnessed)
        {
            throw new CliError(
                ExitCodes.Refused,
                $"{cluster} has no witness",
                hint: $"start one: pgflow witness {cluster} start"
            );
        }

        if (call.Json)
        {
            call.Terminal.Json(witnessed);
        }
        else
        {
            witnessed.Write(call.Terminal.Out);
        }

        return ExitCodes.Done;
    }

    private static async Task StartAsync(
        InvocationContext call,
        ITemporalClient client,
        string id,
        string cluster,
        CancellationToken cancel
    )
    {
        await new InspectionClient(call).ForAsync<Inspection>(nameof(InspectCluster), cancel); // it must be there
        var json = InputJson.With(
            Field.Input(Fields, call.Parsed).ToJsonString(PgFlowJson.Options),
            new Dictionary<string, object?> { ["by"] = Temporal.User }
        );
        try
        {
            await client.StartWorkflowAsync(
                nameof(WatchCluster),
                [ProcedureStarter.Raw(json)],
                new(id, Temporal.TaskQueue)
                {
                    StaticSummary = $"Witness of {cluster}",
                    TaskTimeout = Temporal.TaskTimeout,
                    Rpc = new() { CancellationToken = cancel },
                }
            );
        }
        catch (WorkflowAlreadyStartedException)
        {
            throw new CliError(
                ExitCodes.Refused,
                $"{cluster} has a witness already",
                hint: $"look at it: pgflow witness {cluster} status"
            );
        }
    }
}

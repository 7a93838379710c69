using System.CommandLine;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;

namespace PgFlow.Cli;

/// <summary>Lets Temporal start a procedure again and again, without pgflow: one schedule for each verb and
/// cluster.</summary>
internal sealed class Schedules(Call call)
{
    private const string Off = "off";

    public static readonly Option<string?> Cron = new("--schedule")
    {
        HelpName = "CRON|off",
        Description = "Start it at these times (UTC) from now on, as \"0 2 * * *\"; off ends that",
    };

    /// <summary>The schedule's ID: <c>pgflow-backup-demo</c>.</summary>
    public static string IdOf(string verb, string? cluster) => $"pgflow-{verb}-{cluster}";

    public async Task<int> RunAsync(string verb, Order order, string cron, CancellationToken cancel)
    {
        if (call.DryRun)
        {
            throw new CliError(
                ExitCodes.Usage,
                "--schedule and --dry-run don't go together",
                next: "look at one run first: leave --schedule out"
            );
        }

        var client = await call.ConnectAsync(cancel);
        var id = IdOf(verb, order.Cluster);
        call.Terminal.Say(
            cron is Off ? await EndAsync(client, id, cancel) : await SetAsync(client, id, order, cron, cancel)
        );
        return ExitCodes.Done;
    }

    private static async Task<string> EndAsync(ITemporalClient client, string id, CancellationToken cancel)
    {
        try
        {
            await client.GetScheduleHandle(id).DeleteAsync(new() { CancellationToken = cancel });
            return $"schedule {id} is off";
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return $"there is no schedule {id}";
        }
    }

    private async Task<string> SetAsync(
        ITemporalClient client,
        string id,
        Order order,
        string cron,
        CancellationToken cancel
    )
    {
        var json = InputJson.With(
            order.Json,
            new Dictionary<string, object?> { ["reason"] = call.Reason, ["by"] = $"schedule of {Temporal.User}" }
        );
        var schedule = new Schedule(
            ScheduleActionStartWorkflow.Create(
                order.Workflow,
                [Launch.Raw(json)],
                new($"{WorkflowId.Words(order.Workflow)}-{order.Cluster}", Temporal.TaskQueue)
                {
                    StaticSummary = $"{order.Workflow} {order.Cluster}, by schedule",
                }
            ),
            new() { CronExpressions = [cron] }
        )
        {
            Policy = new() { Overlap = Temporalio.Api.Enums.V1.ScheduleOverlapPolicy.Skip },
        };
        try
        {
            await client.CreateScheduleAsync(id, schedule, new() { Rpc = new() { CancellationToken = cancel } });
        }
        catch (ScheduleAlreadyRunningException)
        {
            await client.GetScheduleHandle(id).UpdateAsync(_ => new(schedule), new() { CancellationToken = cancel });
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.InvalidArgument)
        {
            throw new CliError(
                ExitCodes.Usage,
                $"'{cron}' is no schedule",
                e.Message,
                "give minute, hour, day, month and weekday, as \"0 2 * * *\", or off"
            );
        }

        var next = (await client.GetScheduleHandle(id).DescribeAsync(new() { CancellationToken = cancel }))
            .Info
            .NextActionTimes;
        return $"schedule {id}: {order.Workflow} at {cron} UTC; next "
            + $"{next.Select(time => $"{time:yyyy-MM-dd HH:mm}Z").FirstOrDefault("never")}";
    }
}

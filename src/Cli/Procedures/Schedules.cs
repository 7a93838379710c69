using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Procedures;

/// <summary>Lets Temporal start a procedure again and again, without pgflow: one schedule for each command and
/// cluster.</summary>
internal sealed partial class Schedules(InvocationContext call)
{
    private const string Off = "off";
    private const string Wanted = "give minute, hour, day, month and weekday, as \"0 2 * * *\", or off";

    /// <summary>The most that minute, hour, day, month and weekday can be.</summary>
    private static readonly int[] Most = [59, 23, 31, 12, 7];

    public static readonly Option<string?> Cron = new("--schedule")
    {
        HelpName = "CRON|off",
        Description = "Start it at these times (UTC) from now on, as \"0 2 * * *\"; off ends that",
    };

    /// <summary>What is wrong with the schedule that was typed, as far as it can be known without the server.</summary>
    public static IEnumerable<string> Problems(ParseResult parsed)
    {
        if (parsed.Given(Cron) is not { } cron)
        {
            yield break;
        }

        if (parsed.IsSet(Flags.DryRun))
        {
            yield return "--schedule, --dry-run: don't go together; to look at one run first leave --schedule out";
        }

        if (cron is not Off && !CanBe(cron))
        {
            yield return $"--schedule: '{cron}' is no schedule; {Wanted}";
        }
    }

    public async Task<int> RunAsync(StartRequest request, string cron, CancellationToken cancel)
    {
        var client = await call.ConnectAsync(cancel);
        var id = ProcedureList.Find(request.Workflow)!.ScheduleOf(request.Cluster)!;
        if (cron is not Off)
        {
            await new InspectionClient(call).ForAsync<Inspection>(nameof(InspectCluster), cancel); // it must be there
        }

        call.Terminal.WriteInfo(
            cron is Off ? await EndAsync(client, id, cancel) : await SetAsync(client, id, request, cron, cancel)
        );
        return ExitCodes.Done;
    }

    private static bool CanBe(string cron) =>
        Form().IsMatch(cron)
        && (
            cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is not { Length: 5 } fields
            || fields.Zip(Most).All(field => Number().Matches(field.First).All(found => IsWithin(found, field.Second)))
        );

    private static bool IsWithin(Match number, int most) =>
        int.TryParse(number.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= most;

    /// <summary>A number that is no step.</summary>
    [GeneratedRegex(@"(?<![/\d])\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    /// <summary>What cron's five fields can look like, with Temporal's seconds and year, or one of its words.</summary>
    [GeneratedRegex(
        @"^\s*((CRON_)?TZ=\S+\s+)?(@[a-z]+(\s+\S+)?|[\w*/,?-]+(\s+[\w*/,?-]+){4,6})\s*(#.*)?$",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Form();

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

    private static async Task CreateOrUpdateAsync(
        ITemporalClient client,
        string id,
        Schedule schedule,
        CancellationToken cancel
    )
    {
        try
        {
            await client.CreateScheduleAsync(id, schedule, new() { Rpc = new() { CancellationToken = cancel } });
        }
        catch (ScheduleAlreadyRunningException)
        {
            await client
                .GetScheduleHandle(id)
                .UpdateAsync(
                    old => new(schedule with { State = PausedAs(old.Description.Schedule.State) }),
                    new() { CancellationToken = cancel }
                );
        }
    }

    /// <summary>One that somebody has paused stays so.</summary>
    private static ScheduleState PausedAs(ScheduleState before) => new() { Paused = before.Paused, Note = before.Note };

    private async Task<string> SetAsync(
        ITemporalClient client,
        string id,
        StartRequest request,
        string cron,
        CancellationToken cancel
    )
    {
        var json = InputJson.With(
            request.Json,
            new Dictionary<string, object?> { ["reason"] = call.Reason, ["by"] = $"schedule of {Temporal.User}" }
        );
        var schedule = new Schedule(
            ScheduleActionStartWorkflow.Create(
                request.Workflow,
                [ProcedureStarter.Raw(json)],
                new($"{WorkflowId.Words(request.Workflow)}-{request.Cluster}", Temporal.TaskQueue)
                {
                    StaticSummary = $"{request.Workflow} {request.Cluster}, by schedule",
                    TaskTimeout = Temporal.TaskTimeout,
                }
            ),
            new() { CronExpressions = [cron] }
        )
        {
            Policy = new() { Overlap = Temporalio.Api.Enums.V1.ScheduleOverlapPolicy.Skip },
        };
        try
        {
            await CreateOrUpdateAsync(client, id, schedule, cancel);
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.InvalidArgument)
        {
            throw new CliError(ExitCodes.Usage, $"'{cron}' is no schedule", e.Message, Wanted);
        }

        var there = await client.GetScheduleHandle(id).DescribeAsync(new() { CancellationToken = cancel });
        var next = there.Schedule.State.Paused
            ? "it is paused"
            : $"next {there.Info.NextActionTimes.Select(time => ShownTime.Minute(time)).FirstOrDefault("never")}";
        return $"schedule {id}: {request.Workflow} at {cron} UTC; {next}";
    }
}

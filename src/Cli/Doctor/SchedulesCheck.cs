using Temporalio.Client;

namespace PgFlow.Cli.Doctor;

/// <summary>What is scheduled starts, and its last run succeeded.</summary>
internal sealed class SchedulesCheck : IDoctorCheck
{
    private const string Name = "Schedules";

    private const int Most = 100;

    public async Task<IReadOnlyList<DoctorAnswer>> RunAsync(ITemporalClient client, CancellationToken cancel)
    {
        var clusters = (await Runs.ClustersAsync(client, cancel)).Take(Most);
        var found = await Task.WhenAll(clusters.Select(cluster => ScheduledRun.OfAsync(client, cluster, cancel)));
        return Judge([.. found.SelectMany(schedules => schedules)]);
    }

    public static IReadOnlyList<DoctorAnswer> Judge(IReadOnlyList<ScheduledRun> schedules)
    {
        DoctorAnswer[] wrong = [.. schedules.Select(ProblemOf).OfType<DoctorAnswer>()];
        return wrong.Length > 0
            ? wrong
            :
            [
                new(
                    Name,
                    Ok: true,
                    schedules.Count == 0
                        ? "there are none"
                        : $"{PgFlowText.Count(schedules.Count, "schedule")}, none paused, and no last run failed"
                ),
            ];
    }

    private static DoctorAnswer? ProblemOf(ScheduledRun schedule) =>
        schedule switch
        {
            { Paused: true } => new(
                schedule.Id,
                Ok: false,
                "is paused: it starts nothing",
                $"temporal schedule toggle --schedule-id {schedule.Id} --unpause"
            ),
            { Next: null } => new(
                schedule.Id,
                Ok: false,
                "never starts anything again",
                "give it other times: --schedule of the procedure's command"
            ),
            { Failed: true, Last: { } last } => new(
                schedule.Id,
                Ok: false,
                $"its last run ended as {last.Outcome}",
                $"pgflow show {last.WorkflowId}"
            ),
            _ => null,
        };
}

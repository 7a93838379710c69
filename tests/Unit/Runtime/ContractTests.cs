using System.Text.Json;
using Temporalio.Workflows;

namespace PgFlow.UnitTests.Runtime;

/// <summary>Names that stand in histories, in people's scripts and in alarms: one may be added, none may be renamed or
/// taken away.</summary>
public sealed class ContractTests
{
    [Fact]
    public void Is_as_it_was_reviewed()
    {
        var today = Contract.Today();
        if (Environment.GetEnvironmentVariable("PGFLOW_WRITE_CONTRACT") is "1")
        {
            File.WriteAllText(Contract.File, today);
        }

        Assert.True(
            File.ReadAllText(Contract.File) == today,
            "docs/contract.txt is not what the code says: read docs/contributing.md, then write it anew by "
                + "PGFLOW_WRITE_CONTRACT=1 ./test unit -class '*ContractTests', and review the difference"
        );
    }

    [Fact]
    public void What_a_procedure_can_be_asked_and_told_is_described()
    {
        var definition = WorkflowDefinition.Create<Switchover>();

        Assert.All(definition.Queries.Values, query => Assert.NotNull(query.Description));
        Assert.All(definition.Updates.Values, update => Assert.NotNull(update.Description));
    }

    [Fact]
    public void A_report_is_read_as_it_was_written()
    {
        var report = new Report
        {
            Procedure = "Switchover",
            Cluster = ClusterName.Parse("demo"),
            Outcome = ProcedureStatus.ClusterBusy,
            Summary = "busy",
            Hints =
            [
                Hint.Resolve("decide it", "s-1", ResolveAction.Retry, step: 2),
                Hint.Repair(ClusterName.Parse("demo")),
            ],
            By = "anna",
            Acts = [new("approve", "carla", null, DateTimeOffset.UnixEpoch)],
            Steps = [new(1, "first", "one", StepState.Done, DateTimeOffset.UnixEpoch, 5)],
            StartedAt = DateTimeOffset.UnixEpoch,
            EndedAt = DateTimeOffset.UnixEpoch,
            WorkflowId = "w",
            RunId = "r",
        };
        var json = JsonSerializer.Serialize(report, PgFlowJson.Options);

        Assert.Equal(
            """{"procedure":"Switchover","cluster":"demo","outcome":"clusterBusy","summary":"busy","hints":[{"text":"decide it","input":{"action":"retry","step":2},"workflowId":"s-1","action":"resolve"},{"text":"put it right","procedure":"RepairCluster","input":{"cluster":"demo"}}],"by":"anna","acts":[{"what":"approve","by":"carla","at":"1970-01-01T00:00:00+00:00"}],"steps":[{"number":1,"id":"first","title":"one","state":"done","startedAt":"1970-01-01T00:00:00+00:00","milliseconds":5,"afterPointOfNoReturn":false}],"notes":[],"startedAt":"1970-01-01T00:00:00+00:00","endedAt":"1970-01-01T00:00:00+00:00","waitedMilliseconds":0,"workflowId":"w","runId":"r"}""",
            json
        );
        var read = JsonSerializer.Deserialize<Report>(json, PgFlowJson.Options)!;
        Assert.Equivalent(report with { Hints = [] }, read with { Hints = [] }, strict: true);
        Assert.Equal(json, JsonSerializer.Serialize(read, PgFlowJson.Options)); // of the hints' JSON too
    }
}

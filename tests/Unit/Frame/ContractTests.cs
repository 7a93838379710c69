using System.Reflection;
using System.Text.Json;
using Temporalio.Activities;
using Temporalio.Workflows;

namespace PgFlow.UnitTests.Frame;

/// <summary>Names that stand in histories, in people's scripts and in alarms: one may be added, none may be renamed or taken away.</summary>
public sealed class ContractTests
{
    private static readonly Type[] Types = typeof(Procedure).Assembly.GetTypes();

    [Fact]
    public void Workflows_and_their_inputs() => Assert.Equal(
        [
            "CloneCluster: approve, approveWithinSeconds, by, cluster, dryRun, externalNetwork, from, latest, nodes, reason, subnet, takeOver, timeline, toBackup, toLsn, toPoint, toTime, toXid, vip",
            "ClusterLease: procedure, workflowId, by",
            "CreateRestorePoint: approve, approveWithinSeconds, by, cluster, dryRun, name, reason, takeOver",
             "DestroyCluster: approve, approveWithinSeconds, by, cluster, dryRun, reason, takeOver",
             "Failback: approve, approveWithinSeconds, by, cluster, dryRun, node, reason, takeOver",
             "Failover: approve, approveWithinSeconds, by, cluster, dryRun, force, reason, takeOver, to",
             "InitCluster: approve, approveWithinSeconds, archive, by, cluster, dryRun, externalNetwork, image, nodes, reason, subnet, sync, takeOver, vip",
             "InspectCluster: approve, approveWithinSeconds, by, cluster, dryRun, reason, takeOver",
             "InspectTimeline: approve, approveWithinSeconds, by, cluster, dryRun, reason, takeOver",
            "RebuildLedger: approve, approveWithinSeconds, by, cluster, dryRun, reason, takeOver",
            "RecoverCluster: approve, approveWithinSeconds, by, cluster, dryRun, inspect, latest, reason, stopWithinSeconds, takeOver, timeline, toBackup, toLsn, toPoint, toTime, toXid",
             "RemakeStandby: approve, approveWithinSeconds, by, cluster, dryRun, node, reason, takeOver",
             "RepairCluster: approve, approveWithinSeconds, by, cluster, dryRun, primary, reason, takeOver",
             "Switchover: approve, approveWithinSeconds, by, cluster, dryRun, force, reason, stopWithinSeconds, takeOver, to",
             "TakeBackup: annotation, approve, approveWithinSeconds, by, cluster, dryRun, incremental, keep, keepDays, node, reason, takeOver",
            "VerifyBackup: approve, approveWithinSeconds, backup, by, cluster, dryRun, reason, takeOver",
        ],
        Types.Where(type => type.IsDefined(typeof(WorkflowAttribute), inherit: false)).Select(Describe).Order(StringComparer.Ordinal));

    [Fact]
    public void Activities() => Assert.Equal(
        [
            "BeginRestore", "Checkpoint", "ChooseBackupParent", "CompareStandbys", "CompleteArchive", "CompleteLedger", "CopyPrimary", "CopyToRepository", "CreateNetworks",
            "CreateNodes", "CreateRestorePointRecord", "DescribeLease", "DiscardBackup", "EndBackup", "ExamineDivergence", "FenceNode",
            "FetchWal", "FindRestorePoint", "FindStarter", "FindUnneeded", "FindUnrecorded", "InitializeDatabase", "InspectArchive", "InspectImage", "LeaveEarlierRun", "LeaveEndpoint", "MarkStandby",
            "MeasureLoss", "MoveEndpoint", "ObserveCluster", "OfferReadOnly", "PrepareStop", "PromoteStandby", "ProveArchiving", "ProveBackup",
            "ProveEndpoint", "ProveLedger", "ProveShutdownReplayed", "ProveStreaming", "PublishBackup", "PublishTimelineHistory", "ReadTimelines",
            "RecordProcedure", "RecordRestorePoint", "RecordTimeline", "RecreateMissing", "RemoveBackups", "RemoveCluster", "ReplayWal", "ResolveTarget", "RestartSummarizer", "RestoreBackup",
            "RewindData", "SalvageWal", "SetReplicationSlots", "SetRoles", "SettleNode", "ShareSecrets", "StartPostgres", "StopPostgres", "SwapBack", "SwapInCopy",
            "TakeBackCreated", "TakeOverLease", "TidyUp", "UnfenceNode", "VerifyRecovery", "WaitForReplay", "WriteSettings",
        ],
        Types.SelectMany(type => type.GetMethods()).Select(method => method.GetCustomAttribute<ActivityAttribute>()?.Name).OfType<string>().Order(StringComparer.Ordinal));

    [Fact]
    public void What_a_procedure_can_be_asked_and_told()
    {
        var definition = WorkflowDefinition.Create<Switchover>();

        Assert.Equal(["progress"], definition.Queries.Keys);
        Assert.Equal(["approve", "interrupt", "reject", "resolve", "yield"], definition.Updates.Keys.Order(StringComparer.Ordinal));
        Assert.All(definition.Queries.Values, query => Assert.NotNull(query.Description));
        Assert.All(definition.Updates.Values, update => Assert.NotNull(update.Description));
        Assert.Equal(["Release"], WorkflowDefinition.Create<ClusterLease>().Signals.Keys);
        Assert.Equal(
            ["pgflow-lease-demo", "pgflow-lease-demo.backup", "pgflow-lease-demo.verify"],
            Enum.GetValues<LeaseKind>().Select(kind => ClusterLease.IdOf(ClusterName.Parse("demo"), kind)));
    }

    [Fact]
    public void Ends_of_a_procedure() => Assert.Equal(
        ["ClusterBusy", "Incomplete", "InvalidInput", "Refused", "Unchanged"],
        typeof(Ends).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal));

    [Fact]
    public void Outcomes() => Assert.Equal(
        ["running", "waitingForApproval", "blocked", "undoing", "planned", "succeeded", "refused", "clusterBusy", "unchanged", "incomplete", "cancelled", "inspecting"],
        Enum.GetValues<Outcome>().Select(PgFlowText.Word));

    [Fact]
    public void Search_attributes() => Assert.Equal(
        ["PgFlowCluster: Keyword", "PgFlowOutcome: Keyword", "PgFlowPrimary: Keyword", "PgFlowProcedure: Keyword", "PgFlowRequestedBy: Keyword", "PgFlowTimeline: Int"],
        Attributes.All.Select(pair => $"{pair.Key}: {pair.Value}").Order(StringComparer.Ordinal));

    [Fact]
    public void A_report_is_read_as_it_was_written()
    {
        var report = new Report
        {
            Procedure = "Switchover",
            Cluster = ClusterName.Parse("demo"),
            Outcome = Outcome.ClusterBusy,
            Summary = "busy",
            By = "anna",
            Steps = [new(1, "first", "one", StepState.Done, DateTimeOffset.UnixEpoch, 5)],
            StartedAt = DateTimeOffset.UnixEpoch,
            EndedAt = DateTimeOffset.UnixEpoch,
            WorkflowId = "w",
            RunId = "r",
        };
        var json = JsonSerializer.Serialize(report, PgFlowJson.Options);

        Assert.Equal(
            """{"procedure":"Switchover","cluster":"demo","outcome":"clusterBusy","summary":"busy","by":"anna","steps":[{"number":1,"id":"first","title":"one","state":"done","startedAt":"1970-01-01T00:00:00+00:00","milliseconds":5,"afterPointOfNoReturn":false}],"notes":[],"startedAt":"1970-01-01T00:00:00+00:00","endedAt":"1970-01-01T00:00:00+00:00","waitedMilliseconds":0,"workflowId":"w","runId":"r"}""",
            json);
        Assert.Equivalent(report, JsonSerializer.Deserialize<Report>(json, PgFlowJson.Options), strict: true);
    }

    private static string Describe(Type workflow)
    {
        var input = workflow.GetMethods().Single(method => method.IsDefined(typeof(WorkflowRunAttribute))).GetParameters().Single().ParameterType;
        var fields = input.IsAssignableTo(typeof(ProcedureInput))
            ? InputReader.Fields(input).Order(StringComparer.Ordinal)
            : input.GetProperties().Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name));
        return $"{workflow.Name}: {string.Join(", ", fields)}";
    }
}

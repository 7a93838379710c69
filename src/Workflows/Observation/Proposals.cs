using System.Text.Json;
using Temporalio.Exceptions;

namespace PgFlow.Workflows;

/// <summary>What is proposed has been asked: a procedure is a hint only where its own plan would accept.</summary>
internal static class Proposals
{
    /// <summary>The findings; a hint whose procedure would be refused says by what instead.</summary>
    public static async Task<Inspection> AskedAsync(Inspection inspection)
    {
        var findings = new List<Finding>();
        foreach (var finding in inspection.Findings)
        {
            findings.Add(finding.Hint is { Procedure: not null } hint && await RefusalAsync(hint, inspection.State) is { } why
                ? finding with { Hint = new($"{hint.Procedure} would be refused: {why}") }
                : finding);
        }

        return inspection with { Findings = findings };
    }

    /// <summary>What the plan of a hint's procedure has against it; null where it accepts, or leaves something for the reader to choose.</summary>
    public static async Task<string?> RefusalAsync(Hint hint, ClusterState state)
    {
        try
        {
            await PlanAsync(hint, state);
            return null;
        }
        catch (ApplicationFailureException e)
        {
            return e.Message;
        }
    }

    private static async Task PlanAsync(Hint hint, ClusterState state)
    {
        switch (hint.Procedure)
        {
            case nameof(Failover):
                await FailoverPlan.FromAsync(Input<FailoverInput>(hint), state);
                break;
            case nameof(Failback) when hint.Input!.ContainsKey("node"):
                FailbackPlan.From(Input<FailbackInput>(hint), state);
                break;
            case nameof(RemakeStandby):
                RemakeStandbyPlan.From(Input<RemakeStandbyInput>(hint), state);
                break;
            case nameof(Switchover):
                SwitchoverPlan.From(Input<SwitchoverInput>(hint), state);
                break;
            case nameof(TakeBackup):
                TakeBackupPlan.From(Input<TakeBackupInput>(hint), state);
                break;
            case nameof(RepairCluster):
                RepairClusterPlan.From(Input<RepairClusterInput>(hint), state);
                break;
            default:
                break; // the others have no precondition but the cluster itself
        }
    }

    private static T Input<T>(Hint hint)
        where T : ProcedureInput => (T)InputReader.Read(JsonSerializer.SerializeToUtf8Bytes(hint.Input), typeof(T));
}

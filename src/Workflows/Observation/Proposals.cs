namespace PgFlow.Workflows.Observation;

/// <summary>What is proposed has been asked: a procedure is a hint only where its own plan would accept.</summary>
internal static class Proposals
{
    /// <summary>The findings; a hint whose procedure would be refused says by what instead.</summary>
    public static async Task<Inspection> AskedAsync(Inspection inspection)
    {
        var findings = new List<Finding>();
        foreach (var finding in inspection.Findings)
        {
            findings.Add(
                finding.Hint is { Procedure: not null } hint && await RefusalAsync(hint, inspection.State) is { } why
                    ? finding with
                    {
                        Hint = new($"{hint.Procedure} would be refused: {why}"),
                    }
                    : finding
            );
        }

        return inspection with
        {
            Findings = findings,
        };
    }

    /// <summary>What the plan of a hint's procedure has against it; null where it accepts, or leaves something for the
    /// reader to choose.</summary>
    public static async Task<string?> RefusalAsync(Hint hint, ClusterState state)
    {
        try
        {
            await ProcedureList.PlanAsync(hint, state);
            return null;
        }
        catch (PgFlowException e)
        {
            return e.Message;
        }
    }
}

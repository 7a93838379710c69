namespace PgFlow.Workflows.Observation;

/// <summary>What is proposed has been asked: a procedure is a hint only where its own plan would accept, without
/// force.</summary>
internal static class Proposals
{
    /// <summary>The findings; a hint whose procedure would be refused says by what instead.</summary>
    public static async Task<Inspection> AskedAsync(Inspection inspection)
    {
        var findings = new List<Finding>();
        foreach (var finding in inspection.Findings)
        {
            findings.Add(
                finding.Hint is { Procedure: not null } hint
                && await RefusalAsync(hint, inspection.State) is { } refusal
                    ? finding with
                    {
                        Hint = await InsteadAsync(hint, refusal, inspection.State),
                    }
                    : finding
            );
        }

        return inspection with
        {
            Findings = findings,
        };
    }

    /// <summary>What is said where a hint's procedure would be refused: what that proposes, where it is
    /// accepted.</summary>
    public static async Task<Hint> InsteadAsync(Hint hint, PgFlowException refusal, ClusterState state)
    {
        var why = $"{hint.Procedure} would be refused: {refusal.Message}";
        // to insist is a person's decision
        return
            refusal.Hints is [{ Input: { } input } instead]
            && input["force"] is null
            && await RefusalAsync(instead, state) is null
            ? instead with
            {
                Text = $"{why}; {instead.Text}",
            }
            : new(why);
    }

    /// <summary>What the plan of a hint's procedure has against it; null where it accepts, or leaves something for the
    /// reader to choose.</summary>
    public static async Task<PgFlowException?> RefusalAsync(Hint hint, ClusterState state)
    {
        try
        {
            await ProcedureList.PlanAsync(hint, state);
            return null;
        }
        catch (PgFlowException e)
        {
            return e;
        }
    }
}

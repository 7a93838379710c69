using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <content>How a procedure begins that only looks: without plan, lease and record.</content>
public abstract partial class Procedure
{
    private protected ClusterName BeginLook(ProcedureInput input)
    {
        if (input.Problems() is { Count: > 0 } problems)
        {
            throw Failure.Invalid(problems);
        }

        Cluster = input.Cluster;
        Workflow.UpsertTypedSearchAttributes(
            Attributes.Cluster.ValueSet(input.Cluster.ToString()),
            Attributes.Procedure.ValueSet(Workflow.Info.WorkflowType)
        );
        return input.Cluster;
    }
}

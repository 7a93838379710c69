using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <content>What every procedure does that opens a timeline.</content>
public abstract partial class Procedure
{
    /// <summary>What follows every promotion at once: no procedure promotes or ends before the new history is in the
    /// archive.</summary>
    /// <param name="promotion">The promotion.</param>
    /// <param name="leftAt">When the branch that was live could be written to last; null where there was none.</param>
    /// <param name="openedAt">Directly before the promotion: nothing was committed on the new branch earlier.</param>
    protected async Task RecordTimelineSwitchAsync(
        StepResult<Promotion> promotion,
        DateTimeOffset? leftAt,
        DateTimeOffset openedAt
    )
    {
        await RequiredStep(
            "publish-history",
            "The new timeline's history is in the archive",
            () => Archives.PublishHistoryAsync(promotion.Value.Node)
        );
        await Step(
            "record-timeline",
            "The ledger knows the new timeline",
            async () =>
            {
                var (node, timeline, parent, switchedAt) = promotion.Value;
                await Ledger.OpenTimelineAsync(
                    new(
                        node,
                        timeline,
                        parent,
                        switchedAt,
                        openedAt,
                        Workflow.Info.WorkflowId,
                        Workflow.Info.WorkflowType,
                        leftAt
                    )
                );
                PublishPrimary(node, timeline);
            }
        );
    }

    /// <summary>Where the cluster stands now, for those who search.</summary>
    protected static void PublishPrimary(NodeId primary, Timeline timeline) =>
        Workflow.UpsertTypedSearchAttributes(
            Attributes.Primary.ValueSet(primary.ToString()),
            Attributes.Timeline.ValueSet(timeline.Number)
        );
}

namespace PgFlow.Workflows.Runtime;

/// <summary>Where Temporal's Web UI shows a workflow.</summary>
public static class WebUiLink
{
    /// <summary>A workflow, or one run of it.</summary>
    public static Uri To(Uri ui, string @namespace, string workflowId, string? runId = null) =>
        new(
            ui,
            $"/namespaces/{Uri.EscapeDataString(@namespace)}/workflows/{Uri.EscapeDataString(workflowId)}"
                + (runId is null ? "" : $"/{runId}/history")
        );
}

using Temporalio.Api.Common.V1;
using Temporalio.Converters;
using Temporalio.Worker.Interceptors;
using Temporalio.Workflows;

namespace PgFlow.Workflows;

/// <summary>The step that an activity belongs to.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Title">Its effect.</param>
public sealed record StepMark(int Number, string Title)
{
    private const string Header = "pgflow-step";

    /// <summary>What came with an activity; null where it belongs to no step.</summary>
    public static StepMark? Of(IEnumerable<KeyValuePair<string, Payload>>? headers) =>
        headers?.FirstOrDefault(header => header.Key == Header).Value is { } payload
            ? PgFlowJson.Converter.PayloadConverter.ToValue<StepMark>(payload)
            : null;

    /// <summary>The same headers with this mark.</summary>
    internal Dictionary<string, Payload> In(IDictionary<string, Payload>? headers) =>
        new(headers ?? new Dictionary<string, Payload>())
        {
            [Header] = PgFlowJson.Converter.PayloadConverter.ToPayload(this),
        };
}

/// <summary>Tells every activity which step it belongs to. By a header: histories are replayed without it.</summary>
public sealed class StepInterceptor : IWorkerInterceptor
{
    /// <inheritdoc/>
    public WorkflowInboundInterceptor InterceptWorkflow(WorkflowInboundInterceptor nextInterceptor) =>
        new Inbound(nextInterceptor);

    private sealed class Inbound(WorkflowInboundInterceptor next) : WorkflowInboundInterceptor(next)
    {
        public override void Init(WorkflowOutboundInterceptor outbound) => base.Init(new Outbound(outbound));
    }

    private sealed class Outbound(WorkflowOutboundInterceptor next) : WorkflowOutboundInterceptor(next)
    {
        public override Task<TResult> ScheduleActivityAsync<TResult>(ScheduleActivityInput input) =>
            base.ScheduleActivityAsync<TResult>(
                Workflow.Instance is Procedure && Procedure.StepNow is { } step
                    ? input with
                    {
                        Headers = step.In(input.Headers),
                    }
                    : input
            );
    }
}

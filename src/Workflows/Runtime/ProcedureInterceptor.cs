using Temporalio.Api.Common.V1;
using Temporalio.Converters;
using Temporalio.Worker.Interceptors;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <summary>For what an activity works.</summary>
/// <param name="Step">The step that it belongs to; null where it belongs to none.</param>
/// <param name="Lease">What its procedure holds, without which it may change nothing.</param>
public sealed record ActivityMark(StepMark? Step, LeaseMark? Lease)
{
    private const string Header = "pgflow";

    /// <summary>What came with an activity; null where an earlier build scheduled it.</summary>
    public static ActivityMark? Of(IEnumerable<KeyValuePair<string, Payload>>? headers) =>
        headers?.FirstOrDefault(header => header.Key == Header).Value is { } payload
            ? PgFlowJson.Converter.PayloadConverter.ToValue<ActivityMark>(payload)
            : null;

    /// <summary>The same headers with this mark.</summary>
    internal Dictionary<string, Payload> In(IDictionary<string, Payload>? headers) =>
        new(headers ?? new Dictionary<string, Payload>())
        {
            [Header] = PgFlowJson.Converter.PayloadConverter.ToPayload(this),
        };
}

/// <summary>A line of a runbook.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Title">Its effect.</param>
public sealed record StepMark(int Number, string Title);

/// <summary>A lease.</summary>
/// <param name="Cluster">Of which cluster.</param>
/// <param name="Kind">For what.</param>
public sealed record LeaseMark(ClusterName Cluster, LeaseKind Kind);

/// <summary>Tells every activity for what it works (by a header: histories are replayed without it), and Temporal what
/// a failure of the domain is.</summary>
public sealed class ProcedureInterceptor : IWorkerInterceptor
{
    /// <inheritdoc/>
    public WorkflowInboundInterceptor InterceptWorkflow(WorkflowInboundInterceptor nextInterceptor) =>
        new Inbound(nextInterceptor);

    private sealed class Inbound(WorkflowInboundInterceptor next) : WorkflowInboundInterceptor(next)
    {
        public override void Init(WorkflowOutboundInterceptor outbound) => base.Init(new Outbound(outbound));

        public override Task<object?> ExecuteWorkflowAsync(ExecuteWorkflowInput input) =>
            MappedAsync(base.ExecuteWorkflowAsync(input));

        public override Task<object?> HandleUpdateAsync(HandleUpdateInput input) =>
            MappedAsync(base.HandleUpdateAsync(input));

        public override void ValidateUpdate(HandleUpdateInput input)
        {
            try
            {
                base.ValidateUpdate(input);
            }
            catch (PgFlowException e)
            {
                throw TemporalFailures.Of(e);
            }
        }

        /// <summary>Of the domain's failures only: any other exception is a bug, and suspends the workflow.</summary>
        private static async Task<object?> MappedAsync(Task<object?> work)
        {
            try
            {
                return await work;
            }
            catch (PgFlowException e)
            {
                throw TemporalFailures.Of(e);
            }
        }
    }

    private sealed class Outbound(WorkflowOutboundInterceptor next) : WorkflowOutboundInterceptor(next)
    {
        public override Task<TResult> ScheduleActivityAsync<TResult>(ScheduleActivityInput input) =>
            base.ScheduleActivityAsync<TResult>(
                Workflow.Instance is Procedure procedure
                    ? input with
                    {
                        Options = Routed(input.Options, Subject.Of(input.Args)?.Node?.Host ?? HostName.Local),
                        Headers = new ActivityMark(Procedure.StepNow, procedure.LeaseNow).In(input.Headers),
                    }
                    : input
            );

        /// <summary>What is about a node is done beside its Docker daemon.</summary>
        private static ActivityOptions Routed(ActivityOptions options, HostName host)
        {
            options.TaskQueue = host == HostName.Local ? options.TaskQueue : $"{Workflow.Info.TaskQueue}.{host}";
            return options;
        }
    }
}

using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace PgFlow.Worker;

/// <summary>Sends traces to the collector that the standard's environment variables name.</summary>
internal static class Tracing
{
    public static void AddTracing(this HostApplicationBuilder builder)
    {
        builder.Configuration.AddEnvironmentVariables(); // OTEL_…
        builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("pgflow-worker").AddEnvironmentVariableDetector())
            .WithTracing(traces =>
                traces.AddSource(ProcedureTrace.Source.Name).AddNpgsql().AddProcessor(new SpanLimit()).AddOtlpExporter()
            );
    }

    /// <summary>Whoever waits asks again and again: one span has no more than so many below it.</summary>
    internal sealed class SpanLimit : BaseProcessor<Activity>
    {
        internal const int Most = 200;
        private const string Counter = "pgflow.spans";

        public override void OnEnd(Activity data)
        {
            if (data.Parent is { } parent && Count(parent) is > Most and var count)
            {
                data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
                parent.SetTag("pgflow.spans_dropped", count - Most);
            }
        }

        private static int Count(Activity span)
        {
            lock (span)
            {
                var count = (span.GetCustomProperty(Counter) as int? ?? 0) + 1;
                span.SetCustomProperty(Counter, count);
                return count;
            }
        }
    }
}

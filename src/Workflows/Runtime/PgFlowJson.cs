using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace PgFlow.Workflows.Runtime;

/// <summary>How everything that PgFlow gives to Temporal is written: camelCase JSON, enums by name.</summary>
public static class PgFlowJson
{
    /// <summary>The options, also for the CLI's own JSON.</summary>
    public static JsonSerializerOptions Options { get; } =
        new(JsonSerializerDefaults.Web)
        {
            // else an input can't be read before something else was serialized
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
            NumberHandling = JsonNumberHandling.Strict,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters =
            {
                new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
                new TargetConverter(),
            },
        };

    /// <summary>The converter that workers and clients share.</summary>
    public static DataConverter Converter { get; } =
        DataConverter.Default with
        {
            PayloadConverter = new InputConverter(new DefaultPayloadConverter(Options)),
        };

    /// <summary>Reads inputs without ever throwing: a workflow whose input can't be read would be retried for
    /// ever.</summary>
    private sealed class InputConverter(IPayloadConverter inner) : IPayloadConverter
    {
        public Payload ToPayload(object? value) => inner.ToPayload(value);

        public object? ToValue(Payload payload, Type type) =>
            typeof(ProcedureInput).IsAssignableFrom(type)
                ? InputReader.Read(payload.Data.ToByteArray(), type)
                : inner.ToValue(payload, type);
    }
}

namespace PgFlow.Worker;

/// <summary>An OpenTelemetry collector, as the standard's environment variables name it.</summary>
/// <param name="Endpoint">Where it is.</param>
/// <param name="IsHttp">Whether it takes protobuf over HTTP; else gRPC.</param>
/// <param name="Headers">What it wants to be told with every call.</param>
internal sealed record OtlpCollector(Uri Endpoint, bool IsHttp, IReadOnlyDictionary<string, string> Headers)
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string ProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL";
    private const string HeadersVariable = "OTEL_EXPORTER_OTLP_HEADERS";

    /// <summary>Null where none is named; what is wrong is added to <paramref name="problems"/>.</summary>
    public static OtlpCollector? Of(Func<string, string?> environment, List<string> problems)
    {
        if (environment(EndpointVariable) is not { Length: > 0 } text)
        {
            return null;
        }

        var protocol = environment(ProtocolVariable) is { Length: > 0 } given ? given : "grpc";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            problems.Add($"{EndpointVariable}: '{text}' is not http://HOST:PORT or https://HOST:PORT");
            return null;
        }

        if (protocol is not ("grpc" or "http/protobuf"))
        {
            problems.Add($"{ProtocolVariable}: '{protocol}' is not grpc or http/protobuf");
        }

        return new(endpoint, protocol == "http/protobuf", HeadersOf(environment(HeadersVariable)));
    }

    /// <summary>As in <c>key1=value1,key2=value2</c>, the values URL-encoded.</summary>
    private static Dictionary<string, string> HeadersOf(string? text) =>
        (text ?? "")
            .Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(header => header.Split('=', 2))
            .Where(header => header.Length == 2)
            .GroupBy(header => header[0].Trim(), header => Uri.UnescapeDataString(header[1].Trim()))
            .ToDictionary(header => header.Key, header => header.Last());
}

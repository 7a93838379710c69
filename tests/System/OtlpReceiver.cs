using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Google.Protobuf;

namespace PgFlow.SystemTests;

/// <summary>An OpenTelemetry collector that keeps what a worker sends by HTTP.</summary>
internal sealed class OtlpReceiver : IDisposable
{
    private readonly HttpListener _http = new();
    private readonly ConcurrentQueue<Span> _spans = new();

    public OtlpReceiver()
    {
        Endpoint = $"http://127.0.0.1:{Scrape.FreePort()}";
        _http.Prefixes.Add($"{Endpoint}/");
        _http.Start();
        _ = ReceiveAsync();
    }

    public string Endpoint { get; }

    /// <summary>What a worker has in its environment that sends here.</summary>
    public (string Name, string Value)[] Environment =>
        [("OTEL_EXPORTER_OTLP_ENDPOINT", Endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")];

    public IReadOnlyList<Span> Spans => [.. _spans];

    public void Dispose() => _http.Close();

    private async Task ReceiveAsync()
    {
        while (_http.IsListening)
        {
            try
            {
                var call = await _http.GetContextAsync();
                using var body = new MemoryStream();
                await call.Request.InputStream.CopyToAsync(body);
                Read(body.ToArray());
                call.Response.ContentType = "application/x-protobuf";
                call.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // closed, or its client has gone
            }
        }
    }

    /// <summary>An ExportTraceServiceRequest: resource_spans (1), scope_spans (2), spans (2).</summary>
    private void Read(byte[] request)
    {
        foreach (
            var span in Parts(request, 1)
                .SelectMany(resource => Parts(resource, 2))
                .SelectMany(scope => Parts(scope, 2))
        )
        {
            _spans.Enqueue(
                new(
                    Convert.ToHexStringLower(Parts(span, 1).Single()),
                    Convert.ToHexStringLower(Parts(span, 2).Single()),
                    Convert.ToHexStringLower(Parts(span, 4).SingleOrDefault([])),
                    Encoding.UTF8.GetString(Parts(span, 5).Single()),
                    Encoding.UTF8.GetString(span)
                )
            );
        }
    }

    /// <summary>The values of a field of a message, in bytes.</summary>
    private static List<byte[]> Parts(byte[] message, int field)
    {
        var found = new List<byte[]>();
        var input = new CodedInputStream(message);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (tag == WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited))
            {
                found.Add(input.ReadBytes().ToByteArray());
            }
            else
            {
                input.SkipLastField();
            }
        }

        return found;
    }

    /// <summary>A span.</summary>
    /// <param name="Text">All that it says, between bytes.</param>
    internal sealed record Span(string TraceId, string SpanId, string ParentId, string Name, string Text);
}

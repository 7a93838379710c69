using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PgFlow.SystemTests;

/// <summary>A place that gRPC is sent to: it answers nothing but that it speaks HTTP/2, and keeps what comes, in which
/// protobuf's texts stand as they are.</summary>
internal sealed class GrpcSink : IDisposable
{
    private static readonly byte[] Settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly StringBuilder _received = new();

    public GrpcSink()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Endpoint => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public bool Has(string text)
    {
        lock (_received)
        {
            return _received.ToString().Contains(text, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ReadAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // disposed
        }
    }

    private async Task ReadAsync(TcpClient client)
    {
        using var stream = client.GetStream();
        await stream.WriteAsync(Settings);
        var buffer = new byte[65536];
        for (var read = 1; read > 0; )
        {
            read = await stream.ReadAsync(buffer);
            lock (_received)
            {
                _received.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
    }
}

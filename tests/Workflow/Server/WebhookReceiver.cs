using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace PgFlow.WorkflowTests.Server;

/// <summary>Somebody's webhook: it keeps what is posted to it, and answers as a test says.</summary>
internal sealed class WebhookReceiver : IDisposable
{
    private readonly HttpListener _http = new();
    private readonly Channel<Event> _events = Channel.CreateUnbounded<Event>();
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WebhookReceiver()
    {
        Url = new($"http://127.0.0.1:{Scrape.FreePort()}/hook");
        _http.Prefixes.Add($"{Url}/");
        _http.Start();
        _ = ReceiveAsync();
    }

    public Uri Url { get; }

    /// <summary>What it answers.</summary>
    public HttpStatusCode Answer { get; set; } = HttpStatusCode.Accepted;

    /// <summary>It answers nobody before it is released.</summary>
    public bool Hangs { get; set; }

    public void Release()
    {
        Hangs = false;
        _released.TrySetResult();
    }

    /// <summary>The next event that is posted, whatever it is answered.</summary>
    public async Task<Event> NextAsync() =>
        await _events.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>The next so many events, in the order in which they happened: they may arrive in another.</summary>
    public async Task<IReadOnlyList<Event>> NextAsync(int count)
    {
        var events = new List<Event>();
        while (events.Count < count)
        {
            events.Add(await NextAsync());
        }

        return [.. events.OrderBy(happened => happened.Json.GetProperty("time").GetDateTimeOffset())];
    }

    /// <summary>Nothing has come that was not asked for.</summary>
    public bool IsQuiet => !_events.Reader.TryPeek(out _);

    public void Dispose()
    {
        Release();
        _http.Close();
    }

    private async Task ReceiveAsync()
    {
        while (_http.IsListening)
        {
            try
            {
                _ = AnswerAsync(await _http.GetContextAsync());
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // closed
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext call)
    {
        try
        {
            using var body = new StreamReader(call.Request.InputStream, Encoding.UTF8);
            var text = await body.ReadToEndAsync();
            var (held, answer) = (Hangs, Answer);
            _events.Writer.TryWrite(new(call.Request.HttpMethod, call.Request.ContentType!, text, answer));
            if (held)
            {
                await _released.Task;
            }

            call.Response.StatusCode = (int)answer;
            call.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // its client has gone
        }
    }

    /// <summary>What was posted.</summary>
    internal sealed record Event(string Method, string ContentType, string Text, HttpStatusCode Answer)
    {
        public JsonElement Json { get; } = JsonDocument.Parse(Text).RootElement;

        public string Id => Json.GetProperty("id").GetString()!;

        public string Type => Json.GetProperty("type").GetString()!;

        public Notification Data => Json.GetProperty("data").Deserialize<Notification>(PgFlowJson.Options)!;
    }
}

using CloudNative.CloudEvents;
using CloudNative.CloudEvents.Http;
using CloudNative.CloudEvents.SystemTextJson;
using Microsoft.Extensions.Options;
using Temporalio.Activities;

namespace PgFlow.Activities;

/// <summary>Tells those whom the worker is configured for, in the format of CloudEvents 1.0.</summary>
internal sealed class NotificationActivities(IOptions<ActivityHostOptions> options, TimeLimits limits)
    : INotificationActivities
{
    private static readonly JsonEventFormatter Json = new(PgFlowJson.Options, default);

    /// <summary>A redirected POST arrives as a GET, or nowhere; and an address may move.</summary>
    private static readonly HttpClient Http = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) }
    )
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly Dictionary<Receiver, Func<CloudEvent, CancellationToken, Task>> _receivers = ReceiversOf(
        options.Value
    );

    public Task<IReadOnlyList<Receiver>> FindReceiversAsync() =>
        Task.FromResult<IReadOnlyList<Receiver>>([.. _receivers.Keys]);

    public async Task DeliverNotificationAsync(Notification notification, Receiver receiver)
    {
        if (!_receivers.TryGetValue(receiver, out var deliver))
        {
            return;
        }

        var context = ActivityExecutionContext.Current;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        limit.CancelAfter(limits.Notification);
        try
        {
            await deliver(EventOf(notification, context.Info), limit.Token);
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw new UndeliveredException($"it did not end within {limits.Notification.TotalSeconds} s");
        }
    }

    private static Dictionary<Receiver, Func<CloudEvent, CancellationToken, Task>> ReceiversOf(
        ActivityHostOptions options
    )
    {
        var receivers = new Dictionary<Receiver, Func<CloudEvent, CancellationToken, Task>>();
        if (options.NotifyUrl is { } url)
        {
            receivers[Receiver.Webhook] = (news, cancel) => PostAsync(url, news, cancel);
        }

        if (options.NotifyProgram is { } command)
        {
            var program = new NotificationProgram(command);
            receivers[Receiver.Program] = (news, cancel) =>
                program.RunAsync(Json.EncodeStructuredModeMessage(news, out _), cancel);
        }

        return receivers;
    }

    private static async Task PostAsync(Uri url, CloudEvent news, CancellationToken cancel)
    {
        using var content = news.ToHttpContent(ContentMode.Structured, Json);
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = content };
        using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Its ID is that of the workflow which delivers it, so the same however often that is tried.</summary>
    private CloudEvent EventOf(Notification notification, ActivityInfo delivery) =>
        new()
        {
            Id = delivery.WorkflowId!,
            Source = new($"/pgflow/{notification.Cluster}", UriKind.Relative),
            Type = $"pgflow.procedure.{PgFlowText.Word(notification.Status)}",
            Subject = notification.WorkflowId,
            Time = notification.At,
            DataContentType = "application/json",
            Data = notification with
            {
                Link = options.Value.Ui is { } ui
                    ? WebUiLink.To(ui, delivery.Namespace, notification.WorkflowId, notification.RunId)
                    : null,
            },
        };
}

/// <summary>A receiver could not be told now; it may be later.</summary>
internal sealed class UndeliveredException(string message) : Exception(message);

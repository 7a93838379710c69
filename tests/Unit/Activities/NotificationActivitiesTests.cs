using System.Net;
using Microsoft.Extensions.Options;
using Temporalio.Testing;

namespace PgFlow.UnitTests.Activities;

public sealed class NotificationActivitiesTests : IDisposable
{
    private readonly WebhookReceiver _hook = new();

    private readonly Notification _news = new()
    {
        At = DateTimeOffset.UnixEpoch,
        Cluster = ClusterName.Parse("demo"),
        Procedure = "Failover",
        WorkflowId = "failover demo/1",
        RunId = "r-1",
        Status = ProcedureStatus.Blocked,
        Summary = "blocked",
        By = "anna",
    };

    public void Dispose() => _hook.Dispose();

    [Fact]
    public async Task Nobody_is_told_by_default()
    {
        var activities = Of(new());
        Assert.Empty(await activities.FindReceiversAsync());
        await DeliverAsync(activities, Receiver.Webhook);
        await DeliverAsync(activities, Receiver.Program);
    }

    [Fact]
    public async Task Both_may_be_told() =>
        Assert.Equal(
            [Receiver.Webhook, Receiver.Program],
            await Of(new() { NotifyUrl = _hook.Url, NotifyProgram = "/bin/true" }).FindReceiversAsync()
        );

    [Fact]
    public async Task It_is_written_as_the_docs_say()
    {
        await DeliverAsync(Of(new() { NotifyUrl = _hook.Url, Ui = new("http://ui:8233") }), Receiver.Webhook);

        Assert.Equal(
            """
            {"specversion":"1.0","id":"test","source":"/pgflow/demo","type":"pgflow.procedure.blocked","subject":"failover demo/1","time":"1970-01-01T00:00:00Z","datacontenttype":"application/json","data":{"at":"1970-01-01T00:00:00+00:00","cluster":"demo","procedure":"Failover","workflowId":"failover demo/1","runId":"r-1","status":"blocked","summary":"blocked","by":"anna","blocked":[],"hints":[],"notes":[],"link":"http://ui:8233/namespaces/default/workflows/failover%20demo%2F1/r-1/history"}}
            """,
            (await _hook.NextAsync()).Text
        );
    }

    [Theory]
    [InlineData(HttpStatusCode.Redirect)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.InternalServerError)]
    public async Task Any_other_answer_than_a_success_may_be_one_later(HttpStatusCode answer)
    {
        _hook.Answer = answer;
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() =>
            DeliverAsync(Of(new() { NotifyUrl = _hook.Url }), Receiver.Webhook)
        );
        Assert.True(Failures.MayPass(failure));
    }

    [Fact]
    public async Task A_token_in_the_URL_is_in_no_failure()
    {
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() =>
            DeliverAsync(Of(new() { NotifyUrl = new("http://127.0.0.1:1/hook/s3cr3t?token=s3cr3t") }), Receiver.Webhook)
        );
        Assert.DoesNotContain("s3cr3t", $"{failure}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_hangs_is_given_up()
    {
        _hook.Hangs = true;
        var failure = await Assert.ThrowsAsync<UndeliveredException>(() =>
            DeliverAsync(
                Of(new() { NotifyUrl = _hook.Url }, new() { Notification = TimeSpan.FromMilliseconds(100) }),
                Receiver.Webhook
            )
        );
        Assert.Equal("it did not end within 0.1 s", failure.Message);
    }

    private Task DeliverAsync(NotificationActivities activities, Receiver receiver) =>
        new ActivityEnvironment().RunAsync(() => activities.DeliverNotificationAsync(_news, receiver));

    private static NotificationActivities Of(ActivityHostOptions options, TimeLimits? limits = null) =>
        new(Options.Create(options), limits ?? new());
}

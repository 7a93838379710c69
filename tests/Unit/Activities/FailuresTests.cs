using System.Net;
using Docker.DotNet;

namespace PgFlow.UnitTests.Activities;

public sealed class FailuresTests
{
    [Fact]
    public void An_operation_that_fails_is_retried_a_few_times_only()
    {
        var failed = Failure.Fail("rewind ended with 1: no space left");

        Assert.False(Failures.Of(failed, attempt: 4, attempts: 5).NonRetryable);
        var last = Failures.Of(failed, attempt: 5, attempts: 5);
        Assert.True(last.NonRetryable);
        Assert.Equal(
            (FailureTypes.Failed, "rewind ended with 1: no space left (tried 5 times)"),
            (last.ErrorType, last.Message)
        );
    }

    [Fact]
    public void Its_retries_leave_a_node_seconds_to_start_again() =>
        Assert.Equal(
            8.5,
            Enumerable
                .Range(1, 4)
                .Sum(attempt => Failures.Of(Failure.Fail("x"), attempt, 5).NextRetryDelay!.Value.TotalSeconds),
            3
        );

    [Theory]
    [MemberData(nameof(WhatMayPass))]
    public void What_is_away_or_busy_is_retried_as_long_as_its_activity_may_last(Exception away) =>
        Assert.False(Failures.Of(away, 100, 5).NonRetryable);

    [Fact]
    public void What_was_away_for_long_has_used_up_no_attempt_of_the_operation_that_then_fails()
    {
        var attempts = new Attempts();
        Assert.All(
            Enumerable.Repeat(new DockerTimeoutException("Docker does not answer"), 10),
            away => Assert.False(attempts.After(away, 5).NonRetryable)
        );

        Assert.All(
            Enumerable.Repeat(Failure.Fail("p2 has ended"), 4),
            failed => Assert.False(attempts.After(failed, 5).NonRetryable)
        );
        Assert.True(attempts.After(Failure.Fail("p2 has ended"), 5).NonRetryable);
    }

    public static TheoryData<Exception> WhatMayPass =>
        [
            new DockerTimeoutException("Docker did not answer within 20 s"),
            new HttpRequestException("Connection refused"),
            new IOException("broken pipe"),
            new Npgsql.PostgresException("too many clients", "FATAL", "FATAL", "53300"),
            new Npgsql.PostgresException("the database system is starting up", "FATAL", "FATAL", "57P03"),
        ];

    [Theory]
    [MemberData(nameof(WhatWillNot))]
    public void What_will_be_the_same_again_is_not(Exception failure) =>
        Assert.True(Failures.Of(failure, 5, 5).NonRetryable);

    public static TheoryData<Exception> WhatWillNot =>
        [
            new DockerApiException(HttpStatusCode.NotFound, """{"message":"No such image: postgres:17"}"""),
            new TimeoutException("p1 has not ended yet"),
            new ArgumentException("a bug"),
            new Npgsql.PostgresException("permission denied", "ERROR", "ERROR", "42501"),
        ];

    [Theory]
    [InlineData(FailureTypes.Refused)]
    [InlineData(FailureTypes.Broken)]
    [InlineData(FailureTypes.Failed)]
    public void What_is_final_stays_what_it_is(string type)
    {
        var final = Failures.Of(new PgFlowException(type, "it is so", isFinal: true), 1, 5);

        Assert.Equal((true, type, "it is so"), (final.NonRetryable, final.ErrorType, final.Message));
    }

    [Fact]
    public void A_password_that_a_worker_lacks_is_no_refusal()
    {
        var failure = Failures.Of(new NoPasswordException("this worker has no password of pgflow for demo"), 1, 5);

        Assert.Equal((false, FailureTypes.Failed), (failure.NonRetryable, failure.ErrorType));
    }

    [Fact]
    public void A_message_is_never_empty_and_says_what_Docker_said()
    {
        Assert.Equal(
            "Docker: No such image: postgres:17",
            Failures
                .Of(
                    new DockerApiException(HttpStatusCode.NotFound, """{"message":"No such image: postgres:17"}"""),
                    1,
                    5
                )
                .Message
        );
        Assert.Equal("IOException", Failures.Of(new IOException(""), 1, 5).Message);
        Assert.Equal(
            "copy ended with 1: (it said nothing)",
            Failures.Of(Failure.Fail("copy ended with 1: "), 1, 5).Message
        );
    }
}

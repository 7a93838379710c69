using Temporalio.Api.Enums.V1;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Failure = Temporalio.Api.Failure.V1.Failure;

namespace PgFlow.UnitTests.Cli;

public sealed class ExitCodeTests
{
    [Theory]
    [InlineData(ProcedureStatus.Succeeded, 0)]
    [InlineData(ProcedureStatus.Planned, 0)]
    [InlineData(ProcedureStatus.Unchanged, 1)]
    [InlineData(ProcedureStatus.Refused, 3)]
    [InlineData(ProcedureStatus.ClusterBusy, 4)]
    [InlineData(ProcedureStatus.Blocked, 6)]
    [InlineData(ProcedureStatus.WaitingForApproval, 6)]
    [InlineData(ProcedureStatus.Inspecting, 6)]
    [InlineData(ProcedureStatus.Incomplete, 7)]
    [InlineData(ProcedureStatus.Cancelled, 8)]
    public void An_outcome_has_its_code(ProcedureStatus outcome, int code) => Assert.Equal(code, ExitCodes.Of(outcome));

    [Theory]
    [InlineData(FailureTypes.InvalidInput, 2)]
    [InlineData(FailureTypes.Refused, 3)]
    [InlineData(FailureTypes.ClusterBusy, 4)]
    [InlineData(FailureTypes.Unchanged, 1)]
    [InlineData(FailureTypes.Incomplete, 7)]
    [InlineData("SomethingElse", 7)]
    [InlineData(null, 7)]
    public void A_failure_without_report_has_the_code_of_its_type(string? type, int code)
    {
        var end = ProcedureResult.OfFailure(new ApplicationFailureException("why", errorType: type));

        Assert.Equal((code, "why"), (end.ExitCode, end.Detail));
    }

    [Theory]
    [InlineData(
        "Docker does not answer at unix:///var/run/docker.sock",
        "ObserveCluster did not end in time (ScheduleToClose); at last: Docker does not answer at "
            + "unix:///var/run/docker.sock"
    )]
    [InlineData("", "ObserveCluster did not end in time (ScheduleToClose); at last: it failed and said nothing")]
    [InlineData(null, "ObserveCluster did not end in time (ScheduleToClose); is its worker there?")]
    public void An_activity_that_did_not_end_in_time_is_told_with_its_last_words(string? last, string why)
    {
        Failure timeout = new() { TimeoutFailureInfo = new() { TimeoutType = TimeoutType.ScheduleToClose } };
        timeout.Cause = last is null
            ? null
            : new()
            {
                Message = last,
                ApplicationFailureInfo = new() { Type = FailureTypes.Failed },
            };
        Failure activity = new()
        {
            ActivityFailureInfo = new() { ActivityType = new() { Name = "ObserveCluster" } },
            Cause = timeout,
        };
        var failure = new DefaultFailureConverter().ToException(activity, DataConverter.Default.PayloadConverter);

        Assert.Equal(why, ProcedureResult.OfFailure(failure).Detail);
    }

    [Fact]
    public void What_to_do_is_known_also_where_an_activity_did_not_end_in_time()
    {
        var (hint, payloads) = (new Hint("start it"), PgFlowJson.Converter.PayloadConverter);
        Failure last = new() { Message = "p1 has no container", ApplicationFailureInfo = new() };
        last.ApplicationFailureInfo.Details = new() { Payloads_ = { payloads.ToPayload(new[] { hint }) } };
        Failure timeout = new() { TimeoutFailureInfo = new(), Cause = last };
        var late = new DefaultFailureConverter().ToException(timeout, payloads);

        Assert.Equal([hint], TemporalFailures.HintsOf(late));
    }

    [Fact]
    public void A_report_says_how_it_ended() =>
        Assert.Equal(
            (7, "incomplete", "p2 becomes the primary"),
            ProcedureResult.Of(Samples.Report(ProcedureStatus.Incomplete)) switch
            {
                var end => (end.ExitCode, end.Word, end.Detail),
            }
        );
}

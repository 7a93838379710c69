using Google.Protobuf;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Testing;

namespace PgFlow.UnitTests.Activities;

public sealed class FirstRunTests
{
    [Fact]
    public async Task Of_a_run_is_asked_for_once()
    {
        var asked = 0;
        var environment = new ActivityEnvironment
        {
            Info = ActivityEnvironment.DefaultInfo with { WorkflowRunId = $"{Guid.NewGuid()}" },
            TemporalClient = PermitTests.ClientOf(
                (_, _) =>
                {
                    asked++;
                    return Task.FromResult<IMessage>(
                        new DescribeWorkflowExecutionResponse
                        {
                            WorkflowExecutionInfo = new() { FirstRunId = "0d54f62c-0000-0000-0000-0123456789ab" },
                        }
                    );
                }
            ),
        };

        Assert.Equal("0123456789ab", await environment.RunAsync(FirstRun.ShortAsync));
        Assert.Equal("0123456789ab", await environment.RunAsync(FirstRun.ShortAsync));
        Assert.Equal(1, asked);
    }
}
